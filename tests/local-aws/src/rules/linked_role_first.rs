//! A new account has none of the roles that ECS, load balancers and scaling use by themselves.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let has = |role: &str| world.roles.contains_key(role);
    if call.is("ecs", "CreateCluster") && !has("AWSServiceRoleForECS") {
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
