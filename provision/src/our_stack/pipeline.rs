//! The role that a repository's workflows take to deploy: a stack of its own, which an administrator applies.
//!
//! It is no part of the deployment, because a role that could change its own rights would be an administrator.

use std::collections::BTreeMap;

use config::deployment::{Deployment, Github};
use serde_json::{Value, json};

use crate::names::Names;
use crate::permissions::{Place, ROLE_LIMIT, Who};
use crate::resources::iam_role::{IamRole, IamRoleSpec};
use crate::resources::identity::Identity;
use crate::resources::oidc_provider::{self, OidcProvider, OidcProviderSpec};
use crate::stack::Stack;

pub(crate) const HOST: &str = "token.actions.githubusercontent.com";
const AUDIENCE: &str = "sts.amazonaws.com";

/// The stack of the provider and the role.
pub fn stack(deployment: &Deployment, github: &Github) -> Stack {
    let mut stack = Stack::default();
    let identity = stack.add("account", Identity, (), |()| ());
    let key = OidcProvider { host: HOST.to_owned(), audience: AUDIENCE.to_owned() };
    let provider = stack.add("github", key, (), |()| OidcProviderSpec { audience: Some(AUDIENCE.to_owned()) });
    let names = Names::of(deployment);
    let key =
        IamRole { name: names.role("pipeline"), path: names.pipeline_path(), resource: "pipeline-role".to_owned() };
    let (deployment, github) = (deployment.clone(), github.clone());
    // AWS refuses a policy that trusts a provider which does not exist.
    stack.add("pipeline-role", key, (identity, provider), move |(caller, _)| {
        role(&deployment, &github, &caller.account)
    });
    stack
}

/// The ARN of the role in an account.
pub fn role_arn(deployment: &Deployment, account: &str) -> String {
    let names = Names::of(deployment);
    format!("arn:aws:iam::{account}:role{}{}", names.pipeline_path(), names.role("pipeline"))
}

/// What the role is in an account.
pub fn role(deployment: &Deployment, github: &Github, account: &str) -> IamRoleSpec {
    let policies = Place::of(deployment, account).policies(Who::Pipeline, ROLE_LIMIT);
    let named = |(index, policy)| (format!("deploy-{}", index + 1), policy);
    let about = format!("Lets workflows of {} deploy {}", github.repository, deployment.environment);
    let policies = policies.into_iter().enumerate().map(named).collect::<BTreeMap<_, _>>();
    IamRoleSpec::new(about, trust(github, account), policies)
}

/// Jobs of these environments of this repository, and nobody else.
///
/// A job that names an environment has that in its subject instead of its branch. Repositories that were made or renamed
/// since July 2026 have numbers in it, older ones have not, so both forms are there; the number of the repository alone
/// would do, but AWS refuses a policy that does not look at the subject.
fn trust(github: &Github, account: &str) -> Value {
    let Github { repository, repository_id, owner_id, environments } = github;
    let (owner, name) = repository.split_once('/').expect("the configuration checks the repository");
    let numbered = format!("{owner}@{owner_id}/{name}@{repository_id}");
    let subjects = environments
        .iter()
        .flat_map(|environment| [repository, &numbered].map(|whose| format!("repo:{whose}:environment:{environment}")));
    let subjects: Vec<_> = subjects.collect();
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": oidc_provider::arn(account, HOST) },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{HOST}:aud"): AUDIENCE,
                format!("{HOST}:repository_id"): repository_id.to_string(),
                format!("{HOST}:sub"): subjects,
            } },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_trusts_both_forms_of_the_subject_and_fits_the_limit_of_aws() {
        let github = Github {
            repository: "example/weather".to_owned(),
            repository_id: 4711,
            owner_id: 42,
            environments: vec!["staging".to_owned(), "production".to_owned()],
        };
        let trust = trust(&github, "123456789012");
        let condition = &trust["Statement"][0]["Condition"]["StringEquals"];
        assert_eq!(
            condition[format!("{HOST}:sub")],
            json!([
                "repo:example/weather:environment:staging",
                "repo:example@42/weather@4711:environment:staging",
                "repo:example/weather:environment:production",
                "repo:example@42/weather@4711:environment:production",
            ])
        );
        assert_eq!(
            (&condition[format!("{HOST}:aud")], &condition[format!("{HOST}:repository_id")]),
            (&json!(AUDIENCE), &json!("4711"))
        );
        assert!(trust.to_string().len() <= 2048);
    }
}
