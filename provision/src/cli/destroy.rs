//! `provision destroy`: removes what deploy made, dependents first.

use crate::plan::{Action, Goal};
use anyhow::Result;

use super::arguments::DestroyArguments;
use super::deploy::{carry_out, confirm};
use super::exit::Exit;
use super::report;
use super::session::Session;

pub(crate) async fn run(session: &Session<'_>, arguments: &DestroyArguments) -> Result<Exit> {
    let ours = session.stack_to_find();
    let goal = Goal::Absent { delete_data: arguments.delete_data };
    let planned = session.prepare(&ours, goal).await?;
    let plan = &planned.plan;
    session.terminal.say(plan);
    report::warn_of_unfinished(session, &planned);
    if planned.is_done() {
        return Ok(Exit::Done);
    }
    confirm(
        session,
        arguments.yes,
        &format!("destroy {} in {}", session.deployment.environment, session.deployment.region),
    )?;
    let outcome = carry_out(session, "destroy", &ours, &planned, None).await?;
    if !outcome.is_complete() {
        session.terminal.say(report::unfinished(&ours.stack, plan, &outcome));
        return Ok(Exit::Failed);
    }
    if session.deployment.github.is_some() {
        session.terminal.say("if the pipeline has a role, it stays; `provision ci-role --remove` removes it");
    }
    let retained: Vec<_> = plan.steps.iter().filter(|step| step.action == Action::Retain).collect();
    if !retained.is_empty() {
        let names: Vec<_> = retained.iter().map(|step| format!("{} {}", step.kind, step.name)).collect();
        session.terminal.say(format_args!(
            "kept because they hold data: {}; the next deploy takes them up again, and --delete-data removes them",
            names.join(", ")
        ));
    }
    Ok(Exit::Done)
}
