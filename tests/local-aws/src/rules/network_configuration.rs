//! A Fargate service says in which subnets its tasks are.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if call.is("ecs", "CreateService") && call.fields["networkConfiguration"]["awsvpcConfiguration"].is_null() {
        return no(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        );
    }
    FINE
}
