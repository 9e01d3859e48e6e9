//! The name of a deleted secret is neither free nor usable for a while.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "secretsmanager" {
        return FINE;
    }
    if call.operation == "CreateSecret" && world.secrets.is_deleted(call.text("Name"), world.now) {
        return no(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
    }
    let uses = ["PutSecretValue", "GetSecretValue", "UpdateSecret"].contains(&call.operation.as_str());
    if uses && world.secrets.is_recoverable(call.text("SecretId"), world.now) {
        return no(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        );
    }
    FINE
}
