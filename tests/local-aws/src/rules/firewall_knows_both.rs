//! WAF tells of a load balancer, and puts a web ACL before it, if both exist.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "wafv2" {
        return FINE;
    }
    let has_web_acl = call.operation != "AssociateWebACL" || world.firewalls.web_acls.contains(call.text("WebACLArn"));
    if has_web_acl && world.load_balancing.active_at(call.text("ResourceArn")).is_some() {
        return FINE;
    }
    no(
        "WAFNonexistentItemException",
        "AWS WAF couldn\u{2019}t perform the operation because your resource doesn\u{2019}t exist.",
    )
}
