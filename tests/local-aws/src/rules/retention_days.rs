//! Logs are kept for one of a list of numbers of days.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

const DAYS: [u64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let days = call.fields["retentionInDays"].as_u64().unwrap_or_default();
    if call.is("logs", "PutRetentionPolicy") && !DAYS.contains(&days) {
        return no("InvalidParameterException", "1 validation error detected: retentionInDays is not a valid value");
    }
    FINE
}
