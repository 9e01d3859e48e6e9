//! `provision outputs`: the addresses and identifiers of what exists.

use std::collections::BTreeMap;

use crate::context::Look;
use crate::guard::Access;
use crate::our_stack::OurStack;
use crate::resources::topic;
use crate::run::look;
use crate::stack::Outputs;
use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::exit::Exit;
use super::session::Session;

/// Addresses and identifiers; what does not exist is left out.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Known {
    /// The application.
    app: String,
    /// The environment.
    environment: String,
    /// By name.
    outputs: BTreeMap<&'static str, String>,
}

impl Document for Known {
    const NAME: &'static str = "provision.outputs/1";
}

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let ours = session.stack_to_find();
    let world = look(&ours, &session.record(), &session.aws(Access::ReadOnly), Look::Believing).await?;
    let outputs = world.outputs();
    print(session, &ours, &outputs);
    session.terminal.document(&Known {
        app: session.deployment.app.clone(),
        environment: session.deployment.environment.clone(),
        outputs: known(&ours, &outputs),
    });
    Ok(Exit::Done)
}

/// Prints for people what is known.
pub(super) fn print(session: &Session<'_>, ours: &OurStack, outputs: &Outputs) {
    for email in ours.alarms.and_then(|it| it.of(outputs)).into_iter().flat_map(|it| it.unconfirmed) {
        session.terminal.say(topic::unconfirmed(&email));
    }
    for (name, value) in known(ours, outputs) {
        session.terminal.print(format_args!("{name:<16} {value}"));
    }
}

pub(super) fn known(ours: &OurStack, outputs: &Outputs) -> BTreeMap<&'static str, String> {
    let load_balancer = ours.load_balancer.of(outputs);
    let alarms = ours.alarms.and_then(|it| it.of(outputs));
    let values = [
        ("url", load_balancer.as_ref().map(|it| format!("https://{}/", ours.name.as_ref().unwrap_or(&it.dns_name)))),
        ("load-balancer", load_balancer.map(|it| it.arn)),
        ("repository", ours.repository.of(outputs).map(|it| it.uri)),
        ("log-group", ours.log_group.of(outputs).map(|it| it.name)),
        ("secret", ours.secret.of(outputs).map(|it| it.arn)),
        ("task-definition", ours.task.of(outputs).map(|it| it.arn)),
        ("service", ours.service.of(outputs).map(|it| it.arn)),
        ("alarm-topic", alarms.as_ref().map(|it| it.arn.clone())),
        ("dashboard", ours.dashboard.and_then(|it| it.of(outputs))),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
