//! Scaling needs a service that exists for a few seconds already, and a range that is one.

use std::time::Duration;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// How long scaling does not see a new service.
const UNSEEN: Duration = Duration::from_secs(3);

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("application-autoscaling", "RegisterScalableTarget") {
        return FINE;
    }
    let (min, max) = (call.fields["MinCapacity"].as_i64(), call.fields["MaxCapacity"].as_i64());
    if min > max {
        return no("ValidationException", "Maximum capacity cannot be less than minimum capacity");
    }
    let name = call.text("ResourceId").rsplit('/').next().unwrap_or_default();
    let service = world.services.get(name, world.now);
    if service.is_none_or(|service| world.now < service.created + UNSEEN) {
        return no("ValidationException", format!("ECS service doesn't exist: {}", call.text("ResourceId")));
    }
    FINE
}
