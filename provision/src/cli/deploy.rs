//! `provision deploy`: makes everything as described, and ends with where to find it or why it failed.

use crate::execute::{Options, Outcome};
use crate::guard::Access;
use crate::our_stack::OurStack;
use crate::plan::{Goal, Plan};
use crate::record::Run;
use crate::run::{self, Planned, Work};
use anyhow::Result;
use tokio::sync::mpsc;

use super::arguments::DeployArguments;
use super::exit::{Exit, Refused};
use super::outputs;
use super::report;
use super::session::Session;

/// How many resources are worked on at the same time, far below the throttles of every service.
pub(super) const AT_ONCE: usize = 12;

pub(crate) async fn run(session: &Session<'_>, arguments: &DeployArguments) -> Result<Exit> {
    session.needs_certificate()?;
    let image = session.image(&arguments.image)?;
    let image_name = image.to_string();
    let ours = session.stack(image);
    let planned = session.prepare(&ours, Goal::Present).await?;
    let plan = &planned.plan;
    session.terminal.say(plan);
    report::warn_of_unfinished(session, &planned);
    refuse_if_blocked(plan)?;
    let outputs = if planned.is_done() {
        planned.world.outputs()
    } else {
        confirm(session, arguments.yes, &format!("deploy this to {}", session.deployment.environment))?;
        let outcome = carry_out(session, "deploy", &ours, &planned, Some(image_name)).await?;
        if !outcome.is_complete() {
            session.terminal.say(report::unfinished(&ours.stack, plan, &outcome));
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

/// Carries a plan out under the lock, and tells what happens.
pub(super) async fn carry_out(
    session: &Session<'_>,
    verb: &str,
    ours: &OurStack,
    planned: &Planned,
    image: Option<String>,
) -> Result<Outcome> {
    let (events, story) = mpsc::unbounded_channel();
    let interrupted = session.interrupted.clone();
    let options = Options { at_once: AT_ONCE, seed: u64::from(std::process::id()), interrupted };
    let aws = session.aws(Access::ReadWrite);
    let record = session.record();
    let work = Work { ours, planned, run: Run::begin(verb, session.who()), image };
    let work = Box::pin(report::alone(session, aws.clone(), async |tell| {
        let outcome = run::carry_out(work, &record, &aws, &options, &events, &tell).await;
        // The story ends when its last teller is gone.
        drop(events);
        outcome
    }));
    let told = async { tokio::join!(work, report::follow(session.terminal, &ours.stack, story)).0 };
    tokio::select! {
        outcome = told => outcome,
        never = report::interruption(session) => match never {},
    }
}
