//! Names of dashboards: letters, digits, - and _

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let name = call.text("DashboardName");
    let allowed = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    if call.is("monitoring", "PutDashboard") && (name.is_empty() || !name.chars().all(allowed)) {
        let message = format!("The value {name} for field DashboardName contains invalid characters.");
        return no("InvalidParameterInput", message);
    }
    FINE
}
