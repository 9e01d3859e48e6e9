//! Only a service behind a load balancer has a grace period for its health checks.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let grace = !call.fields["healthCheckGracePeriodSeconds"].is_null();
    let balancers = call.fields["loadBalancers"].as_array().is_some_and(|list| !list.is_empty());
    if call.is("ecs", "CreateService") && grace && !balancers {
        return no(
            "InvalidParameterException",
            "Health check grace period is only valid for services configured to use load balancers",
        );
    }
    FINE
}
