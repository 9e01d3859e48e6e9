//! A group has a rule once, and a table has a route to a destination once.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.is("ec2", "CreateRoute") {
        let route = (call.text("RouteTableId").to_owned(), call.text("DestinationCidrBlock").to_owned());
        if world.network.routes.contains(&route) {
            let message = format!("The route identified by {} already exists.", route.1);
            return no("RouteAlreadyExists", message);
        }
    }
    if call.service == "ec2" && call.operation.starts_with("AuthorizeSecurityGroup") {
        let there = world.security_groups.all.get(call.text("GroupId"))?.rules.values();
        if crate::world::asked_rules(call).iter().any(|rule| there.clone().any(|it| it.is_like(rule))) {
            return no("InvalidPermission.Duplicate", "the specified rule already exists");
        }
    }
    FINE
}
