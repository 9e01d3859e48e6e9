//! An access point of a client token exists once.

use super::FINE;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticfilesystem", "CreateAccessPoint") {
        return FINE;
    }
    let token = call.text("ClientToken");
    if world.access_point_tokens.values().any(|there| there == token) {
        let message = format!("Access point already exists with creation token {token}");
        return Some(Refusal { status: 409, ..Refusal::new("AccessPointAlreadyExists", message) });
    }
    FINE
}
