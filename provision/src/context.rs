//! What a resource may use while it works: the AWS clients, waiting, and a way to say what it waits for.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::sync::OnceCell;
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
    answers: Option<Arc<Answers>>,
    hints: Option<Shared<BoxFuture<'static, Arc<Hints>>>>,
    look: Look,
}

/// How closely the world is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// At everything that can differ.
    #[default]
    Afresh,
    /// What the last run proved and only a deliberate hand undoes is believed: ownership tags, policies attached to
    /// roles, and that the image is still in its repository. It saves a sixth of the calls.
    Believing,
}

/// What an earlier run knew, which saves questions; whoever uses a hint copes with a wrong one.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hints {
    /// Facts by names on which those who note them and those who use them agree.
    pub facts: BTreeMap<String, String>,
}

/// What the names of hints begin with that say what is ours.
pub(crate) const OURS: &str = "ours: ";

type Answer = Arc<dyn Any + Send + Sync>;

/// The answers that the reads of one look at the world share.
#[derive(Default)]
struct Answers(Mutex<BTreeMap<String, Arc<OnceCell<Answer>>>>);

impl Answers {
    fn cell(&self, question: &str) -> Arc<OnceCell<Answer>> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(question.to_owned()).or_default())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("aws", &self.aws).finish_non_exhaustive()
    }
}

impl Context {
    /// Makes a context that talks to nobody, for reading.
    pub fn silent(aws: Aws) -> Self {
        Self { aws, notes: None, answers: None, hints: None, look: Look::Afresh }
    }

    /// Makes a context for one look at everything: what several resources ask is asked once, and hints may help.
    pub fn looking(aws: Aws, hints: impl Future<Output = Arc<Hints>> + Send + 'static, look: Look) -> Self {
        Self { answers: Some(Arc::default()), hints: Some(hints.boxed().shared()), look, ..Self::silent(aws) }
    }

    /// Asks something that other resources ask, too; while looking at everything, AWS is asked only once.
    ///
    /// The question names the answer; two that are the same must have answers of the same type.
    ///
    /// # Errors
    /// When asking fails; the next who wants to know asks again.
    pub async fn once<T, F>(&self, question: &str, ask: impl FnOnce() -> F) -> Result<T>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let Some(answers) = &self.answers else { return ask().await };
        let cell = answers.cell(question);
        let answer =
            cell.get_or_try_init(|| async { Ok::<_, anyhow::Error>(Arc::new(ask().await?) as Answer) }).await?;
        Ok(answer.downcast_ref::<T>().expect("the same question has answers of the same type").clone())
    }

    /// What an earlier run knew under this name.
    pub async fn hint(&self, name: &str) -> Option<String> {
        let hints = self.hints.clone()?.await;
        hints.facts.get(name).cloned()
    }

    /// All that an earlier run knew under names that begin like this, by the rest of the name.
    pub(crate) async fn hints(&self, prefix: &str) -> BTreeMap<String, String> {
        let Some(hints) = self.hints.clone() else { return BTreeMap::new() };
        let hints = hints.await;
        let known = hints.facts.iter().filter_map(|(name, fact)| Some((name.strip_prefix(prefix)?, fact)));
        known.map(|(name, fact)| (name.to_owned(), fact.clone())).collect()
    }

    /// What an earlier run knew to be ours.
    pub(crate) async fn ownership(&self) -> Hints {
        let Some(hints) = self.hints.clone() else { return Hints::default() };
        let mut hints = Hints::clone(&*hints.await);
        hints.facts.retain(|name, _| name.starts_with(OURS));
        hints
    }

    /// The same context with hints.
    #[must_use]
    pub(crate) fn knowing(self, hints: Hints) -> Self {
        Self { hints: Some(async { Arc::new(hints) }.boxed().shared()), ..self }
    }

    /// What an earlier run proved under this name, where that is good enough.
    pub async fn believed(&self, name: &str) -> Option<String> {
        match self.look {
            Look::Afresh => None,
            Look::Believing => self.hint(name).await,
        }
    }

    /// Makes a context whose notes appear as events of a node.
    pub fn of_node(aws: Aws, node: NodeId, events: UnboundedSender<Event>) -> Self {
        // A watcher that has left is no reason to stop working.
        Self::telling(aws, move |text| drop(events.send(Event::Note { node, text })))
    }

    /// Makes a context whose notes go anywhere.
    pub fn telling(aws: Aws, tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { notes: Some(Arc::new(tell)), ..Self::silent(aws) }
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
