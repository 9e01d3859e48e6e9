//! A load balancer needs subnets in at least two zones.

use std::collections::BTreeSet;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "CreateLoadBalancer") && !call.is("elasticloadbalancing", "SetSubnets") {
        return FINE;
    }
    let subnets = call.list("Subnets.member");
    let zones: BTreeSet<_> = subnets.into_iter().filter_map(|id| Some(&world.network.subnets.get(id)?.zone)).collect();
    if zones.len() < 2 {
        return no("ValidationError", "At least two subnets in two different Availability Zones must be specified");
    }
    FINE
}
