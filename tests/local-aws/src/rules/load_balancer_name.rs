//! Names of load balancers and target groups: at most 32 letters, digits and hyphens.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let what = match call.operation.as_str() {
        "CreateLoadBalancer" => "load balancer",
        "CreateTargetGroup" => "target group",
        _ => return FINE,
    };
    let name = call.text("Name");
    if name.len() > 32 {
        return no("ValidationError", format!("The {what} name '{name}' cannot be longer than '32' characters"));
    }
    if !name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-') {
        let message = format!("The {what} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)");
        return no("ValidationError", message);
    }
    if name.starts_with('-') || name.ends_with('-') {
        return no("ValidationError", format!("The {what} name '{name}' cannot begin or end with a hyphen(-)"));
    }
    if what == "load balancer" && name.starts_with("internal-") {
        return no("ValidationError", format!("The {what} name '{name}' cannot begin with 'internal-'"));
    }
    FINE
}
