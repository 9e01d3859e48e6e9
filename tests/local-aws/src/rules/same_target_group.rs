//! A second target group of a name is refused, unless it is the same one again.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{Kind, World};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "CreateTargetGroup") {
        return FINE;
    }
    let name = call.text("Name");
    let settings = crate::world::settings(call);
    let other = world.load_balancing.all(Kind::TargetGroup).find(|(_, it)| it.field("Name") == name);
    if other.is_some_and(|(_, other)| settings.iter().any(|(key, value)| other.field(key) != value)) {
        let message = format!("A target group with the same name '{name}' exists, but with different settings");
        return no("DuplicateTargetGroupName", message);
    }
    FINE
}
