//! What happens while a plan is carried out: the interface between the executor and whoever shows it.

use std::sync::Arc;

use crate::stack::NodeId;

/// One thing that happened to one resource.
#[derive(Clone, Debug)]
pub enum Event {
    /// Its work began.
    Started {
        /// Which resource.
        node: NodeId,
    },
    /// It says what it is doing or waiting for.
    Note {
        /// Which resource.
        node: NodeId,
        /// A sentence for people.
        text: String,
    },
    /// An attempt failed in a way that passes, and will be repeated.
    Retrying {
        /// Which resource.
        node: NodeId,
        /// Why, with the pause before the next attempt.
        text: String,
    },
    /// Its work is done.
    Finished {
        /// Which resource.
        node: NodeId,
        /// Whether anything was changed in AWS.
        changed: bool,
    },
    /// Its work failed.
    Failed {
        /// Which resource.
        node: NodeId,
        /// Why.
        error: Arc<anyhow::Error>,
    },
    /// It was not started because something it needs failed, or because the run was interrupted.
    Skipped {
        /// Which resource.
        node: NodeId,
        /// The failed need; `None` when the run was interrupted.
        because: Option<NodeId>,
    },
}
