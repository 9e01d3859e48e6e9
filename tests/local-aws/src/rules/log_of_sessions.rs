//! Sessions in tasks are written down elsewhere only when it is said where.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let sessions = &call.fields["configuration"]["executeCommandConfiguration"];
    if call.service != "ecs" || sessions["logging"].as_str() != Some("OVERRIDE") {
        return FINE;
    }
    if sessions["logConfiguration"].as_object().is_none_or(serde_json::Map::is_empty) {
        let message = "Log configuration must be specified when logging is set to OVERRIDE.";
        return no("InvalidParameterException", message);
    }
    FINE
}
