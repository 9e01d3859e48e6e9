//! What the caller lacks of the permissions that a deploy takes, as IAM's own simulator judges it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use config::deployment::Deployment;
use futures::{StreamExt as _, TryStreamExt as _};

use super::super::session::Session;
use super::Finding;
use super::resources::There;
use crate::aws::AwsError;
use crate::context::Context;
use crate::permissions::{Place, Purpose, Question};
use crate::retry::unhurried;

const WHAT: &str = "permissions";

/// IAM sets no limit to the list; answers of a hundred results come in one piece.
const ACTIONS: usize = 50;
/// IAM is one service for all regions and takes few calls.
const AT_ONCE: usize = 4;

/// Which actions are missing, by what they are for.
type Missing = BTreeMap<Purpose, BTreeSet<&'static str>>;

/// Whose policies are looked at.
enum Principal {
    /// A user, or a role, by its ARN.
    Named(String),
    /// Somebody whom the simulator does not know, and why.
    Unknown(&'static str),
}

pub(super) async fn look(session: &Session<'_>, context: &Context, there: &There) -> Vec<Finding> {
    let principal = match principal(context).await {
        Ok(Principal::Named(arn)) => arn,
        Ok(Principal::Unknown(why)) => return vec![Finding::note(WHAT, why)],
        Err(error) => return vec![Finding::unasked(WHAT, &error)],
    };
    match missing(session, context, &principal).await {
        Ok(missing) => findings(&principal, &missing, there.is_complete),
        Err(error) => vec![unanswered(&principal, &error)],
    }
}

/// The simulator takes users and roles; the ARN of a session does not tell the path of its role.
async fn principal(context: &Context) -> Result<Principal> {
    let caller = context.aws.caller().await?;
    let (kind, name) = caller.arn.rsplit(':').next().and_then(|end| end.split_once('/')).unwrap_or_default();
    Ok(match kind {
        "user" => Principal::Named(caller.arn),
        "assumed-role" => {
            let role = name.split('/').next().unwrap_or_default();
            let found = context.aws.iam.get_role().role_name(role).send().await.map_err(AwsError::from);
            let found = found.ok().and_then(|answer| answer.role).map(|role| role.arn);
            // Without a path this is right, too, and roles that people make by hand have none.
            Principal::Named(found.unwrap_or_else(|| format!("arn:aws:iam::{}:role/{role}", caller.account)))
        }
        _ if caller.arn.ends_with(":root") => Principal::Unknown(
            "the root user may do everything, and needs it for nothing here; sign in with a role instead",
        ),
        _ => Principal::Unknown(
            "not looked at: IAM's simulator knows users and roles, not federated sessions; whoever issued this session \
             can compare its policy with those of `provision ci-role --output json`",
        ),
    })
}

fn unanswered(principal: &str, error: &anyhow::Error) -> Finding {
    let is = |code| error.downcast_ref().is_some_and(|error: &AwsError| error.is(code));
    if is("NoSuchEntity") {
        let why = "its path is not known, because the caller may not read it (iam:GetRole)";
        return Finding::note(WHAT, format_args!("not looked at: IAM does not know {principal}; {why}"));
    }
    if error.downcast_ref().is_some_and(AwsError::is_denied) {
        return Finding::note(
            WHAT,
            "not looked at, because the caller may not ask (iam:SimulatePrincipalPolicy); an administrator can, with \
             `aws iam simulate-principal-policy`, or a deploy names what is missing when it comes to it",
        );
    }
    Finding::unasked(WHAT, error)
}

/// Asks for everything in the table of permissions.
async fn missing(session: &Session<'_>, context: &Context, principal: &str) -> Result<Missing> {
    let account = context.aws.caller().await?.account;
    let unused = unused(&session.deployment);
    let questions = Place::of(&session.deployment, &account).questions().into_iter();
    let questions = questions.flat_map(|question| {
        let parts: Vec<_> = question.actions.chunks(ACTIONS).map(<[_]>::to_vec).collect();
        parts.into_iter().map(move |actions| Question { actions, ..question.clone() })
    });
    let asked = futures::stream::iter(questions).map(async |question| {
        let allowed = unhurried(context, || allowed(context, principal, &question)).await?;
        let missing = question.actions.into_iter().filter(|action| !allowed.contains(*action));
        anyhow::Ok((question.purpose, missing.collect::<BTreeSet<_>>()))
    });
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
    let mut missing = Missing::new();
    for (purpose, actions) in answers {
        let is_meant = |action: &&str| purpose == Purpose::Remove || !unused.iter().any(|it| action.starts_with(it));
        let actions: Vec<_> = actions.into_iter().filter(is_meant).collect();
        if !actions.is_empty() {
            missing.entry(purpose).or_default().extend(actions);
        }
    }
    Ok(missing)
}

/// What the beginnings of those actions are that only options take which are switched off.
fn unused(deployment: &Deployment) -> Vec<&'static str> {
    let of_a_firewall = &["wafv2:", "elasticloadbalancing:CreateWebACL", "elasticloadbalancing:GetLoadBalancerWebACL"];
    let options: [(bool, &[_]); 4] = [
        (deployment.edge.web_acl.is_some(), of_a_firewall),
        (deployment.edge.domain.is_some(), &["route53:", "acm:RequestCertificate", "acm:AddTagsToCertificate"]),
        (deployment.network.nat_gateways > 0, &["ec2:AllocateAddress", "ec2:CreateNatGateway"]),
        (deployment.alarms.is_some(), &["sns:"]),
    ];
    options.iter().filter(|(is_on, _)| !is_on).flat_map(|(_, actions)| actions.iter().copied()).collect()
}

/// Which of the actions are allowed on any of the things: which kind each is about, only AWS knows.
async fn allowed(context: &Context, principal: &str, question: &Question) -> Result<BTreeSet<String>> {
    let entry = |(key, value): &(String, String)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_values(value);
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    };
    let things = (!question.things.is_empty()).then(|| question.things.clone());
    let request = context
        .aws
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(question.actions.iter().map(ToString::to_string).collect()))
        .set_resource_arns(things)
        .set_context_entries(Some(question.circumstances.iter().map(entry).collect()));
    let results: Vec<_> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.map_err(AwsError::from)?;
    let allowed = results.into_iter().filter(is_allowed).map(|result| result.eval_action_name);
    Ok(allowed.collect())
}

fn is_allowed(result: &EvaluationResult) -> bool {
    let decisions = result.resource_specific_results().iter().map(|it| &it.eval_resource_decision);
    decisions.chain([&result.eval_decision]).any(|it| *it == PolicyEvaluationDecisionType::Allowed)
}

fn findings(principal: &str, missing: &Missing, is_complete: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (purpose, actions) in missing {
        let (why, is_bad) = match purpose {
            Purpose::Ship => ("deploy anything", true),
            Purpose::Make if is_complete => ("make what is not there, which is nothing now", false),
            Purpose::Make => ("make what is not there yet", true),
            Purpose::Remove => ("remove anything (`provision destroy`, or what a deploy no longer describes)", false),
            Purpose::Look => ("let doctor see everything", false),
        };
        let text = format!("{principal} lacks {} to {why}: {}", count(actions), listed(actions));
        let finding = if is_bad {
            Finding::bad(WHAT, format_args!("{text}; give them to it (--output json lists all)"))
        } else {
            Finding::note(WHAT, text)
        };
        findings.push(Finding { missing: actions.iter().copied().collect(), ..finding });
    }
    if findings.is_empty() {
        findings.push(Finding::good(WHAT, format_args!("{principal} may do all that deploy and destroy take")));
    }
    findings
}

fn count(actions: &BTreeSet<&str>) -> String {
    match actions.len() {
        1 => "1 permission".to_owned(),
        count => format!("{count} permissions"),
    }
}

/// How many actions of one service are named.
const ACTIONS_NAMED: usize = 3;
/// How many services are.
const SERVICES_NAMED: usize = 6;

/// Actions by service: the first few of the first few.
fn listed(actions: &BTreeSet<&str>) -> String {
    let mut services: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (service, action) in actions.iter().filter_map(|action| action.split_once(':')) {
        services.entry(service).or_default().push(action);
    }
    let mut rest = 0;
    let mut parts = Vec::new();
    for (index, (service, actions)) in services.iter().enumerate() {
        if index >= SERVICES_NAMED {
            rest += actions.len();
            continue;
        }
        let (named, more) = actions.split_at(actions.len().min(ACTIONS_NAMED));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        parts.push(format!("{service}: {}{more}", named.join(", ")));
    }
    if rest > 0 {
        parts.push(format!("and {rest} of other services"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_service_by_service() {
        let actions = BTreeSet::from(["ec2:A", "ec2:B", "ec2:C", "ec2:D", "ec2:E", "iam:PassRole"]);
        assert_eq!(listed(&actions), "ec2: A, B, C and 2 more; iam: PassRole");
        let actions = BTreeSet::from(["a:A", "b:B", "c:C", "d:D", "e:E", "f:F", "g:G", "h:H", "h:I"]);
        assert_eq!(listed(&actions), "a: A; b: B; c: C; d: D; e: E; f: F; and 3 of other services");
    }
}
