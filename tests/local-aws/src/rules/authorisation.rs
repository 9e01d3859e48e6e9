//! Whoever has a policy may do what it says, and tagging and passing roles on are actions of their own.

use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let policy = world.policy.as_ref()?;
    let own = format!("{}:{}", crate::policy::service(call), call.operation);
    let thing = crate::things::named_by(call, world);
    let allows = |action: &String| match &thing {
        Some(thing) if *action == own => policy.allows_named(action, thing),
        _ => policy.allows(action),
    };
    let denied = crate::policy::actions(call).into_iter().find(|action| !allows(action));
    denied.map(|action| crate::policy::denial(call, &action))
}
