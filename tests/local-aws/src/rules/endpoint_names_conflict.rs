//! One name of a service leads to one endpoint in a network, and one that is going still has it.

use super::{FINE, no};
use crate::REGION;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ec2", "CreateVpcEndpoint")
        || call.text("PrivateDnsEnabled") != "true"
        || world.endpoints.knows_token(call.text("ClientToken"))
    {
        return FINE;
    }
    let (vpc, service) = (call.text("VpcId"), call.text("ServiceName"));
    let mut named = world.endpoints.there(world.now).filter(|it| it.private_dns && it.vpc == vpc);
    if named.any(|it| it.service == service) {
        let name = service.rsplit('.').next().unwrap_or(service);
        let message = format!(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for \
             {name}.{REGION}.amazonaws.com in the VPC {vpc}"
        );
        return no("InvalidParameter", message);
    }
    FINE
}
