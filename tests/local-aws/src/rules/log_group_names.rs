//! Names of log groups: letters, digits and ._-/#

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let name = call.text("logGroupName");
    let allowed = |it: char| it.is_ascii_alphanumeric() || "._-/#".contains(it);
    if call.is("logs", "CreateLogGroup") && (!name.chars().all(allowed) || name.starts_with("aws/")) {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        );
        return no("InvalidParameterException", message);
    }
    FINE
}
