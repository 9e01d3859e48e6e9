//! A load balancer takes one subnet in each zone.

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
    let zones: Vec<_> = subnets.into_iter().filter_map(|id| Some(&world.network.subnets.get(id)?.zone)).collect();
    if zones.iter().collect::<BTreeSet<_>>().len() < zones.len() {
        return no(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        );
    }
    FINE
}
