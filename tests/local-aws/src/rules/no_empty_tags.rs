//! ECS takes tags or no tags, but no empty list of them.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let empty = call.fields["tags"].as_array().is_some_and(Vec::is_empty);
    if call.is("ecs", "RegisterTaskDefinition") && empty {
        return no("ClientException", "Tags can not be empty.");
    }
    FINE
}
