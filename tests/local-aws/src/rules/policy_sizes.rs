//! A role's trust has 2048 characters at most, and all its own policies together 10240.

use super::FINE;
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// White space does not count.
fn characters(document: &str) -> usize {
    document.chars().filter(|it| !it.is_whitespace()).count()
}

fn exceeded(what: &str) -> Option<Refusal> {
    let message = if what.starts_with("Maximum") { what.to_owned() } else { format!("Cannot exceed quota for {what}") };
    Some(Refusal { status: 409, ..Refusal::new("LimitExceeded", message) })
}

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "iam" {
        return FINE;
    }
    let name = call.text("RoleName");
    let trust = match call.operation.as_str() {
        "CreateRole" => call.text("AssumeRolePolicyDocument"),
        "UpdateAssumeRolePolicy" => call.text("PolicyDocument"),
        _ => "",
    };
    if characters(trust) > 2048 {
        return exceeded("ACLSizePerRole: 2048");
    }
    if call.operation != "PutRolePolicy" {
        return FINE;
    }
    let others = world.roles.get(name).into_iter().flat_map(|role| &role.policies);
    let others: usize = others.filter(|(it, _)| *it != call.text("PolicyName")).map(|(_, it)| characters(it)).sum();
    if others + characters(call.text("PolicyDocument")) > 10_240 {
        return exceeded(&format!("Maximum policy size of 10240 bytes exceeded for role {name}"));
    }
    FINE
}
