//! A service sends requests only to containers and ports that its task definition has.

use serde_json::json;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("ecs", "CreateService") && !call.is("ecs", "UpdateService") {
        return FINE;
    }
    let Some(task) = world.task_definitions.get(call.text("taskDefinition")) else { return FINE };
    for balancer in call.fields["loadBalancers"].as_array().into_iter().flatten() {
        let (name, port) = (&balancer["containerName"], &balancer["containerPort"]);
        let mut containers = task["containerDefinitions"].as_array().into_iter().flatten();
        let Some(container) = containers.find(|it| it["name"] == *name) else {
            let message = format!("The container {} does not exist in the task definition.", name.as_str().unwrap_or_default());
            return no("InvalidParameterException", message);
        };
        let mut ports = container["portMappings"].as_array().into_iter().flatten();
        if !ports.any(|it| json!(it["containerPort"]) == *port) {
            let name = name.as_str().unwrap_or_default();
            let message = format!("The container {name} did not have a container port {port} defined.");
            return no("InvalidParameterException", message);
        }
    }
    FINE
}
