//! The graph of what should exist: resources, and which outputs feed which specs.
//!
//! Adding can only refer back to handles that exist already, so the order of insertion is an
//! order in which everything can be created, and its reverse one in which it can be deleted.
//! This is the only module that erases types.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::context::Context;
use crate::resource::{Live, Resource};

/// The position of a resource in its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// A resource that was added to a stack, standing for its future output.
pub struct Handle<R> {
    id: NodeId,
    of: PhantomData<fn() -> R>,
}

// Derived, these would ask the same of `R`.
impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Handle<R> {}
impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl<R: Resource> Handle<R> {
    /// The position in the stack.
    pub fn id(self) -> NodeId {
        self.id
    }

    /// The output, once it is known.
    pub fn of(self, outputs: &Outputs) -> Option<R::Output> {
        self.resolve(outputs)
    }
}

type Erased = Arc<dyn Any + Send + Sync>;

/// The outputs that are known so far.
#[derive(Clone, Default)]
pub struct Outputs(BTreeMap<NodeId, Erased>);

impl Outputs {
    /// Learns an output.
    pub(crate) fn insert(&mut self, node: NodeId, output: Erased) {
        self.0.insert(node, output);
    }

    /// Whether an output is known.
    pub(crate) fn has(&self, node: NodeId) -> bool {
        self.0.contains_key(&node)
    }

    /// Forgets an output that is about to change.
    pub(crate) fn remove(&mut self, node: NodeId) {
        self.0.remove(&node);
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a spec is made from: nothing, a handle, several handles, or lists of them.
///
/// It is both the list of edges and the only way to the values behind them, so an edge cannot be
/// forgotten and a type cannot be wrong.
pub trait Inputs: Send + Sync + 'static {
    /// The outputs behind the handles.
    type Values;
    /// The resources behind the handles.
    fn ids(&self) -> Vec<NodeId>;
    /// The values, when all are known.
    fn resolve(&self, outputs: &Outputs) -> Option<Self::Values>;
}

impl<R: Resource> Inputs for Handle<R> {
    type Values = R::Output;

    fn ids(&self) -> Vec<NodeId> {
        vec![self.id]
    }

    fn resolve(&self, outputs: &Outputs) -> Option<R::Output> {
        let output = outputs.0.get(&self.id)?;
        Some(output.downcast_ref::<R::Output>().expect("a handle is only made for its own resource").clone())
    }
}

impl<I: Inputs> Inputs for Vec<I> {
    type Values = Vec<I::Values>;

    fn ids(&self) -> Vec<NodeId> {
        self.iter().flat_map(Inputs::ids).collect()
    }

    fn resolve(&self, outputs: &Outputs) -> Option<Self::Values> {
        self.iter().map(|input| input.resolve(outputs)).collect()
    }
}

impl Inputs for () {
    type Values = ();

    fn ids(&self) -> Vec<NodeId> {
        Vec::new()
    }

    fn resolve(&self, _outputs: &Outputs) -> Option<()> {
        Some(())
    }
}

macro_rules! inputs_of_tuples {
    ($($($part:ident)+;)+) => { $(
        impl<$($part: Inputs),+> Inputs for ($($part,)+) {
            type Values = ($($part::Values,)+);

            fn ids(&self) -> Vec<NodeId> {
                #[expect(non_snake_case, reason = "the parts are named after their types")]
                let ($($part,)+) = self;
                [$($part.ids()),+].concat()
            }

            fn resolve(&self, outputs: &Outputs) -> Option<Self::Values> {
                #[expect(non_snake_case, reason = "the parts are named after their types")]
                let ($($part,)+) = self;
                Some(($($part.resolve(outputs)?,)+))
            }
        }
    )+ };
}

inputs_of_tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H J;
    A B C D E F G H J K;
}

/// Everything that should exist, in an order in which it can be created, and what should no longer.
#[derive(Default)]
pub struct Stack {
    nodes: Vec<Entry>,
}

struct Entry {
    name: String,
    node: Box<dyn Node>,
    needs: Vec<NodeId>,
    retired: bool,
}

impl Stack {
    /// Adds a resource that needs the given inputs; `spec` runs once they are all known.
    pub fn add<R: Resource, I: Inputs>(
        &mut self,
        name: impl Into<String>,
        resource: R,
        inputs: I,
        spec: impl Fn(I::Values) -> R::Spec + Send + Sync + 'static,
    ) -> Handle<R> {
        let needs = inputs.ids();
        self.push(name.into(), Box::new(Declared { resource, inputs, spec }), needs, false)
    }

    /// Adds a resource that this stack made once, under another configuration, and that should be gone.
    ///
    /// It is deleted, if it is still there, when everything else is as described; before that, whatever is switched
    /// over may still use it. `stands_on` is what must stay while it exists.
    pub fn retire<R: Resource, I: Inputs>(&mut self, name: impl Into<String>, resource: R, stands_on: &I) -> Handle<R> {
        self.push(name.into(), Box::new(Retired { resource }), stands_on.ids(), true)
    }

    fn push<R>(&mut self, name: String, node: Box<dyn Node>, mut needs: Vec<NodeId>, retired: bool) -> Handle<R> {
        let id = NodeId(self.nodes.len());
        needs.sort_unstable();
        needs.dedup();
        self.nodes.push(Entry { name, node, needs, retired });
        Handle { id, of: PhantomData }
    }

    /// Every resource's position, in the order of creation, the retired ones included.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The positions of the resources that should exist.
    pub fn described(&self) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.ids().filter(|id| !self.is_retired(*id))
    }

    /// Whether a resource should be gone.
    pub fn is_retired(&self, id: NodeId) -> bool {
        self.nodes[id.0].retired
    }

    /// The name of a resource within the stack.
    pub fn name(&self, id: NodeId) -> &str {
        &self.nodes[id.0].name
    }

    /// The kind of a resource.
    pub fn kind(&self, id: NodeId) -> &'static str {
        self.node(id).traits().kind
    }

    /// What a resource needs.
    pub fn needs(&self, id: NodeId) -> &[NodeId] {
        &self.nodes[id.0].needs
    }

    /// The things of EC2 among what exists: the name of each in our tags, and its identifier.
    pub(crate) fn ec2_ids<'a>(&'a self, outputs: &'a Outputs) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.ids().filter_map(|id| self.node(id).ec2_id(outputs.0.get(&id)?))
    }

    pub(crate) fn node(&self, id: NodeId) -> &dyn Node {
        self.nodes[id.0].node.as_ref()
    }
}

/// The constants of a kind, as values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) kind: &'static str,
    pub(crate) immutable: &'static [&'static str],
    pub(crate) when_blocked: Option<&'static str>,
    pub(crate) transient: &'static [&'static str],
    pub(crate) versioned: bool,
    pub(crate) holds_data: bool,
    pub(crate) lookup: bool,
    pub(crate) shared: bool,
}

impl Traits {
    fn of<R: Resource>() -> Self {
        Self {
            kind: R::KIND,
            immutable: R::IMMUTABLE,
            when_blocked: R::WHEN_BLOCKED,
            transient: R::TRANSIENT,
            versioned: R::VERSIONED,
            holds_data: R::HOLDS_DATA,
            lookup: R::LOOKUP,
            shared: R::SHARED,
        }
    }
}

/// A live resource with its types erased.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) spec: Value,
    pub(crate) output: Erased,
    live: Erased,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

/// A wanted spec with its type erased.
pub(crate) struct Wanted {
    pub(crate) value: Value,
    spec: Erased,
}

type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// The verbs of [`Resource`], with the types erased.
pub(crate) trait Node: Send + Sync {
    fn traits(&self) -> Traits;
    /// The wanted spec; `None` while an input is unknown.
    fn wanted(&self, outputs: &Outputs) -> Result<Option<Wanted>>;
    /// See [`Resource::ec2_id`].
    fn ec2_id<'a>(&'a self, output: &'a Erased) -> Option<(&'a str, &'a str)>;
    fn read<'a>(&'a self, context: &'a Context) -> Work<'a, Option<Found>>;
    fn create<'a>(&'a self, context: &'a Context, wanted: &'a Wanted) -> Work<'a, Erased>;
    fn update<'a>(&'a self, context: &'a Context, found: &'a Found, wanted: &'a Wanted) -> Work<'a, Erased>;
    fn delete<'a>(&'a self, context: &'a Context, found: &'a Found) -> Work<'a, ()>;
}

struct Declared<R, I, F> {
    resource: R,
    inputs: I,
    spec: F,
}

fn is<T: 'static>(value: &Erased) -> &T {
    value.downcast_ref().expect("a node is only handed what it made itself")
}

/// A resource that should be gone: all it can do is to be found and deleted.
struct Retired<R> {
    resource: R,
}

impl<R: Resource> Node for Retired<R> {
    fn traits(&self) -> Traits {
        Traits::of::<R>()
    }

    fn wanted(&self, _outputs: &Outputs) -> Result<Option<Wanted>> {
        Ok(None)
    }

    fn ec2_id<'a>(&'a self, output: &'a Erased) -> Option<(&'a str, &'a str)> {
        self.resource.ec2_id(is::<R::Output>(output))
    }

    fn read<'a>(&'a self, context: &'a Context) -> Work<'a, Option<Found>> {
        Box::pin(async move { found(self.resource.read(context).await?) })
    }

    fn create<'a>(&'a self, _: &'a Context, _: &'a Wanted) -> Work<'a, Erased> {
        Box::pin(async { bail!("{} is retired, and nobody should ask for it; please report this", R::KIND) })
    }

    fn update<'a>(&'a self, context: &'a Context, _: &'a Found, wanted: &'a Wanted) -> Work<'a, Erased> {
        self.create(context, wanted)
    }

    fn delete<'a>(&'a self, context: &'a Context, found: &'a Found) -> Work<'a, ()> {
        Box::pin(async move { self.resource.delete(context, is::<Live<R>>(&found.live)).await })
    }
}

/// Erases the types of what was read.
fn found<R: Resource>(live: Option<Live<R>>) -> Result<Option<Found>> {
    let Some(live) = live else { return Ok(None) };
    Ok(Some(Found {
        spec: serde_json::to_value(&live.spec).context("a live spec that is not data")?,
        output: Arc::new(live.output.clone()),
        live: Arc::new(live),
    }))
}

impl<R, I, F> Node for Declared<R, I, F>
where
    R: Resource,
    I: Inputs,
    F: Fn(I::Values) -> R::Spec + Send + Sync + 'static,
{
    fn traits(&self) -> Traits {
        Traits::of::<R>()
    }

    fn wanted(&self, outputs: &Outputs) -> Result<Option<Wanted>> {
        let Some(values) = self.inputs.resolve(outputs) else { return Ok(None) };
        let spec = (self.spec)(values);
        let value = serde_json::to_value(&spec).context("a spec that is not data")?;
        Ok(Some(Wanted { value, spec: Arc::new(spec) }))
    }

    fn ec2_id<'a>(&'a self, output: &'a Erased) -> Option<(&'a str, &'a str)> {
        self.resource.ec2_id(is::<R::Output>(output))
    }

    fn read<'a>(&'a self, context: &'a Context) -> Work<'a, Option<Found>> {
        Box::pin(async move { found(self.resource.read(context).await?) })
    }

    fn create<'a>(&'a self, context: &'a Context, wanted: &'a Wanted) -> Work<'a, Erased> {
        Box::pin(async move {
            let output = self.resource.create(context, is::<R::Spec>(&wanted.spec)).await?;
            Ok(Arc::new(output) as Erased)
        })
    }

    fn update<'a>(&'a self, context: &'a Context, found: &'a Found, wanted: &'a Wanted) -> Work<'a, Erased> {
        Box::pin(async move {
            let live = is::<Live<R>>(&found.live);
            let output = self.resource.update(context, live, is::<R::Spec>(&wanted.spec)).await?;
            Ok(Arc::new(output) as Erased)
        })
    }

    fn delete<'a>(&'a self, context: &'a Context, found: &'a Found) -> Work<'a, ()> {
        Box::pin(async move { self.resource.delete(context, is::<Live<R>>(&found.live)).await })
    }
}
