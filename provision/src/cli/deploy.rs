//! `provision deploy`: makes everything as described, and ends with where to find it or why it failed.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Result;
use provision::aws::Aws;
use provision::execute::{Options, Outcome, execute};
use provision::guard::Access;
use provision::plan::{Goal, Plan, World, observe, plan};
use provision::stack::Stack;
use tokio::sync::{mpsc, watch};

use super::arguments::DeployArguments;
use super::exit::{Exit, Refused};
use super::outputs;
use super::report::{self, say};
use super::session::Session;

/// How many resources are worked on at the same time, far below the throttles of every service.
const AT_ONCE: usize = 12;

pub(crate) async fn run(session: &Session, arguments: &DeployArguments) -> Result<Exit> {
    let image = session.image(&arguments.image).await?;
    let ours = session.stack(image)?;
    let world = observe(&ours.stack, &session.aws(Access::ReadOnly)).await?;
    let plan = plan(&ours.stack, &world, Goal::Present)?;
    say(&plan.to_string());
    refuse_if_blocked(&plan)?;
    let outputs = if plan.is_empty() {
        world.outputs()
    } else {
        confirm(arguments.yes, &format!("deploy this to {}", session.deployment.environment))?;
        let outcome = carry_out(&ours.stack, &plan, &world, &session.aws(Access::ReadWrite)).await;
        if !outcome.is_complete() {
            say(&report::unfinished(&ours.stack, &plan, &outcome));
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
pub(super) fn confirm(yes: bool, what: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Refused(format!("will not {what} without being asked on a terminal; pass --yes")).into());
    }
    say(&format!("{what}? [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Refused("not confirmed; nothing was changed".to_owned()).into())
    }
}

pub(super) async fn carry_out(stack: &Stack, plan: &Plan, world: &World, aws: &Aws) -> Outcome {
    let (events, story) = mpsc::unbounded_channel();
    let options = Options { at_once: AT_ONCE, seed: u64::from(std::process::id()), interrupted: interruption() };
    let work = async {
        let outcome = execute(stack, plan, world, aws, &options, &events).await;
        // The story ends when its last teller is gone.
        drop(events);
        outcome
    };
    let (outcome, ()) = tokio::join!(work, report::follow(stack, story));
    outcome
}

/// The first Ctrl-C or SIGTERM lets running work finish and starts no more; the second ends at once.
fn interruption() -> watch::Receiver<bool> {
    let (interrupt, interrupted) = watch::channel(false);
    tokio::spawn(async move {
        next_signal().await;
        say("interrupted: finishing what runs, starting nothing new; once more to leave at once");
        interrupt.send_replace(true);
        next_signal().await;
        say("left at once; the next run looks at what exists and continues");
        leave();
    });
    interrupted
}

#[expect(clippy::exit, reason = "the user asked twice to leave at once")]
fn leave() -> ! {
    std::process::exit(Exit::Failed as i32)
}

async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
}
