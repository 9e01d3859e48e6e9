//! No two flow logs of one thing write into one log group.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    // The same request again is the same flow log.
    if !call.is("ec2", "CreateFlowLogs") || world.flow_logs.knows_token(call.text("ClientToken")) {
        return FINE;
    }
    let (resource, log_group) = (call.text("ResourceId.1"), call.text("LogGroupName"));
    if world.flow_logs.all.values().any(|it| it.resource == resource && it.log_group == log_group) {
        let message = "Error. There is an existing Flow Log with the same configuration and log destination.";
        return no("FlowLogAlreadyExists", message);
    }
    FINE
}
