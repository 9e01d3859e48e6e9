//! A topic can be created again as long as its tags are the same.

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{World, query_tags};

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    let tags = query_tags(call);
    let there = world.topics.get(call.text("Name"));
    if call.is("sns", "CreateTopic") && there.is_some_and(|there| *there != tags) {
        return no("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags");
    }
    FINE
}
