//! What exists already: read as a plan reads it, which shows what cannot be read and what is not ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Finding;
use crate::context::{Context, Look};
use crate::our_stack::OurStack;
use crate::plan::survey;
use crate::resource::Resource as _;
use crate::resources::image::{Image, NothingRuns};

const WHAT: &str = "resources";

/// What a deploy finds.
pub(super) struct There {
    pub(super) findings: Vec<Finding>,
    /// How many of each kind are still to be made, images aside.
    pub(super) to_make: BTreeMap<&'static str, usize>,
    /// Whether everything is there.
    pub(super) is_complete: bool,
}

pub(super) async fn look(ours: &OurStack, context: &Context) -> There {
    let stack = &ours.stack;
    // Nothing that earlier runs knew is believed here.
    let context = Context::looking(context.aws.clone(), async { Arc::default() }, Look::Afresh);
    let (world, mut failures) = Box::pin(survey(stack, &context)).await;
    // The image has a line of its own.
    failures.retain(|_, error| !error.is::<NothingRuns>());
    let is_ours = |id: &_| !stack.node(*id).traits().lookup && stack.kind(*id) != Image::KIND;
    let described: Vec<_> = stack.described().filter(is_ours).collect();
    let mut to_make = BTreeMap::new();
    for id in described.iter().filter(|id| !world.has(**id) && !failures.contains_key(id)) {
        *to_make.entry(stack.kind(*id)).or_default() += 1;
    }
    let is_complete = to_make.is_empty() && failures.is_empty();
    // What one missing permission hides has one line.
    let mut together: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, error) in &failures {
        together.entry(format!("{error:#}")).or_default().push(format!("{} {}", stack.kind(*id), stack.name(*id)));
    }
    let bad = |(error, names): (String, Vec<String>)| Finding::bad(WHAT, format_args!("{}: {error}", names.join(", ")));
    let mut findings: Vec<_> = together.into_iter().map(bad).collect();
    if findings.is_empty() {
        // What the whole account shares stays when everything of ours is gone.
        let own: Vec<_> = described.iter().filter(|id| !stack.node(**id).traits().shared).collect();
        let there = own.iter().filter(|id| world.has(***id)).count();
        let all = own.len();
        let text = format!("all can be read, and none of our names is another's; {there} of {all} exist");
        findings.push(Finding::good(WHAT, text));
    }
    There { findings, to_make, is_complete }
}
