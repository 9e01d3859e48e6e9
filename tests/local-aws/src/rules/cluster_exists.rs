//! In a cluster that does not exist there is nothing, not even an empty list.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// What is asked of a service or of tasks.
const IN_A_CLUSTER: [&str; 6] =
    ["CreateService", "DeleteService", "DescribeServices", "DescribeTasks", "ListTasks", "UpdateService"];

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "ecs" || !IN_A_CLUSTER.contains(&call.operation.as_str()) {
        return FINE;
    }
    let cluster = call.text("cluster").rsplit('/').next().unwrap_or_default();
    if world.clusters.contains(cluster) {
        return FINE;
    }
    no("ClusterNotFoundException", "Cluster not found.")
}
