//! `provision status`: the service as AWS sees it now.

use crate::context::Context;
use crate::guard::Access;
use crate::names::Names;
use crate::resources::target_group;
use crate::rollout;
use crate::run::look;
use anyhow::Result;
use serde_json::json;

use super::arguments::Output;
use super::exit::Exit;
use super::session::Session;

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let ours = session.stack_to_find();
    let context = Context::silent(session.aws(Access::ReadOnly));
    let outputs = look(&ours, &session.record(), &context.aws).await?.outputs();
    let names = Names::of(&session.deployment);
    let Some(service) = rollout::status(&context, &names.cluster(), &names.service()).await? else {
        session.terminal.say("no service yet; run `provision deploy`");
        return Ok(Exit::Done);
    };
    let mut targets = Vec::new();
    for group in ours.targets.iter().filter_map(|group| group.of(&outputs)) {
        targets.push((group.name.clone(), target_group::health(&context, &group.arn).await?));
    }
    match session.output {
        Output::Json => {
            let document = json!({ "schema": "provision.status/1", "service": service, "targets": targets });
            session.terminal.print(document);
        }
        Output::Text => {
            session.terminal.print(&service);
            for (group, states) in &targets {
                session.terminal.print(format_args!("targets of {group}:"));
                for state in states {
                    session.terminal.print(format_args!("  {state}"));
                }
            }
        }
    }
    Ok(Exit::Done)
}
