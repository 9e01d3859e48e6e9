//! A listener has one rule of a priority.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{Kind, World};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "CreateRule") {
        return FINE;
    }
    let (parent, priority) = (call.text("ListenerArn"), call.text("Priority"));
    if world.load_balancing.all(Kind::Rule).any(|(_, it)| it.field("ListenerArn") == parent && it.field("Priority") == priority) {
        return no("PriorityInUse", format!("Priority '{priority}' is currently in use"));
    }
    FINE
}
