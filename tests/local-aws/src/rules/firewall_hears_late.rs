//! WAF hears of a load balancer some time after it became active.

use std::time::Duration;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// People who associate at once are refused about every second time, and not half a minute later.
const LATE: Duration = Duration::from_secs(10);

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let active = world.load_balancing.active_at(call.text("ResourceArn"));
    if !call.is("wafv2", "AssociateWebACL") || active.is_none_or(|active| world.now >= active + LATE) {
        return FINE;
    }
    no(
        "WAFUnavailableEntityException",
        "AWS WAF couldn\u{2019}t retrieve the resource that you requested. Retry your request.",
    )
}
