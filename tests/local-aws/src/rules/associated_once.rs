//! A subnet has one route table of its own, and a network one internet gateway.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let subnet = call.text("SubnetId");
    if call.is("ec2", "AssociateRouteTable") && world.network.associations.values().any(|there| there == subnet) {
        return no("Resource.AlreadyAssociated", format!("the specified association for subnet {subnet} already exists"));
    }
    if call.is("ec2", "AttachInternetGateway") {
        let (gateway, vpc) = (call.text("InternetGatewayId"), call.text("VpcId"));
        if world.network.gateways.contains_key(gateway) {
            let message = format!("resource {gateway} is already attached to network {vpc}");
            return no("Resource.AlreadyAssociated", message);
        }
        if world.network.has_gateway(vpc) {
            let message = format!("Network {vpc} already has an internet gateway attached");
            return no("InvalidParameterValue", message);
        }
    }
    FINE
}
