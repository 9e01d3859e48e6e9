//! A security group that an interface has, or that a rule of another group names, cannot be deleted.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ec2", "DeleteSecurityGroup") {
        return FINE;
    }
    let group = call.text("GroupId");
    let on_interface = world.interfaces.there(world.now).any(|it| it.groups.iter().any(|it| it == group));
    let named = world.security_groups.all.iter().any(|(owner, it)| owner != group && it.rules.values().any(|rule| rule.group == group));
    if on_interface || named {
        return no("DependencyViolation", format!("resource {group} has a dependent object"));
    }
    FINE
}
