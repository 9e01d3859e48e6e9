//! A route table leads to a service by one endpoint.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ec2", "CreateVpcEndpoint") || world.endpoints.knows_token(call.text("ClientToken")) {
        return FINE;
    }
    let service = call.text("ServiceName");
    let mut there = world.endpoints.there(world.now).filter(|it| it.service == service);
    let asked = call.list("RouteTableId");
    let taken = there.find_map(|it| it.list("RouteTableId").iter().find(|table| asked.contains(&table.as_str())));
    match taken {
        Some(table) => {
            let list = "destination-prefix-list-id pl-61a54008";
            no("RouteAlreadyExists", format!("route table {table} already has a route with {list}"))
        }
        None => FINE,
    }
}
