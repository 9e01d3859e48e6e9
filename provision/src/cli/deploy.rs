//! `provision deploy`: makes everything as described, and ends with where to find it or why it failed.

use crate::execute::{Options, Outcome, execute};
use crate::guard::Access;
use crate::plan::{Goal, Plan, World, observe, plan};
use crate::stack::Stack;
use anyhow::Result;
use tokio::sync::mpsc;

use super::arguments::DeployArguments;
use super::exit::{Exit, Refused};
use super::outputs;
use super::report;
use super::session::Session;

/// How many resources are worked on at the same time, far below the throttles of every service.
const AT_ONCE: usize = 12;

pub(crate) async fn run(session: &Session<'_>, arguments: &DeployArguments) -> Result<Exit> {
    session.needs_certificate()?;
    session.check_account().await?;
    let ours = session.stack(session.image(&arguments.image).await?);
    let world = observe(&ours.stack, &session.aws(Access::ReadOnly)).await?;
    let plan = plan(&ours.stack, &world, Goal::Present)?;
    session.terminal.say(&plan);
    refuse_if_blocked(&plan)?;
    let outputs = if plan.is_empty() {
        world.outputs()
    } else {
        confirm(session, arguments.yes, &format!("deploy this to {}", session.deployment.environment))?;
        let outcome = carry_out(session, &ours.stack, &plan, &world).await;
        if !outcome.is_complete() {
            session.terminal.say(report::unfinished(&ours.stack, &plan, &outcome));
            return Ok(Exit::Failed);
        }
        outcome.outputs
    };
    outputs::print(session, &ours, &outputs);
    Ok(Exit::Done)
}

fn refuse_if_blocked(plan: &Plan) -> Result<()> {
    let blocked: Vec<_> = plan.blocked().map(|step| format!("{} {}", step.kind, step.name)).collect();
    if blocked.is_empty() {
        return Ok(());
    }
    Err(Refused(format!(
        "AWS cannot change {} in place, and replacing would lose what depends on it; nothing was changed. \
         Undo that part of the configuration, or destroy and deploy again",
        blocked.join(", ")
    ))
    .into())
}

/// Asks once; without a terminal nobody can answer, so the answer must be in the arguments.
pub(super) fn confirm(session: &Session<'_>, yes: bool, what: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    match session.terminal.ask(format_args!("{what}? [y/N]")) {
        Some(answer) if matches!(answer.as_str(), "y" | "Y" | "yes") => Ok(()),
        Some(_) => Err(Refused("not confirmed; nothing was changed".to_owned()).into()),
        None => Err(Refused(format!("will not {what} without being asked on a terminal; pass --yes")).into()),
    }
}

pub(super) async fn carry_out(session: &Session<'_>, stack: &Stack, plan: &Plan, world: &World) -> Outcome {
    let (events, story) = mpsc::unbounded_channel();
    let interrupted = session.interrupted.clone();
    let options = Options { at_once: AT_ONCE, seed: u64::from(std::process::id()), interrupted };
    let aws = session.aws(Access::ReadWrite);
    let work = async {
        let outcome = execute(stack, plan, world, &aws, &options, &events).await;
        // The story ends when its last teller is gone.
        drop(events);
        outcome
    };
    let told = async { tokio::join!(work, report::follow(session.terminal, stack, story)).0 };
    tokio::select! {
        outcome = told => outcome,
        never = report::interruption(session) => match never {},
    }
}
