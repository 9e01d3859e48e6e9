//! A second load balancer of a name is refused, unless it is the same one again.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{Kind, World};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "CreateLoadBalancer") {
        return FINE;
    }
    let name = call.text("Name");
    let settings = crate::world::settings(call);
    let other = world.load_balancing.all(Kind::LoadBalancer).find(|(_, it)| it.field("Name") == name);
    if other.is_some_and(|(_, other)| other.fields != settings) {
        let message = format!("A load balancer with the same name '{name}' exists, but with different settings");
        return no("DuplicateLoadBalancerName", message);
    }
    FINE
}
