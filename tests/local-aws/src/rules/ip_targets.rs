//! Tasks with interfaces of their own are targets by address, not by instance.

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
    let by_address = |group: &&str| world.load_balancing.get(group).is_none_or(|it| it.field("TargetType") == "ip");
    match groups.find(|group| !by_address(group)) {
        Some(group) => no(
            "InvalidParameterException",
            format!(
                "The provided target group {group} has target type instance, which is incompatible with the awsvpc \
                 network mode specified in the task definition."
            ),
        ),
        None => FINE,
    }
}
