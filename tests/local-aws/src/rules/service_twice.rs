//! A service of a name exists once, and not again before the last one is gone.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ecs", "CreateService") {
        return FINE;
    }
    match world.services.get(call.text("serviceName"), world.now) {
        Some(service) if service.is_draining() => {
            no("InvalidParameterException", "Unable to Start a service that is still Draining.")
        }
        Some(service) if !service.has_token(call) => {
            no("InvalidParameterException", "Creation of service was not idempotent.")
        }
        _ => FINE,
    }
}
