//! On Fargate every task has an interface of its own.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") || !super::is_fargate(call) || call.text("networkMode") == "awsvpc" {
        return FINE;
    }
    no("ClientException", "Fargate only supports network mode 'awsvpc'.")
}
