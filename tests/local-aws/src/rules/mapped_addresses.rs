//! An internet gateway stays attached as long as something in the network has a public address.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ec2", "DetachInternetGateway") {
        return FINE;
    }
    let vpc = call.text("VpcId");
    let in_vpc = |subnet: &str| world.network.subnets.get(subnet).is_some_and(|it| it.vpc == vpc);
    if world.interfaces.there(world.now).any(|it| it.public && in_vpc(&it.subnet)) {
        let message = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        return no("DependencyViolation", message);
    }
    FINE
}
