//! A load balancer that is protected from deletion is not deleted.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let arn = call.text("LoadBalancerArn");
    if !call.is("elasticloadbalancing", "DeleteLoadBalancer") {
        return FINE;
    }
    let load_balancer = world.load_balancing.get(arn)?;
    if load_balancer.attribute("deletion_protection.enabled") == "true" {
        let message = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return no("OperationNotPermitted", message);
    }
    FINE
}
