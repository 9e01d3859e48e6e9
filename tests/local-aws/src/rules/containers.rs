//! Containers of a task: names and ports once, one essential, volumes that exist, a time to stop of two minutes.

use std::collections::BTreeSet;

use serde_json::json;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

fn twice(texts: &[String]) -> bool {
    texts.iter().collect::<BTreeSet<_>>().len() < texts.len()
}

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") {
        return FINE;
    }
    let refused = |message: String| no("ClientException", message);
    let family = call.text("family");
    if family.is_empty() || !family.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_') {
        return refused("Family contains invalid characters.".to_owned());
    }
    let containers: Vec<_> = call.fields["containerDefinitions"].as_array().into_iter().flatten().collect();
    let names: Vec<_> = containers.iter().map(|it| it["name"].to_string()).collect();
    if twice(&names) {
        return refused("Container names must be unique within a task definition.".to_owned());
    }
    if !containers.is_empty() && containers.iter().all(|it| it["essential"] == json!(false)) {
        return refused("A task definition must have at least one essential container.".to_owned());
    }
    let list = |field: &'static str| containers.iter().flat_map(move |it| it[field].as_array().into_iter().flatten());
    let ports: Vec<_> = list("portMappings").map(|it| it["containerPort"].to_string()).collect();
    if call.text("networkMode") == "awsvpc" && twice(&ports) {
        return refused("When networkMode=awsvpc, each container port can be used once in a task definition.".to_owned());
    }
    let volumes: Vec<_> = call.fields["volumes"].as_array().into_iter().flatten().map(|it| &it["name"]).collect();
    if let Some(unknown) = list("mountPoints").find(|it| !volumes.contains(&&it["sourceVolume"])) {
        return refused(format!("Unknown volume {}.", unknown["sourceVolume"]));
    }
    if containers.iter().any(|it| it["stopTimeout"].as_u64().is_some_and(|seconds| seconds > 120)) {
        return refused("stopTimeout must be at most 120 seconds on Fargate.".to_owned());
    }
    FINE
}
