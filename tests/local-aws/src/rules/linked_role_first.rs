//! A new account has none of the roles that ECS, load balancers and scaling use by themselves.

use std::time::Duration;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// How long ECS cannot assume a new one.
const SETTLES: Duration = Duration::from_secs(3);

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let has = |role: &str| world.roles.contains_key(role);
    // Also for some seconds after it was made.
    let settled = |role: &str| world.roles.get(role).is_some_and(|role| world.now >= role.changed + SETTLES);
    if call.is("ecs", "CreateCluster") && !settled("AWSServiceRoleForECS") {
        return no(
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
        );
    }
    if call.is("elasticloadbalancing", "CreateLoadBalancer") && !has("AWSServiceRoleForElasticLoadBalancing") {
        let message = "not authorized to perform: iam:CreateServiceLinkedRole on AWSServiceRoleForElasticLoadBalancing";
        return Some(Refusal { status: 403, ..Refusal::new("AccessDenied", message) });
    }
    FINE
}
