//! Only an inactive task definition can be deleted.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let mut arns = call.fields["taskDefinitions"].as_array().into_iter().flatten().filter_map(|it| it.as_str());
    if call.is("ecs", "DeleteTaskDefinitions") && arns.any(|arn| world.task_definitions.active(arn).is_some()) {
        return no(
            "ClientException",
            "The specified task definition is still in ACTIVE status. Please deregister the task definition first.",
        );
    }
    FINE
}
