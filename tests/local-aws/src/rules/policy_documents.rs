//! Policies are JSON, and whom they name exists.

use serde_json::Value;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

/// Users and roles that statements name.
fn principals(document: &Value) -> Vec<String> {
    let statements = document["Statement"].as_array().cloned().unwrap_or_else(|| vec![document["Statement"].clone()]);
    let named = statements.into_iter().flat_map(|it| match it["Principal"]["AWS"].clone() {
        Value::Array(several) => several,
        one => vec![one],
    });
    named.filter_map(|it| it.as_str().map(ToOwned::to_owned)).collect()
}

/// Of this account's roles that is known; the account itself always is, and other accounts cannot be seen.
fn exists(arn: &str, world: &World) -> bool {
    let role = arn.strip_prefix(&format!("arn:aws:iam::{}:role/", crate::ACCOUNT));
    role.is_none_or(|role| world.roles.contains_key(role.rsplit('/').next().unwrap_or(role)))
}

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if call.service != "iam" {
        return FINE;
    }
    let (field, trusts) = match call.operation.as_str() {
        "CreateRole" => ("AssumeRolePolicyDocument", true),
        "UpdateAssumeRolePolicy" => ("PolicyDocument", true),
        "PutRolePolicy" => ("PolicyDocument", false),
        _ => return FINE,
    };
    let Ok(document) = serde_json::from_str::<Value>(call.text(field)) else {
        return no("MalformedPolicyDocument", "This policy contains invalid Json");
    };
    if document["Statement"].is_null() {
        return no("MalformedPolicyDocument", "Syntax errors in policy.");
    }
    let Some(unknown) = principals(&document).into_iter().find(|it| trusts && !exists(it, world)) else { return FINE };
    no("MalformedPolicyDocument", format!("Invalid principal in policy: \"AWS\":\"{unknown}\""))
}
