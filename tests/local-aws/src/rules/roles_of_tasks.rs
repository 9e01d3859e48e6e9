//! The roles of a task exist, and tasks may assume them.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") {
        return FINE;
    }
    for field in ["executionRoleArn", "taskRoleArn"] {
        let arn = call.text(field);
        let role = world.roles.get(arn.rsplit('/').next().unwrap_or(arn));
        if !arn.is_empty() && role.is_none_or(|role| !role.trust.contains("ecs-tasks.amazonaws.com")) {
            return no("ClientException", "Role is not valid");
        }
    }
    FINE
}
