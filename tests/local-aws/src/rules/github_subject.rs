//! A role for GitHub's workflows must look at the token's subject, or anybody's workflow could have it.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let trust = match call.operation.as_str() {
        "CreateRole" => call.text("AssumeRolePolicyDocument"),
        "UpdateAssumeRolePolicy" => call.text("PolicyDocument"),
        _ => return FINE,
    };
    if trust.contains("oidc-provider/token.actions.githubusercontent.com")
        && !trust.contains("token.actions.githubusercontent.com:sub")
    {
        return no(
            "MalformedPolicyDocument",
            "The trust policy of a role for token.actions.githubusercontent.com must evaluate the condition key \
             token.actions.githubusercontent.com:sub",
        );
    }
    FINE
}
