//! Every group of operations has a bucket of calls, which fills again slowly.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !world.buckets.overflows() {
        return FINE;
    }
    let code = match call.service.as_str() {
        "ec2" => "RequestLimitExceeded",
        "iam" | "sts" | "route53" | "elasticloadbalancing" | "monitoring" | "sns" => "Throttling",
        _ => "ThrottlingException",
    };
    no(code, "Rate exceeded")
}
