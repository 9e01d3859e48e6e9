//! Names of security groups do not begin with `sg-`, descriptions are ASCII, and a network has a name once.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ec2", "CreateSecurityGroup") {
        return FINE;
    }
    let (name, description, vpc) = (call.text("GroupName"), call.text("GroupDescription"), call.text("VpcId"));
    if name.starts_with("sg-") {
        let message = format!("invalid value for parameter groupName: {name}. It may not start with sg-");
        return no("InvalidParameterValue", message);
    }
    if !description.is_ascii() || description.is_empty() || description.len() > 255 {
        return no("InvalidParameterValue", format!("Value ({description}) for parameter GroupDescription is invalid"));
    }
    if world.security_groups.all.values().any(|it| it.vpc == vpc && it.name.to_lowercase() == name.to_lowercase()) {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return no("InvalidGroup.Duplicate", message);
    }
    FINE
}
