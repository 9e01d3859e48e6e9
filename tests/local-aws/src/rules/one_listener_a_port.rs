//! A load balancer has one listener on a port.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{Kind, World};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("elasticloadbalancing", "CreateListener") {
        return FINE;
    }
    let (parent, port) = (call.text("LoadBalancerArn"), call.text("Port"));
    if world.load_balancing.all(Kind::Listener).any(|(_, it)| it.field("LoadBalancerArn") == parent && it.field("Port") == port) {
        return no("DuplicateListener", "A listener already exists on this port for this load balancer");
    }
    FINE
}
