//! A listener takes only the TLS policies that exist.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// Those of the TLS 1.3 family and the old default.
const KNOWN: [&str; 5] = [
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-FS-1-2-Res-2020-10",
];

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let policy = call.text("SslPolicy");
    let sets = call.is("elasticloadbalancing", "CreateListener") || call.is("elasticloadbalancing", "ModifyListener");
    if sets && !policy.is_empty() && !KNOWN.contains(&policy) {
        return no("SSLPolicyNotFound", format!("SSL policy '{policy}' not found"));
    }
    FINE
}
