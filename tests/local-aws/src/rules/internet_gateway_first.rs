//! A load balancer that faces the internet needs a network with an internet gateway.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "CreateLoadBalancer") || call.text("Scheme") == "internal" {
        return FINE;
    }
    let subnets = call.list("Subnets.member");
    let mut vpcs = subnets.into_iter().filter_map(|id| Some(&world.network.subnets.get(id)?.vpc));
    match vpcs.find(|vpc| !world.network.has_gateway(vpc)) {
        Some(vpc) => no("InvalidSubnet", format!("VPC {vpc} has no internet gateway")),
        None => FINE,
    }
}
