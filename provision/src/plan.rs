//! What to do to get from what is to what should be, as data.
//!
//! Invariant: [`plan`] is pure. It sees only a [`World`] that was read before, so the same world
//! always gives the same plan, and nothing can be changed by planning.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result};
use futures::stream::{self, Stream, StreamExt as _};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::context::{Context, Hints};
use crate::diff::{Change, diff};
use crate::paint::Paint;
use crate::retry::unhurried;
use crate::stack::{Found, NodeId, Outputs, Stack, Traits};

/// How many resources are read at the same time: all of ours. They ask a dozen services a few questions each, and the
/// smallest documented bucket of one service takes a burst of forty.
const READS_AT_ONCE: usize = 100;

/// What everything should become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Everything exists as described.
    Present,
    /// Nothing exists, except perhaps what holds data.
    Absent {
        /// Whether data goes too.
        delete_data: bool,
    },
}

/// Every resource of a stack as it was when it was read.
#[derive(Debug, Default)]
pub struct World {
    pub(crate) found: BTreeMap<NodeId, Found>,
    /// Whose things are, as far as earlier runs knew: the look before a change needs it, too.
    pub(crate) owned: Hints,
    /// Retired resources that nobody looked for, because the last run knew that they are gone.
    known_gone: BTreeSet<NodeId>,
}

impl World {
    /// The outputs of everything that exists.
    pub fn outputs(&self) -> Outputs {
        let mut outputs = Outputs::default();
        for (node, found) in &self.found {
            outputs.insert(*node, found.output.clone());
        }
        outputs
    }

    /// Whether a resource exists.
    pub fn has(&self, node: NodeId) -> bool {
        self.found.contains_key(&node)
    }

    /// The attributes of everything that exists.
    pub fn specs(&self) -> impl Iterator<Item = (NodeId, &Value)> {
        self.found.iter().map(|(node, found)| (*node, &found.spec))
    }
}

/// What the names of hints begin with that say what is no longer there.
pub(crate) const GONE: &str = "gone: ";

/// The name of the hint that a retired resource was not there, or was deleted, at the end of the newest run.
pub(crate) fn gone(name: &str) -> String {
    format!("{GONE}{name}")
}

/// Reads every resource of a stack; keys are known in advance, so all reads run side by side.
///
/// # Errors
/// The first failing read, naming its resource.
pub async fn observe(stack: &Stack, context: &Context) -> Result<World> {
    let mut world = read_all(stack, context, stack.ids()).await?;
    for id in retired(stack) {
        if is_known_gone(stack, context, id).await {
            world.known_gone.insert(id);
        }
    }
    Ok(world)
}

/// Looks once more after a run for what should be gone, and gives the plan to remove what shows.
///
/// An old answer may have kept something from the first look's sight, and the next run would not look for it: it knows it
/// to be gone. A removal looks for everything, other runs for what is retired and was not known to be gone before.
///
/// # Errors
/// The first failing read, naming its resource.
pub(crate) async fn rest(stack: &Stack, world: &World, goal: Goal, context: &Context) -> Result<(Plan, World)> {
    match goal {
        Goal::Present => {
            let ids = retired(stack).filter(|id| !world.known_gone.contains(id));
            let left = read_all(stack, context, ids).await?;
            Ok((Plan { goal, steps: clearing_away(stack, &left) }, left))
        }
        Goal::Absent { .. } => {
            let left = observe(stack, context).await?;
            Ok((plan(stack, &left, goal)?, left))
        }
    }
}

async fn is_known_gone(stack: &Stack, context: &Context, id: NodeId) -> bool {
    stack.is_retired(id) && context.hint(&gone(stack.name(id))).await.is_some()
}

fn retired(stack: &Stack) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
    stack.ids().filter(|id| stack.is_retired(*id))
}

async fn read_all(stack: &Stack, context: &Context, ids: impl Iterator<Item = NodeId> + Send) -> Result<World> {
    let mut reads = reads(stack, context, ids);
    let mut world = World::default();
    while let Some((id, read)) = reads.next().await {
        if let Some(found) = read.with_context(|| format!("reading {} {}", stack.kind(id), stack.name(id)))? {
            world.found.insert(id, found);
        }
    }
    world.owned = context.ownership().await;
    Ok(world)
}

/// Reads every resource of a stack as [`observe`] does, and goes on where something cannot be read.
pub async fn survey(stack: &Stack, context: &Context) -> (World, BTreeMap<NodeId, anyhow::Error>) {
    let mut reads = reads(stack, context, stack.ids());
    let mut world = World::default();
    let mut failures = BTreeMap::new();
    while let Some((id, read)) = reads.next().await {
        match read {
            Ok(Some(found)) => drop(world.found.insert(id, found)),
            Ok(None) => (),
            Err(error) => drop(failures.insert(id, error)),
        }
    }
    (world, failures)
}

fn reads<'a>(
    stack: &'a Stack,
    context: &'a Context,
    ids: impl Iterator<Item = NodeId> + Send + 'a,
) -> impl Stream<Item = (NodeId, Result<Option<Found>>)> + Unpin {
    let reads = ids.map(move |id| async move {
        if is_known_gone(stack, context, id).await {
            return (id, Ok(None));
        }
        (id, unhurried(context, || stack.node(id).read(context)).await)
    });
    stream::iter(reads).buffer_unordered(READS_AT_ONCE).boxed()
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It is as it should be.
    Keep,
    /// It does not exist yet.
    Create {
        /// The attributes it will have, as far as its inputs are known.
        spec: Option<Value>,
    },
    /// It changes in place.
    Update {
        /// What differs.
        changes: Vec<Change>,
    },
    /// It goes away.
    Delete,
    /// It differs in something that AWS cannot change in place.
    Blocked {
        /// What differs, mutable attributes included.
        changes: Vec<Change>,
    },
    /// Something it needs will change, so it is compared again then.
    Recheck,
    /// It stays although the rest goes, because it holds data.
    Retain,
}

/// One resource's part of a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which resource.
    pub node: NodeId,
    /// Its kind.
    pub kind: &'static str,
    /// Its name in the stack.
    pub name: String,
    /// What happens to it.
    pub action: Action,
    /// The needs whose new identity makes it worth a new comparison.
    pub because: Vec<String>,
    /// What somebody can do when it is in the way.
    pub when_blocked: Option<&'static str>,
    /// The steps that must be done before.
    pub after: Vec<NodeId>,
}

impl Step {
    /// What happens and why, in a few words.
    pub fn why(&self, goal: Goal) -> String {
        text::why(goal, self)
    }
}

/// What to do, step by step.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whether the steps build up or tear down.
    pub goal: Goal,
    /// One step for each resource.
    pub steps: Vec<Step>,
}

/// How many resources a plan touches, by what happens to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// New ones.
    pub create: usize,
    /// Changed in place.
    pub update: usize,
    /// Removed.
    pub delete: usize,
    /// Compared again while applying.
    pub recheck: usize,
    /// In the way.
    pub blocked: usize,
    /// Kept because they hold data.
    pub retain: usize,
    /// Untouched.
    pub keep: usize,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.action, Action::Keep | Action::Retain))
    }

    /// Counts the steps.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            *match step.action {
                Action::Keep => &mut counts.keep,
                Action::Create { .. } => &mut counts.create,
                Action::Update { .. } => &mut counts.update,
                Action::Delete => &mut counts.delete,
                Action::Blocked { .. } => &mut counts.blocked,
                Action::Recheck => &mut counts.recheck,
                Action::Retain => &mut counts.retain,
            } += 1;
        }
        counts
    }

    /// What happens and why, in lines for people.
    pub fn text(&self, paint: Paint) -> String {
        text::text(self, paint)
    }

    /// The steps that cannot be carried out.
    pub fn blocked(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step.action, Action::Blocked { .. }))
    }
}

/// Decides what to do; reads nothing, changes nothing.
///
/// # Errors
/// When a spec cannot be turned into data, or when something that must exist outside does not.
pub fn plan(stack: &Stack, world: &World, goal: Goal) -> Result<Plan> {
    let steps = match goal {
        Goal::Present => building_up(stack, world)?,
        Goal::Absent { delete_data } => tearing_down(stack, world, delete_data),
    };
    Ok(Plan { goal, steps })
}

fn building_up(stack: &Stack, world: &World) -> Result<Vec<Step>> {
    // Outputs that stay what they are while the plan is carried out.
    let mut settled = world.outputs();
    let mut steps = Vec::new();
    for id in stack.described() {
        let node = stack.node(id);
        let traits = node.traits();
        let wanted = node.wanted(&settled)?;
        let action = match (world.found.get(&id), &wanted) {
            (None, _) if traits.lookup => {
                anyhow::bail!("{} {} does not exist, and this stack does not create it", traits.kind, stack.name(id))
            }
            (None, wanted) => Action::Create { spec: wanted.as_ref().map(|wanted| wanted.value.clone()) },
            (Some(_), None) => Action::Recheck,
            (Some(found), Some(wanted)) => compare(traits, &found.spec, &wanted.value),
        };
        let new_identity = match action {
            Action::Update { .. } | Action::Recheck => traits.versioned,
            Action::Create { .. } => true,
            _ => false,
        };
        let unsettled = stack.needs(id).iter().filter(|need| !settled.has(**need));
        let because = unsettled.map(|need| stack.name(*need).to_owned()).collect();
        if new_identity {
            settled.remove(id);
        }
        steps.push(Step { because, ..step(stack, id, action, stack.needs(id).to_vec()) });
    }
    steps.extend(clearing_away(stack, world));
    Ok(steps)
}

/// What should be gone goes last: until everything is as described, something may still use it.
fn clearing_away(stack: &Stack, world: &World) -> Vec<Step> {
    let there: Vec<_> = retired(stack).filter(|id| world.has(*id)).collect();
    let steps = there.iter().rev().map(|id| {
        let on_it = there.iter().copied().filter(|other| stack.needs(*other).contains(id));
        step(stack, *id, Action::Delete, stack.described().chain(on_it).collect())
    });
    steps.collect()
}

/// Compares a live spec with the wanted one.
pub(crate) fn compare(traits: Traits, live: &Value, wanted: &Value) -> Action {
    let changes = diff(live, wanted);
    if changes.is_empty() || traits.lookup {
        Action::Keep
    } else if changes.iter().any(|change| is_immutable(traits, change)) {
        Action::Blocked { changes }
    } else {
        Action::Update { changes }
    }
}

fn is_immutable(traits: Traits, change: &Change) -> bool {
    traits.immutable.iter().any(|immutable| *immutable == change.field() || *immutable == change.path)
}

fn tearing_down(stack: &Stack, world: &World, delete_data: bool) -> Vec<Step> {
    let mut needed_by: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for id in stack.ids() {
        for need in stack.needs(id) {
            needed_by.entry(*need).or_default().push(id);
        }
    }
    // A run before this one may have stopped halfway, with something in use that should be gone: so it goes after
    // everything that nothing like it stands on.
    let retired: Vec<_> = retired(stack).collect();
    let under: BTreeSet<_> = retired.iter().flat_map(|id| all_needs(stack, *id)).collect();
    let users: Vec<_> = stack.described().filter(|id| !under.contains(id)).collect();
    for id in retired {
        needed_by.entry(id).or_default().extend(&users);
    }
    let steps = stack.ids().rev().filter(|id| world.has(*id)).map(|id| {
        let traits = stack.node(id).traits();
        let action = if traits.lookup || traits.shared {
            Action::Keep
        } else if traits.holds_data && !delete_data {
            Action::Retain
        } else {
            Action::Delete
        };
        step(stack, id, action, needed_by.remove(&id).unwrap_or_default())
    });
    steps.collect()
}

/// What a resource needs, and what that needs, and so on.
fn all_needs(stack: &Stack, id: NodeId) -> BTreeSet<NodeId> {
    let mut all = BTreeSet::new();
    let mut next = vec![id];
    while let Some(id) = next.pop() {
        next.extend(stack.needs(id).iter().filter(|need| all.insert(**need)));
    }
    all
}

fn step(stack: &Stack, node: NodeId, action: Action, after: Vec<NodeId>) -> Step {
    let (name, when_blocked) = (stack.name(node).to_owned(), stack.node(node).traits().when_blocked);
    Step { node, kind: stack.kind(node), name, action, because: Vec::new(), when_blocked, after }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Paint::Plain))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.create, "to create"),
            (self.update, "to change"),
            (self.recheck, "to compare again"),
            (self.delete, "to delete"),
            (self.retain, "kept because they hold data"),
            (self.blocked, "that cannot be changed in place"),
        ];
        let parts: Vec<_> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        match parts.as_slice() {
            [] => write!(f, "nothing to do: {} resources are as described", self.keep),
            parts => write!(f, "{}; {} unchanged", parts.join(", "), self.keep),
        }
    }
}
