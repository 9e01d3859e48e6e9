//! What a resource may use while it works: the AWS clients, waiting, and a way to say what it waits for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc::UnboundedSender;

use crate::aws::Aws;
use crate::event::Event;
use crate::stack::NodeId;
use crate::wait::{self, Poll, Wait};

/// The surroundings of one resource's work.
#[derive(Clone)]
pub struct Context {
    /// The AWS clients and the ownership of what they make.
    pub aws: Aws,
    notes: Option<Arc<dyn Fn(String) + Send + Sync>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("aws", &self.aws).finish_non_exhaustive()
    }
}

impl Context {
    /// Makes a context that talks to nobody, for reading.
    pub fn silent(aws: Aws) -> Self {
        Self { aws, notes: None }
    }

    /// Makes a context whose notes appear as events of a node.
    pub fn of_node(aws: Aws, node: NodeId, events: UnboundedSender<Event>) -> Self {
        // A watcher that has left is no reason to stop working.
        Self::telling(aws, move |text| drop(events.send(Event::Note { node, text })))
    }

    /// Makes a context whose notes go anywhere.
    pub fn telling(aws: Aws, tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { aws, notes: Some(Arc::new(tell)) }
    }

    /// Says what is going on, for whoever watches.
    pub fn note(&self, text: impl fmt::Display) {
        if let Some(tell) = &self.notes {
            tell(text.to_string());
        }
    }

    /// Probes until there is an answer or the wait's deadline passes, noting what it waits for.
    ///
    /// # Errors
    /// When the probe fails, or when the deadline passes.
    pub async fn wait<T, F>(&self, wait: Wait, probe: impl FnMut() -> F + Send) -> Result<T>
    where
        F: Future<Output = Result<Poll<T>>> + Send,
    {
        self.note(format_args!("waiting for {} (up to {})", wait.what, wait::human(wait.deadline)));
        wait::until(wait, |state| self.note(state), probe).await
    }

    /// Lets time pass where AWS needs some and offers nothing to look at meanwhile.
    pub async fn settle(&self, what: impl fmt::Display, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        self.note(format_args!("giving {what} {} to settle", wait::human(duration)));
        tokio::time::sleep(duration).await;
    }
}
