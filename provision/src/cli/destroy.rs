//! `provision destroy`: removes what deploy made, dependents first.

use anyhow::Result;
use provision::guard::Access;
use provision::plan::{Action, Goal, observe, plan};

use super::arguments::DestroyArguments;
use super::deploy::{carry_out, confirm};
use super::exit::Exit;
use super::report::{self, say};
use super::session::Session;

pub(crate) async fn run(session: &Session, arguments: &DestroyArguments) -> Result<Exit> {
    let ours = session.stack_to_find();
    let world = observe(&ours.stack, &session.aws(Access::ReadOnly)).await?;
    let plan = plan(&ours.stack, &world, Goal::Absent { delete_data: arguments.delete_data })?;
    say(&plan.to_string());
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    confirm(arguments.yes, &format!("destroy {} in {}", session.deployment.environment, session.deployment.region))?;
    let outcome = carry_out(&ours.stack, &plan, &world, &session.aws(Access::ReadWrite)).await;
    if !outcome.is_complete() {
        say(&report::unfinished(&ours.stack, &plan, &outcome));
        return Ok(Exit::Failed);
    }
    let retained: Vec<_> = plan.steps.iter().filter(|step| step.action == Action::Retain).collect();
    if !retained.is_empty() {
        let names: Vec<_> = retained.iter().map(|step| format!("{} {}", step.kind, step.name)).collect();
        say(&format!(
            "kept because they hold data: {}; the next deploy takes them up again, and --delete-data removes them",
            names.join(", ")
        ));
    }
    Ok(Exit::Done)
}
