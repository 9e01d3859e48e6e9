//! A log group takes only a key that exists and whose policy lets CloudWatch Logs use it.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;
use crate::{ACCOUNT, REGION};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let key = call.text("kmsKeyId");
    if call.service != "logs" || key.is_empty() || world.keys.lets("logs", key) {
        return FINE;
    }
    let group = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{}", call.text("logGroupName"));
    let message = format!("The specified KMS key does not exist or is not allowed to be used with Arn '{group}'");
    no("AccessDeniedException", message)
}
