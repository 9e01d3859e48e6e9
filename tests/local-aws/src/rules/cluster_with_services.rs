//! A cluster with services cannot be deleted.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let cluster = call.text("cluster").rsplit('/').next().unwrap_or_default();
    if call.is("ecs", "DeleteCluster") && world.services.active(cluster, world.now).next().is_some() {
        return no(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        );
    }
    FINE
}
