//! An alarm looks every 10, 20 or 30 seconds, or every few minutes.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let period = call.fields["Period"].as_u64();
    let fits = |period: u64| [10, 20, 30].contains(&period) || (period > 0 && period.is_multiple_of(60));
    if call.is("monitoring", "PutMetricAlarm") && period.is_some_and(|period| !fits(period)) {
        return no("ValidationError", "Period must be 10, 20, 30, or a multiple of 60");
    }
    FINE
}
