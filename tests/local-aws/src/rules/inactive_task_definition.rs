//! An inactive task definition cannot be deployed.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let deploys = call.is("ecs", "CreateService") || call.is("ecs", "UpdateService");
    let arn = call.text("taskDefinition");
    if deploys && world.task_definitions.get(arn).is_some() && world.task_definitions.active(arn).is_none() {
        return no("ClientException", "TaskDefinition is inactive");
    }
    FINE
}
