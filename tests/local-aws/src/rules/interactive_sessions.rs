//! Commands are run in sessions or not at all.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if call.is("ecs", "ExecuteCommand") && call.fields["interactive"] != true {
        return no("InvalidParameterException", "Interactive is the only mode supported currently.");
    }
    FINE
}
