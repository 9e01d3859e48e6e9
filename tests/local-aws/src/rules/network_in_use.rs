//! A network with anything in it cannot be deleted.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ec2", "DeleteVpc") {
        return FINE;
    }
    let vpc = call.text("VpcId");
    let groups = world.security_groups.all.values().any(|it| it.vpc == vpc && it.name != "default");
    let network = &world.network;
    let subnets = network.subnets.values().any(|it| it.vpc == vpc);
    let tables = network.tables.values().any(|it| it == vpc);
    let endpoints = world.endpoints.there(world.now).any(|it| it.vpc == vpc);
    if groups || subnets || tables || endpoints || network.has_gateway(vpc) {
        return no("DependencyViolation", format!("The vpc '{vpc}' has dependencies and cannot be deleted."));
    }
    FINE
}
