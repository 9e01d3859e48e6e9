//! A subnet with interfaces in it cannot be deleted.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let subnet = call.text("SubnetId");
    if call.is("ec2", "DeleteSubnet") && world.interfaces.there(world.now).any(|it| it.subnet == subnet) {
        let message = format!("The subnet '{subnet}' has dependencies and cannot be deleted.");
        return no("DependencyViolation", message);
    }
    FINE
}
