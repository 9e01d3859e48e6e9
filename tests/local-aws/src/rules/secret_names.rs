//! Names of secrets: ASCII letters, digits and /_+=.@-

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let name = call.text("Name");
    let allowed = |it: char| it.is_ascii_alphanumeric() || "/_+=.@-".contains(it);
    if call.is("secretsmanager", "CreateSecret") && !name.chars().all(allowed) {
        return no(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        );
    }
    FINE
}
