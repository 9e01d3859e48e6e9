//! For a moment, EC2 does not know what it has just made.

use super::FINE;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

const FIELDS: [(&str, &str, &str); 6] = [
    ("VpcId", "InvalidVpcID.NotFound", "vpc ID"),
    ("SubnetId", "InvalidSubnetID.NotFound", "subnet ID"),
    ("InternetGatewayId", "InvalidInternetGatewayID.NotFound", "internetGateway ID"),
    ("GatewayId", "InvalidGatewayID.NotFound", "gateway ID"),
    ("RouteTableId", "InvalidRouteTableID.NotFound", "routeTable ID"),
    ("GroupId", "InvalidGroup.NotFound", "security group"),
];

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "ec2" {
        return FINE;
    }
    FIELDS.iter().find_map(|(field, code, what)| {
        let id = call.text(field);
        let young = !id.is_empty() && !world.is_visible(id);
        young.then(|| Refusal::new(code, format!("The {what} '{id}' does not exist")))
    })
}
