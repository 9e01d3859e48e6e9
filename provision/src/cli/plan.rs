//! `provision plan`: shows what a deploy would change.

use crate::plan::{Goal, Plan};
use anyhow::Result;
use serde_json::json;

use super::arguments::{Output, PlanArguments};
use super::exit::Exit;
use super::report;
use super::session::Session;

pub(crate) async fn run(session: &Session<'_>, arguments: &PlanArguments) -> Result<Exit> {
    session.needs_certificate()?;
    let ours = session.stack(session.image(&arguments.image)?);
    let planned = session.prepare(&ours, Goal::Present).await?;
    let plan = &planned.plan;
    match session.output {
        Output::Text => session.terminal.print(plan),
        Output::Json => session.terminal.print(document(session, plan)),
    }
    report::warn_of_unfinished(session, &planned);
    Ok(match (plan.blocked().next().is_some(), plan.is_empty()) {
        (true, _) => Exit::Refused,
        (false, false) if arguments.exit_code => Exit::Changes,
        _ => Exit::Done,
    })
}

fn document(session: &Session<'_>, plan: &Plan) -> serde_json::Value {
    json!({
        "schema": "provision.plan/1",
        "app": session.deployment.app,
        "environment": session.deployment.environment,
        "region": session.deployment.region,
        "counts": plan.counts(),
        "steps": plan.steps,
    })
}
