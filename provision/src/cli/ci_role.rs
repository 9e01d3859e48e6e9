//! `provision ci-role`: the role with which a repository's workflows deploy; shown, made, or removed.

use std::collections::BTreeMap;

use anyhow::Result;
use config::deployment::Github;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::arguments::CiRoleArguments;
use super::consent::confirm;
use super::deploy::AT_ONCE;
use super::document::Document;
use super::exit::{BadInput, Exit};
use super::report;
use super::session::Session;
use super::summary::{Summary, Told};
use crate::context::Context;
use crate::execute::{Options, execute};
use crate::guard::Access;
use crate::our_stack::pipeline;
use crate::permissions::{POLICY_LIMIT, Place, Who};
use crate::plan::{Goal, observe, plan};

/// The role with which a repository's workflows deploy.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Role {
    /// Its ARN.
    role: String,
    /// Whether it exists just so.
    as_described: bool,
    /// Who may take it.
    trust: Value,
    /// What it may do, by the policies' names.
    policies: BTreeMap<String, Value>,
    /// What whoever makes and removes environments must be allowed.
    operator_policies: Vec<Value>,
    /// What to write into the workflow.
    workflow: String,
}

impl Document for Role {
    const NAME: &'static str = "provision.ci-role/1";
}

pub(crate) async fn run(session: &Session<'_>, arguments: &CiRoleArguments) -> Result<Exit> {
    let Some(github) = &session.deployment.github else { return Err(no_repository(session).into()) };
    session.check_account().await?;
    if arguments.apply || arguments.remove {
        let goal = if arguments.remove { Goal::Absent { delete_data: false } } else { Goal::Present };
        let done = carry_out(session, github, goal, arguments.yes).await?;
        if done != Exit::Done || arguments.remove {
            return Ok(done);
        }
    }
    show(session, github).await
}

/// Says what to write where; the numbers are GitHub's.
fn no_repository(session: &Session<'_>) -> BadInput {
    let environment = &session.deployment.environment;
    BadInput(format!(
        "environment {environment} has no [github] section, so no repository may deploy it; add to its file:\n\
         [github]\n\
         repository = \"OWNER/NAME\"\n\
         repository_id = 0  # gh api repos/OWNER/NAME --jq .id\n\
         owner_id = 0       # gh api repos/OWNER/NAME --jq .owner.id\n\
         environments = [\"{environment}\"]"
    ))
}

/// No lock is taken: the role is no part of the environment, and both parts of it can be written twice.
async fn carry_out(session: &Session<'_>, github: &Github, goal: Goal, yes: bool) -> Result<Exit> {
    let stack = pipeline::stack(&session.deployment, github);
    let world = observe(&stack, &Context::silent(session.aws(Access::ReadOnly))).await?;
    let plan = plan(&stack, &world, goal)?;
    session.terminal.say(&plan);
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    let what = if goal == Goal::Present { "let workflows of" } else { "no longer let workflows of" };
    let (repository, environment) = (&github.repository, &session.deployment.environment);
    confirm(session, yes, &format!("{what} {repository} deploy {environment}"))?;
    let (events, story) = mpsc::unbounded_channel();
    let aws = session.aws(Access::ReadWrite);
    let outcome = report::interruptibly(session, async |interrupted| {
        let options = Options { at_once: AT_ONCE, seed: session.seed, interrupted };
        let work = async {
            let outcome = execute(&stack, &plan, &world, &aws, &options, &events).await;
            // The story ends when its last teller is gone.
            drop(events);
            outcome
        };
        tokio::join!(Box::pin(work), report::follow(session.terminal, &stack, plan.steps.len(), story)).0
    })
    .await;
    if outcome.is_complete() && goal == Goal::Present {
        return Ok(Exit::Done);
    }
    let told = Told {
        verb: "ci-role",
        stack: &stack,
        plan: &plan,
        outcome: Some(&outcome),
        cost: None,
        outputs: BTreeMap::new(),
    };
    Ok(report::conclude(session, &Summary::of(session, told)))
}

async fn show(session: &Session<'_>, github: &Github) -> Result<Exit> {
    let stack = pipeline::stack(&session.deployment, github);
    let aws = session.aws(Access::ReadOnly);
    let plan = plan(&stack, &observe(&stack, &Context::silent(aws.clone())).await?, Goal::Present)?;
    let account = aws.caller().await?.account;
    let arn = pipeline::role_arn(&session.deployment, &account);
    let role = pipeline::role(&session.deployment, github, &account);
    let operator = Place::of(&session.deployment, &account).policies(Who::Operator, POLICY_LIMIT);
    let role = Role {
        as_described: plan.is_empty(),
        trust: role.trust,
        policies: role.policies,
        operator_policies: operator,
        workflow: workflow(session, github, &arn),
        role: arn,
    };
    let print = |title: &str, document: &Value| session.terminal.print(format_args!("\n{title}\n{document:#}"));
    session.terminal.print(format_args!("role {}", role.role));
    print("who may take it (trust policy)", &role.trust);
    for (name, policy) in &role.policies {
        print(&format!("what it may do (policy {name})"), policy);
    }
    session.terminal.print(format_args!("\nin the workflow\n{}", role.workflow));
    session.terminal.document(&role);
    if plan.is_empty() {
        session.terminal.say("the role exists as described");
    } else {
        session.terminal.say(format_args!("{plan}\n`provision ci-role --apply` does that; it takes an administrator"));
    }
    session.terminal.say(
        "a pipeline ships images and changes in place what exists; the first deploy, a change that makes or removes \
         something or writes a role, and destroy are an operator's (their policies: --output json, operator_policies)",
    );
    Ok(Exit::Done)
}

/// GitHub's side.
fn workflow(session: &Session<'_>, github: &Github, arn: &str) -> String {
    let environments = github.environments.join(" or ");
    format!(
        "permissions:\n\
         \x20 contents: read\n\
         \x20 id-token: write  # without it GitHub gives the job no token\n\
         jobs:\n\
         \x20 deploy:\n\
         \x20   runs-on: ubuntu-latest\n\
         \x20   environment: {}  # must be {environments}, or AWS does not know the job\n\
         \x20   steps:\n\
         \x20     - uses: aws-actions/configure-aws-credentials@v4\n\
         \x20       with:\n\
         \x20         role-to-assume: {arn}\n\
         \x20         aws-region: {}",
        github.environments.first().map_or("production", String::as_str),
        session.deployment.region,
    )
}
