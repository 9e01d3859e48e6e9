//! What is over cannot be stopped.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let deployment = call.text("serviceDeploymentArn");
    if call.is("ecs", "StopServiceDeployment") && !world.services.is_running(deployment, world.now) {
        return no("ConflictException", "The service deployment is already in a terminal state and cannot be stopped.");
    }
    FINE
}
