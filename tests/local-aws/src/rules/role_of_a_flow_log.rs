//! The role that writes flow logs exists, flow logs may assume it, and IAM has told so everywhere.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{ROLE_SETTLES, World};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let arn = call.text("DeliverLogsPermissionArn");
    if !call.is("ec2", "CreateFlowLogs") || arn.is_empty() {
        return FINE;
    }
    let role = world.roles.get(arn.rsplit('/').next().unwrap_or(arn));
    let may = role.is_some_and(|role| {
        let settled = !world.holds("roles_propagate") || call.at >= role.changed + ROLE_SETTLES;
        role.trust.contains("vpc-flow-logs.amazonaws.com") && settled
    });
    if may { FINE } else { no("InvalidParameter", format!("Unable to assume given IAM role: '{arn}'")) }
}
