//! `provision outputs`: the addresses and identifiers of what exists.

use std::collections::BTreeMap;

use crate::guard::Access;
use crate::our_stack::OurStack;
use crate::resources::topic;
use crate::run::look;
use crate::stack::Outputs;
use anyhow::Result;
use serde_json::json;

use super::arguments::Output;
use super::exit::Exit;
use super::session::Session;

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let ours = session.stack_to_find();
    let world = look(&ours, &session.record(), &session.aws(Access::ReadOnly)).await?;
    print(session, &ours, &world.outputs());
    Ok(Exit::Done)
}

/// Prints what is known; what does not exist is left out.
pub(super) fn print(session: &Session<'_>, ours: &OurStack, outputs: &Outputs) {
    let known = known(ours, outputs);
    for email in ours.alarms.and_then(|it| it.of(outputs)).into_iter().flat_map(|it| it.unconfirmed) {
        session.terminal.say(topic::unconfirmed(&email));
    }
    match session.output {
        Output::Text => {
            for (name, value) in &known {
                session.terminal.print(format_args!("{name:<16} {value}"));
            }
        }
        Output::Json => session.terminal.print(json!({
            "schema": "provision.outputs/1",
            "app": session.deployment.app,
            "environment": session.deployment.environment,
            "outputs": known,
        })),
    }
}

fn known(ours: &OurStack, outputs: &Outputs) -> BTreeMap<&'static str, String> {
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
