//! One run that changes an environment: nobody else does meanwhile, and it is remembered.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use futures::FutureExt as _;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::aws::Aws;
use crate::context::{Context, Hints, Look};
use crate::event::Event;
use crate::execute::{self, Options, execute};
use crate::our_stack::OurStack;
use crate::plan::{GONE, Goal, Plan, World, observe, plan, rest};
use crate::record::{Entry, Lock, Outcome, Record, Run};
use crate::retry::persist;
use crate::stack::Stack;

/// A plan, and what it was made from.
pub struct Planned {
    /// What was there.
    pub world: World,
    /// What is to be done.
    pub plan: Plan,
    /// The run whose end was not heard of, in words: it is at work, or it was killed.
    pub unfinished: Option<String>,
    /// The runs whose work the plan may know.
    known: BTreeSet<String>,
    /// Whether there is a record that should go with everything else.
    leftover: bool,
}

impl Planned {
    /// Whether all is as it should be, and nobody is at work, nor died at it.
    pub fn is_done(&self) -> bool {
        self.plan.is_empty() && self.unfinished.is_none() && !self.leftover
    }
}

/// Somebody was at work between the making of a plan and its carrying out.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} came between making this plan and carrying it out, so the plan may be out of date; nothing was changed, run \
     the command again"
)]
pub struct OutOfDate(Run);

/// Reads everything as it is; what earlier runs knew saves questions.
///
/// # Errors
/// When something cannot be read, or is not ours.
pub async fn look(ours: &OurStack, record: &Record, aws: &Aws, look: Look) -> Result<World> {
    Ok(look_and_remember(ours, record, aws, look).await?.0)
}

async fn look_and_remember(
    ours: &OurStack,
    record: &Record,
    aws: &Aws,
    look: Look,
) -> Result<(World, Arc<Vec<Entry>>)> {
    let quiet = Context::silent(aws.clone());
    let record = record.clone();
    let runs = async move { record.runs(&quiet).await.map(Arc::new).map_err(Arc::new) }.boxed().shared();
    let hints = runs.clone().map(|runs| Arc::new(runs.map(|runs| hints(&runs)).unwrap_or_default()));
    let context = Context::looking(aws.clone(), hints, look);
    let runs = async { runs.await.map_err(|error| anyhow!("{error:#}")) };
    tokio::try_join!(Box::pin(observe(&ours.stack, &context)), runs)
}

fn hints(runs: &[Entry]) -> Hints {
    let Some(ended) = runs.iter().position(|entry| entry.outcome == Outcome::Done) else { return Hints::default() };
    let mut hints = runs[ended].hints.clone();
    if ended > 0 {
        // A run that did not end may have made, under another configuration, what was gone before.
        hints.facts.retain(|name, _| !name.starts_with(GONE));
    }
    hints
}

/// Reads everything and decides what is to be done.
///
/// # Errors
/// When something cannot be read, or is not ours.
pub async fn prepare(ours: &OurStack, record: &Record, aws: &Aws, goal: Goal, look: Look) -> Result<Planned> {
    let quiet = Context::silent(aws.clone());
    // The history of a moment ago may not be readable yet; the lock that a killed run left always is.
    let holder = async {
        match look {
            Look::Afresh => record.holder(&quiet).await,
            Look::Believing => Ok(None),
        }
    };
    let ((world, runs), holder) = tokio::try_join!(look_and_remember(ours, record, aws, look), holder)?;
    let plan = plan(&ours.stack, &world, goal)?;
    let leftover = goal == (Goal::Absent { delete_data: true }) && record.exists(&quiet).await?;
    let begun = runs.first().filter(|newest| newest.outcome == Outcome::Begun).map(|newest| newest.run.to_string());
    let unfinished = begun.or_else(|| holder.map(|holder| holder.to_string()));
    let known = runs.iter().map(|entry| entry.run.id.clone()).collect();
    Ok(Planned { world, plan, unfinished, known, leftover })
}

/// Who does it, and for what.
pub struct Work<'a> {
    /// Everything that should exist.
    pub ours: &'a OurStack,
    /// What is to be done.
    pub planned: &'a Planned,
    /// Who does it.
    pub run: Run,
    /// The image that is deployed, for people.
    pub image: Option<String>,
}

/// Takes the lock, carries the plan out, remembers what came of it, and gives the lock back.
///
/// # Errors
/// When the lock is held by a living run, or the plan is out of date; then nothing was changed. What failed among the
/// resources is in the outcome.
pub async fn carry_out(
    work: Work<'_>,
    record: &Record,
    aws: &Aws,
    options: &Options,
    events: &UnboundedSender<Event>,
    tell: &Context,
) -> Result<execute::Outcome> {
    let Planned { world, plan, known, .. } = work.planned;
    let locked = Locked { record, tell, interrupted: options.interrupted.clone() };
    let entry = Entry::begun(work.run, work.image);
    let execution = async |stopped| {
        let options = Options { interrupted: stopped, ..options.clone() };
        let stack = &work.ours.stack;
        let mut outcome = execute(stack, plan, world, aws, &options, events).await;
        for looks in 1.. {
            let Some((rest, left)) = what_shows(stack, plan.goal, world, aws, tell, &outcome).await else { break };
            if looks > LOOKS_AFTER_REMOVAL {
                tell.note(format_args!("this shows still, although it was removed; run again in a while:\n{rest}"));
                break;
            }
            tell.note("something did not show before, or shows still; removing it, too");
            outcome.goes_on(execute(stack, &rest, &left, aws, &options, events).await);
        }
        outcome
    };
    let end = |outcome: &execute::Outcome| {
        if outcome.is_complete() && plan.goal == (Goal::Absent { delete_data: true }) {
            return End::NothingLeft;
        }
        let how = match (outcome.is_complete(), outcome.failed.is_empty()) {
            (true, _) => Outcome::Done,
            (false, true) => Outcome::Interrupted,
            (false, false) => Outcome::Failed,
        };
        // One that did not come up is nothing to go back to.
        let service = work.ours.service.id();
        let came_up = !outcome.failed.contains_key(&service) && !outcome.skipped.contains(&service);
        let task = work.ours.task.of(&outcome.outputs).map(|task| task.arn);
        let (task_definition, tried) = if came_up { (task, None) } else { (None, task) };
        let hints = work.ours.hints(&outcome.outputs);
        End::Remember(Box::new(
            Entry { changed: outcome.changed.len(), task_definition, tried, hints, ..entry.clone() }.ended(how),
        ))
    };
    Box::pin(locked.run(entry.clone(), Some(known), execution, end)).await
}

/// How often a run removes what shows after its removals.
const LOOKS_AFTER_REMOVAL: usize = 3;

/// What a run that seems complete has left of what should be gone, if anything: an answer of a moment ago may have kept it
/// from sight, and nobody would look for it any more.
async fn what_shows(
    stack: &Stack,
    goal: Goal,
    world: &World,
    aws: &Aws,
    tell: &Context,
    outcome: &execute::Outcome,
) -> Option<(Plan, World)> {
    if !outcome.is_complete() {
        return None;
    }
    let known = Arc::new(world.owned.clone());
    let context = Context::looking(aws.clone(), async move { known }, Look::Afresh);
    match rest(stack, world, goal, &context).await {
        Ok((plan, left)) => (!plan.is_empty()).then_some((plan, left)),
        Err(error) => {
            tell.note(format_args!("could not look whether all is gone, run again to be sure: {error:#}"));
            None
        }
    }
}

/// The surroundings of work that needs the lock.
pub struct Locked<'a> {
    /// Where the lock and the history are.
    pub record: &'a Record,
    /// Where to say what happens.
    pub tell: &'a Context,
    /// Becomes true when no further work should be started.
    pub interrupted: watch::Receiver<bool>,
}

/// What is to be remembered of a run.
pub enum End {
    /// How it ended.
    Remember(Box<Entry>),
    /// The environment is gone with its data, so nothing is left to remember.
    NothingLeft,
}

impl Locked<'_> {
    /// Works under the lock; the work hears when no more of it should be started.
    ///
    /// Whoever holds the lock can lose it (`provision unlock`), which counts as an interruption.
    ///
    /// # Errors
    /// When the lock cannot be had, or when there was a run that is not among the known ones; then the work was not begun.
    pub async fn run<T>(
        self,
        entry: Entry,
        known: Option<&BTreeSet<String>>,
        work: impl AsyncFnOnce(watch::Receiver<bool>) -> T,
        end: impl FnOnce(&T) -> End,
    ) -> Result<T> {
        let Self { record, tell, .. } = self;
        let lock = record.lock(tell, entry.run.clone()).await?;
        if let Some(known) = known
            && let Some(other) =
                persist(tell, || record.runs(tell)).await?.into_iter().find(|it| !known.contains(&it.run.id))
        {
            lock.release().await?;
            bail!(OutOfDate(other.run));
        }
        remember(record, tell, &entry).await;
        let (stop, stopped) = watch::channel(false);
        let result = tokio::select! {
            biased;
            result = Box::pin(work(stopped)) => result,
            never = interrupted(self.interrupted, &stop) => match never {},
            never = lost(&lock, &stop, tell) => match never {},
        };
        match end(&result) {
            // The lock goes with its group.
            End::NothingLeft => record.delete(tell).await?,
            End::Remember(entry) => {
                if let Err(error) = lock.release().await {
                    tell.note(format_args!("{error:#}; it frees itself in a minute"));
                }
                // Last, so that a run that dies here counts as unfinished, and the next one looks after its lock.
                remember(record, tell, &entry).await;
            }
        }
        Ok(result)
    }
}

/// The history is for people; that it cannot be written is no reason to leave the work undone.
async fn remember(record: &Record, tell: &Context, entry: &Entry) {
    if let Err(error) = record.remember(tell, entry).await {
        tell.note(format_args!("this run will be missing from the history: {error:#}"));
    }
}

/// Passes an interruption on; never ends, because running work goes on.
async fn interrupted(mut from: watch::Receiver<bool>, stop: &watch::Sender<bool>) -> Infallible {
    if from.wait_for(|interrupted| *interrupted).await.is_ok() {
        stop.send_replace(true);
    }
    std::future::pending().await
}

/// Keeps the lock, and stops the work when that is no longer possible.
async fn lost(lock: &Lock<'_>, stop: &watch::Sender<bool>, tell: &Context) -> Infallible {
    let why = lock.keep().await;
    tell.note(format_args!("{why:#}; finishing what runs, starting nothing new"));
    stop.send_replace(true);
    std::future::pending().await
}
