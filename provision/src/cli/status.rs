//! `provision status`: the service as AWS sees it now.

use anyhow::Result;
use provision::context::Context;
use provision::guard::Access;
use provision::names::Names;
use provision::plan::observe;
use provision::resources::target_group;
use provision::rollout;
use serde_json::json;

use super::arguments::Output;
use super::exit::Exit;
use super::session::Session;

pub(crate) async fn run(session: &Session) -> Result<Exit> {
    let ours = session.stack_to_find();
    let context = Context::silent(session.aws(Access::ReadOnly));
    let outputs = observe(&ours.stack, &context.aws).await?.outputs();
    let names = Names::of(&session.deployment);
    let Some(service) = rollout::status(&context, &names.cluster(), &names.service()).await? else {
        println!("no service yet; run `provision deploy`");
        return Ok(Exit::Done);
    };
    let mut targets = Vec::new();
    for group in ours.targets.iter().filter_map(|group| group.of(&outputs)) {
        targets.push((group.name.clone(), target_group::health(&context, &group.arn).await?));
    }
    match session.output {
        Output::Json => {
            println!("{}", json!({ "schema": "provision.status/1", "service": service, "targets": targets }));
        }
        Output::Text => {
            println!("{service}");
            for (group, states) in &targets {
                println!("targets of {group}:");
                for state in states {
                    println!("  {state}");
                }
            }
        }
    }
    Ok(Exit::Done)
}
