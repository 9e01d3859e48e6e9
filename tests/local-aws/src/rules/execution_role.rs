//! Fargate pulls images, reads secrets and writes logs with the execution role.

use serde_json::{Value, json};

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("ecs", "RegisterTaskDefinition") || !super::is_fargate(call) || !call.text("executionRoleArn").is_empty() {
        return FINE;
    }
    let containers = call.fields["containerDefinitions"].as_array()?;
    let any = |needs: fn(&Value) -> bool| containers.iter().any(needs);
    let what = if any(|it| it["logConfiguration"]["logDriver"] == json!("awslogs")) {
        "log driver awslogs"
    } else if any(|it| it["secrets"].as_array().is_some_and(|list| !list.is_empty())) {
        "secrets"
    } else if any(|it| it["image"].as_str().is_some_and(|image| image.contains(".dkr.ecr."))) {
        "ECR images"
    } else {
        return FINE;
    };
    no("ClientException", format!("Fargate requires task definition to have execution role ARN to support {what}."))
}
