//! What happens during a run, as JSON lines on standard error.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::event::Event;
use crate::stack::{NodeId, Stack};

/// One thing that happened.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    /// Seconds since the run began.
    pub(super) at_seconds: f64,
    /// What happened.
    #[serde(flatten)]
    pub(super) what: What,
}

impl Document for Line {
    const NAME: &'static str = "provision.event/1";
}

/// A resource of the stack.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Named {
    /// Its kind, in the words of AWS.
    pub(super) kind: String,
    /// Its name in the stack.
    pub(super) name: String,
}

impl Named {
    pub(super) fn of(stack: &Stack, node: NodeId) -> Self {
        Self { kind: stack.kind(node).to_owned(), name: stack.name(node).to_owned() }
    }
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum What {
    /// Something was said that is about no single resource.
    Said {
        /// A sentence for people.
        text: String,
    },
    /// Work on a resource began.
    Started {
        /// The resource.
        resource: Named,
    },
    /// A resource says what it is doing or waiting for.
    Note {
        /// The resource.
        resource: Named,
        /// A sentence for people.
        text: String,
    },
    /// An attempt failed in a way that passes, and will be repeated.
    Retrying {
        /// The resource.
        resource: Named,
        /// Why, with the pause before the next attempt.
        text: String,
    },
    /// Work on a resource is done.
    Finished {
        /// The resource.
        resource: Named,
        /// Whether anything was changed in AWS.
        changed: bool,
    },
    /// Work on a resource failed.
    Failed {
        /// The resource.
        resource: Named,
        /// Why.
        error: String,
    },
    /// A resource was not worked on.
    Skipped {
        /// The resource.
        resource: Named,
        /// The need that failed; nothing when the run was interrupted.
        because: Option<Named>,
    },
}

impl What {
    pub(super) fn of(stack: &Stack, event: &Event) -> Self {
        let named = |node: &NodeId| Named::of(stack, *node);
        match event {
            Event::Started { node } => Self::Started { resource: named(node) },
            Event::Note { node, text } => Self::Note { resource: named(node), text: text.clone() },
            Event::Retrying { node, text } => Self::Retrying { resource: named(node), text: text.clone() },
            Event::Finished { node, changed } => Self::Finished { resource: named(node), changed: *changed },
            Event::Failed { node, error } => Self::Failed { resource: named(node), error: format!("{error:#}") },
            Event::Skipped { node, because } => {
                Self::Skipped { resource: named(node), because: because.as_ref().map(named) }
            }
        }
    }
}
