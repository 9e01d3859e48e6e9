//! `provision plan`: shows what a deploy would change.

use anyhow::Result;
use provision::guard::Access;
use provision::plan::{Goal, Plan, observe, plan};
use serde_json::json;

use super::arguments::{Output, PlanArguments};
use super::exit::Exit;
use super::session::Session;

pub(crate) async fn run(session: &Session, arguments: &PlanArguments) -> Result<Exit> {
    let image = session.image(&arguments.image).await?;
    let ours = session.stack(image)?;
    let aws = session.aws(Access::ReadOnly);
    let world = observe(&ours.stack, &aws).await?;
    let plan = plan(&ours.stack, &world, Goal::Present)?;
    match session.output {
        Output::Text => println!("{plan}"),
        Output::Json => println!("{}", document(session, &plan)),
    }
    Ok(match (plan.blocked().next().is_some(), plan.is_empty()) {
        (true, _) => Exit::Refused,
        (false, false) if arguments.exit_code => Exit::Changes,
        _ => Exit::Done,
    })
}

fn document(session: &Session, plan: &Plan) -> serde_json::Value {
    json!({
        "schema": "provision.plan/1",
        "app": session.deployment.app,
        "environment": session.deployment.environment,
        "region": session.deployment.region,
        "counts": plan.counts(),
        "steps": plan.steps,
    })
}
