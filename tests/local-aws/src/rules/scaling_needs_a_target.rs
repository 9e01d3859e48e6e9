//! A scaling policy belongs to a registered target.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let resource = call.text("ResourceId");
    if call.is("application-autoscaling", "PutScalingPolicy") && !world.scalable_targets.contains(resource) {
        let message = format!(
            "No scalable target registered for service namespace: {}, resource ID: {resource}, scalable dimension: {}",
            call.text("ServiceNamespace"),
            call.text("ScalableDimension")
        );
        return no("ObjectNotFoundException", message);
    }
    FINE
}
