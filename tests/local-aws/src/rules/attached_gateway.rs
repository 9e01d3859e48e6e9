//! An internet gateway goes only when no network has it.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let gateway = call.text("InternetGatewayId");
    if call.is("ec2", "DeleteInternetGateway") && world.network.gateways.contains_key(gateway) {
        let message = format!("The internetGateway '{gateway}' has dependencies and cannot be deleted.");
        return no("DependencyViolation", message);
    }
    FINE
}
