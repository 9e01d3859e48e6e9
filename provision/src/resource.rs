//! What one kind of AWS resource must say about itself; one file per kind implements it.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use crate::context::Context;

/// One kind of resource: how it is found, compared, created, changed and removed.
///
/// A value of the implementing type is the resource's *key*: whatever is needed to find it,
/// known before anything exists (a name derived from the configuration, or our tags).
///
/// Rules every implementation keeps:
/// * `read` asks only for what is in `Spec`, normalised the way `Spec` is built (sorted lists,
///   parsed policies), or the plan is never empty. Something with our name but without our tags
///   is an error ([`crate::aws::NotOurs`]), not `None`.
/// * `create` may stop half way: the executor reads again and finishes with `update`, so
///   `update` brings *every* mutable attribute to the spec, not only the changed ones it expects.
/// * `delete` treats "not found" as done, and returns when the thing is gone, not when its
///   deletion was requested.
/// * Calls are made once. Which errors are tried again, and for how long, is decided in
///   [`crate::retry`] alone.
pub trait Resource: Send + Sync + 'static {
    /// The name of the kind in plans, in the words of AWS.
    const KIND: &'static str;
    /// Fields of the spec that AWS cannot change in place; a difference there blocks the plan. A path into a field stands
    /// for the change of exactly that: of a whole variant, but not of what is in it.
    const IMMUTABLE: &'static [&'static str] = &[];
    /// What somebody can do who wants such a field otherwise; nothing, if there is only what is true for every kind.
    const WHEN_BLOCKED: Option<&'static str> = None;
    /// Fields of the spec that change by themselves, like a state; only their end is wanted.
    const TRANSIENT: &'static [&'static str] = &[];
    /// An update makes a new version with a new identifier, so dependents are compared again.
    const VERSIONED: bool = false;
    /// Holds data that nobody can recreate; destroy keeps it unless told otherwise.
    const HOLDS_DATA: bool = false;
    /// Exists outside this stack (an account, its zones, a certificate): only ever read.
    const LOOKUP: bool = false;
    /// Is created if absent, but others rely on it too, so it is never deleted.
    const SHARED: bool = false;

    /// The attributes this stack decides.
    type Spec: Serialize + Send + Sync + 'static;
    /// The identifiers that other resources need.
    type Output: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;

    /// The name by which our tags know it and its identifier on EC2, where it is a thing of EC2: the next run finds it
    /// even if somebody takes the tags off.
    fn ec2_id<'a>(&'a self, _output: &'a Self::Output) -> Option<(&'a str, &'a str)> {
        None
    }

    /// Reads the live resource, if there is one.
    fn read(&self, context: &Context) -> impl Future<Output = Result<Option<Live<Self>>>> + Send;

    /// Creates the resource and waits until others can use it.
    fn create(&self, context: &Context, spec: &Self::Spec) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Brings the live resource to the spec, in place.
    fn update(
        &self,
        context: &Context,
        live: &Live<Self>,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Removes the live resource and waits until it is gone.
    fn delete(&self, context: &Context, live: &Live<Self>) -> impl Future<Output = Result<()>> + Send;
}

/// A resource as AWS has it now.
#[derive(Debug)]
pub struct Live<R: Resource + ?Sized> {
    /// Its attributes, in the shape we would ask for them.
    pub spec: R::Spec,
    /// Its identifiers.
    pub output: R::Output,
}
