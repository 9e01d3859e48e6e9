//! A service with tasks goes only by force.

use serde_json::json;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let name = call.text("service").rsplit('/').next().unwrap_or_default();
    let forced = call.fields["force"] == json!(true);
    let desired = world.services.get(name, world.now).map_or(0, |it| it.desired());
    if call.is("ecs", "DeleteService") && !forced && desired > 0 {
        return no("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.");
    }
    FINE
}
