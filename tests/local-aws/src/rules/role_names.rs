//! Names of roles are unique, whatever the case of their letters.

use super::FINE;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let name = call.text("RoleName");
    if call.is("iam", "CreateRole") && world.roles.keys().any(|it| it.eq_ignore_ascii_case(name)) {
        let refusal = Refusal::new("EntityAlreadyExists", format!("Role with name {name} already exists."));
        return Some(Refusal { status: 409, ..refusal });
    }
    FINE
}
