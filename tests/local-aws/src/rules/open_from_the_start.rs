//! Nobody gets into a task that began when its service had no ECS Exec.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{CLOSED, World, is_closed};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.is("ecs", "ExecuteCommand") && is_closed(world, call) {
        return no("InvalidParameterException", CLOSED);
    }
    FINE
}
