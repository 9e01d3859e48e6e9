//! A service takes only target groups that already get requests from a load balancer.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ecs", "CreateService") {
        return FINE;
    }
    let groups = call.fields["loadBalancers"].as_array().into_iter().flatten();
    let mut groups = groups.filter_map(|it| it["targetGroupArn"].as_str());
    match groups.find(|group| !world.load_balancing.is_used(group)) {
        Some(group) => no(
            "InvalidParameterException",
            format!("The target group with targetGroupArn {group} does not have an associated load balancer."),
        ),
        None => FINE,
    }
}
