//! `provision history` and `rollback`: what ran before, and going back to it.

use anyhow::Result;
use serde_json::json;

use super::arguments::{Output, RollbackArguments};
use super::deploy::confirm;
use super::exit::{BadInput, Exit};
use super::report;
use super::session::Session;
use crate::context::Context;
use crate::guard::Access;
use crate::names::Names;
use crate::resources::ecs_service;
use crate::resources::task_definition::{self, Revision};

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let context = Context::silent(session.aws(Access::ReadOnly));
    let (revisions, running) = read(session, &context).await?;
    match session.output {
        Output::Text => {
            for revision in &revisions {
                let mark = if running == Some(revision.number) { "runs" } else { "" };
                session.terminal.print(format_args!(
                    "{:>5}  {:<20}  {}  {mark}",
                    revision.number, revision.registered, revision.image
                ));
            }
            if revisions.is_empty() {
                session.terminal.say("nothing was deployed yet; run `provision deploy`");
            }
        }
        Output::Json => session.terminal.print(json!({
            "schema": "provision.history/1",
            "running": running,
            "revisions": revisions,
        })),
    }
    Ok(Exit::Done)
}

async fn read(session: &Session<'_>, context: &Context) -> Result<(Vec<Revision>, Option<i32>)> {
    let names = Names::of(&session.deployment);
    let revisions = task_definition::revisions(context, &session.deployment.task.family).await?;
    let service = ecs_service::find(context, &names.cluster(), &names.service()).await?;
    let running = service.and_then(|service| service.task_definition);
    let running = revisions.iter().find(|revision| Some(&revision.arn) == running.as_ref());
    Ok((revisions.clone(), running.map(|revision| revision.number)))
}

pub(crate) async fn rollback(session: &Session<'_>, arguments: &RollbackArguments) -> Result<Exit> {
    session.check_account().await?;
    let names = Names::of(&session.deployment);
    let (revisions, running) = read(session, &Context::silent(session.aws(Access::ReadOnly))).await?;
    let Some(running) = running else {
        return Err(BadInput(
            "no service runs, so there is nothing to go back from; run `provision deploy`".to_owned(),
        )
        .into());
    };
    let target = match arguments.to {
        Some(number) => revisions.iter().find(|revision| revision.number == number),
        None => revisions.iter().find(|revision| revision.number < running),
    };
    let Some(target) = target else {
        let known: Vec<_> = revisions.iter().map(|revision| revision.number.to_string()).collect();
        let what = arguments.to.map_or_else(
            || format!("there is nothing before revision {running}"),
            |to| format!("there is no revision {to}"),
        );
        return Err(BadInput(format!("{what}; `provision history` lists {}", known.join(", "))).into());
    };
    if target.number == running {
        session.terminal.say(format_args!("revision {running} runs already"));
        return Ok(Exit::Done);
    }
    confirm(
        session,
        arguments.yes,
        &format!("go back from revision {running} to {} ({})", target.number, target.image),
    )?;
    let aws = session.aws(Access::ReadWrite);
    report::alone(session, aws, async |context| {
        ecs_service::switch(&context, &names.cluster(), &names.service(), &target.arn).await
    })
    .await?;
    session.terminal.say(format_args!(
        "revision {} runs; the next deploy brings the newest again, so mend it first",
        target.number
    ));
    Ok(Exit::Done)
}
