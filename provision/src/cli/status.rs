//! `provision status`: the service as AWS sees it now.

use crate::context::Context;
use crate::context::Look;
use crate::guard::Access;
use crate::names::Names;
use crate::resources::target_group;
use crate::rollout;
use crate::run::look;
use std::collections::BTreeMap;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::exit::Exit;
use super::session::Session;

/// The service now.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Status {
    /// Nothing before the first deploy.
    service: Option<rollout::Status>,
    /// By target group, what the load balancer thinks of each target.
    targets: BTreeMap<String, Vec<target_group::TargetState>>,
}

impl Document for Status {
    const NAME: &'static str = "provision.status/1";
}

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let ours = session.stack_to_find();
    let context = Context::silent(session.aws(Access::ReadOnly));
    let outputs = look(&ours, &session.record(), &context.aws, Look::Believing).await?.outputs();
    let names = Names::of(&session.deployment);
    let service = rollout::status(&context, &names.cluster(), &names.service()).await?;
    let mut targets = BTreeMap::new();
    if service.is_some() {
        for group in ours.targets.iter().filter_map(|group| group.of(&outputs)) {
            targets.insert(group.name.clone(), target_group::health(&context, &group.arn).await?);
        }
    }
    match &service {
        Some(service) => session.terminal.print(service),
        None => session.terminal.say("no service yet; run `provision deploy`"),
    }
    for (group, states) in &targets {
        session.terminal.print(format_args!("targets of {group}:"));
        for state in states {
            session.terminal.print(format_args!("  {state}"));
            if let Some(advice) = state.advice().filter(|_| state.is_unwell()) {
                session.terminal.print(format_args!("    that means: {advice}"));
            }
        }
    }
    session.terminal.document(&Status { service, targets });
    Ok(Exit::Done)
}
