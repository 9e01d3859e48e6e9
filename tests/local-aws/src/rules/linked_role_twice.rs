//! A service-linked role exists once, which AWS says in words about a suffix.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{World, linked_role};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let name = linked_role(call.text("AWSServiceName"));
    if call.is("iam", "CreateServiceLinkedRole") && world.roles.contains_key(name) {
        let message = format!("Service role name {name} has been taken in this account, please try a different suffix.");
        return no("InvalidInput", message);
    }
    FINE
}
