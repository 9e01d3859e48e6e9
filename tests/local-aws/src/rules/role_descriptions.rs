//! Descriptions of roles: printable Latin-1, and nothing beyond.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::World;

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    let sets = call.is("iam", "CreateRole") || call.is("iam", "UpdateRole");
    let allowed = |it: char| matches!(it, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if sets && !call.text("Description").chars().all(allowed) {
        return no(
            "ValidationError",
            "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
        );
    }
    FINE
}
