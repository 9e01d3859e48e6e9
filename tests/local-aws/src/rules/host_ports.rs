//! A task with an interface of its own has no other ports on its host.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") || call.text("networkMode") != "awsvpc" {
        return FINE;
    }
    let containers = call.fields["containerDefinitions"].as_array()?.iter();
    let mut ports = containers.flat_map(|it| it["portMappings"].as_array().into_iter().flatten());
    if ports.any(|it| !it["hostPort"].is_null() && it["hostPort"] != it["containerPort"]) {
        return no(
            "ClientException",
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        );
    }
    FINE
}
