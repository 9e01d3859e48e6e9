//! `provision deploy`: makes everything as described, and ends with where to find it or why it failed.

use crate::context::Look;
use crate::execute::{Options, Outcome};
use crate::guard::Access;
use crate::our_stack::OurStack;
use crate::plan::{Goal, Plan};
use crate::record::Run;
use crate::run::{self, Planned, Work};
use anyhow::Result;
use tokio::sync::mpsc;

use super::arguments::DeployArguments;
use super::consent::confirm;
use super::exit::{Exit, Refused};
use super::front_door;
use super::outputs;
use super::plan::announce;
use super::report;
use super::session::Session;
use super::summary::{Summary, Told};

/// How many resources are worked on at the same time, far below the throttles of every service.
pub(super) const AT_ONCE: usize = 12;

pub(crate) async fn run(session: &Session<'_>, arguments: &DeployArguments) -> Result<Exit> {
    session.needs_certificate()?;
    let image = session.image(&arguments.image)?;
    let image_name = image.to_string();
    let ours = session.stack(image);
    let planned = session.prepare(&ours, Goal::Present, Look::Afresh).await?;
    let plan = &planned.plan;
    let cost = announce(session, &ours, &planned).cost;
    refuse_if_blocked(plan)?;
    let outcome = if planned.is_done() {
        None
    } else {
        confirm(session, arguments.yes, &format!("deploy this to {}", session.deployment.environment))?;
        Some(carry_out(session, "deploy", &ours, &planned, Some(image_name)).await?)
    };
    let known = outcome.as_ref().map_or_else(|| planned.world.outputs(), |outcome| outcome.outputs.clone());
    let told = Told {
        verb: "deploy",
        stack: &ours.stack,
        plan,
        outcome: outcome.as_ref(),
        cost,
        outputs: outputs::known(&ours, &known),
    };
    let mut summary = Summary::of(session, told);
    if summary.is_complete()
        && !arguments.no_request
        && let Some(asked) = front_door::ask(session, &ours, &known).await?
    {
        summary.asked(asked);
    }
    let done = report::conclude(session, &summary);
    if done == Exit::Done {
        outputs::print(session, &ours, &known);
    }
    Ok(done)
}

fn refuse_if_blocked(plan: &Plan) -> Result<()> {
    let blocked: Vec<_> = plan.blocked().map(|step| format!("{} {}", step.kind, step.name)).collect();
    if blocked.is_empty() {
        return Ok(());
    }
    let hints = plan.blocked().filter_map(|step| Some(format!("\n{}: {}", step.name, step.when_blocked?)));
    Err(Refused(format!(
        "AWS cannot change {} in place, and replacing would lose what depends on it, so nothing was changed; \
         undo that part of the configuration, or what somebody changed by hand, or destroy and deploy again{}",
        blocked.join(", "),
        hints.collect::<String>()
    ))
    .into())
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
    let aws = session.aws(Access::ReadWrite);
    let record = session.record();
    let work = Work { ours, planned, run: Run::begin(verb, &session.who()), image };
    report::interruptibly(session, async |interrupted| {
        let options = Options { at_once: AT_ONCE, seed: session.seed, interrupted };
        let work = Box::pin(report::alone(session, aws.clone(), async |tell| {
            let outcome = run::carry_out(work, &record, &aws, &options, &events, &tell).await;
            // The story ends when its last teller is gone.
            drop(events);
            outcome
        }));
        tokio::join!(work, report::follow(session.terminal, &ours.stack, planned.plan.steps.len(), story)).0
    })
    .await
}
