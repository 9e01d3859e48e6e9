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

use anyhow::{Context as _, Result};
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

/// Everything that should exist, in an order in which it can be created.
#[derive(Default)]
pub struct Stack {
    nodes: Vec<Entry>,
}

struct Entry {
    name: String,
    node: Box<dyn Node>,
    needs: Vec<NodeId>,
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
        let id = NodeId(self.nodes.len());
        let mut needs = inputs.ids();
        needs.sort_unstable();
        needs.dedup();
        let node = Box::new(Declared { resource, inputs, spec });
        self.nodes.push(Entry { name: name.into(), node, needs });
        Handle { id, of: PhantomData }
    }

    /// Every resource's position, in the order of creation.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
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

    pub(crate) fn node(&self, id: NodeId) -> &dyn Node {
        self.nodes[id.0].node.as_ref()
    }
}

/// The constants of a kind, as values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) kind: &'static str,
    pub(crate) immutable: &'static [&'static str],
    pub(crate) transient: &'static [&'static str],
    pub(crate) versioned: bool,
    pub(crate) holds_data: bool,
    pub(crate) lookup: bool,
    pub(crate) shared: bool,
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

impl<R, I, F> Node for Declared<R, I, F>
where
    R: Resource,
    I: Inputs,
    F: Fn(I::Values) -> R::Spec + Send + Sync + 'static,
{
    fn traits(&self) -> Traits {
        Traits {
            kind: R::KIND,
            immutable: R::IMMUTABLE,
            transient: R::TRANSIENT,
            versioned: R::VERSIONED,
            holds_data: R::HOLDS_DATA,
            lookup: R::LOOKUP,
            shared: R::SHARED,
        }
    }

    fn wanted(&self, outputs: &Outputs) -> Result<Option<Wanted>> {
        let Some(values) = self.inputs.resolve(outputs) else { return Ok(None) };
        let spec = (self.spec)(values);
        let value = serde_json::to_value(&spec).context("a spec that is not data")?;
        Ok(Some(Wanted { value, spec: Arc::new(spec) }))
    }

    fn read<'a>(&'a self, context: &'a Context) -> Work<'a, Option<Found>> {
        Box::pin(async move {
            let Some(live) = self.resource.read(context).await? else { return Ok(None) };
            Ok(Some(Found {
                spec: serde_json::to_value(&live.spec).context("a live spec that is not data")?,
                output: Arc::new(live.output.clone()),
                live: Arc::new(live),
            }))
        })
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
