//! Who comes with a token takes a role only if the role's trust fits every claim that it names: a repository that GitHub
//! names with numbers is not the one that is named without.

use serde_json::Value;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::github::{ISSUER, read};
use crate::policy::{fits, list};
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("sts", "AssumeRoleWithWebIdentity") {
        return FINE;
    }
    let claims = read(call.text("WebIdentityToken")).unwrap_or_default();
    let name = call.text("RoleArn").rsplit('/').next().unwrap_or_default();
    let trust = world.roles.get(name).and_then(|role| serde_json::from_str::<Value>(&role.trust).ok());
    let mut statements = trust.iter().flat_map(|trust| trust["Statement"].as_array().into_iter().flatten());
    if statements.any(|statement| lets_in(statement, &claims)) {
        return FINE;
    }
    let refusal = no("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")?;
    Some(Refusal { status: 403, ..refusal })
}

fn lets_in(statement: &Value, claims: &Value) -> bool {
    let provider = format!("arn:aws:iam::{}:oidc-provider/{ISSUER}", crate::ACCOUNT);
    statement["Effect"] == "Allow"
        && list(&statement["Action"]).iter().any(|it| it == "sts:AssumeRoleWithWebIdentity")
        && list(&statement["Principal"]["Federated"]).contains(&provider)
        && claims["iss"].as_str() == Some(&format!("https://{ISSUER}"))
        && statement["Condition"].as_object().into_iter().flatten().all(|(operator, keys)| holds(operator, keys, claims))
}

/// Whether every claim that a condition names is there and fits; what the simulation does not know lets nobody in.
fn holds(operator: &str, keys: &Value, claims: &Value) -> bool {
    let matches = |pattern: &str, text: &str| match operator {
        "StringEquals" => pattern == text,
        "StringLike" => fits(pattern, text),
        _ => false,
    };
    keys.as_object().into_iter().flatten().all(|(key, patterns)| {
        let claim = key.strip_prefix(ISSUER).and_then(|it| it.strip_prefix(':')).and_then(|it| claims[it].as_str());
        claim.is_some_and(|claim| list(patterns).iter().any(|pattern| matches(pattern, claim)))
    })
}
