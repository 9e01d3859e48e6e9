//! An endpoint has one subnet in each zone.

use std::collections::BTreeSet;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let asked = match call.operation.as_str() {
        "CreateVpcEndpoint" => call.list("SubnetId"),
        "ModifyVpcEndpoint" => call.list("AddSubnetId"),
        _ => return FINE,
    };
    let has = world.endpoints.all.get(call.text("VpcEndpointId")).map_or(&[][..], |it| it.list("SubnetId"));
    let removed = call.list("RemoveSubnetId");
    let has = has.iter().map(String::as_str).filter(|it| !removed.contains(it));
    let mut zones = BTreeSet::new();
    for subnet in has.chain(asked) {
        let zone = world.network.subnets.get(subnet).map_or("", |it| it.zone.as_str());
        if !zones.insert(zone) {
            let message = format!("Found another VPC endpoint subnet in the availability zone of {subnet}");
            return no("DuplicateSubnetsInSameZone", message);
        }
    }
    FINE
}
