//! Whoever has a policy may do what it says, and tagging and passing roles on are actions of their own.

use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let policy = world.policy.as_ref()?;
    let denied = crate::policy::actions(call).into_iter().find(|action| !policy.allows(action));
    denied.map(|action| crate::policy::denial(call, &action))
}
