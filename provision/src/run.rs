//! One run that changes an environment: nobody else does meanwhile, and it is remembered.

use std::convert::Infallible;

use anyhow::Result;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::aws::Aws;
use crate::context::Context;
use crate::event::Event;
use crate::execute::{self, Options, execute};
use crate::our_stack::OurStack;
use crate::plan::{Goal, Plan, World, observe, plan};
use crate::record::{Entry, Holder, Lock, Outcome, Record, Run};

/// A plan, and what it was made from.
pub struct Planned {
    /// What was there.
    pub world: World,
    /// What is to be done.
    pub plan: Plan,
    /// Who was at work on the environment when this was read.
    pub holder: Option<Holder>,
    /// The newest run whose work the plan knows; see [`Holder::known`].
    known: u64,
    /// Whether there is a record that should go with everything else.
    leftover: bool,
}

impl Planned {
    /// Whether all is as it should be, and nobody is at work, nor died at it.
    pub fn is_done(&self) -> bool {
        self.plan.is_empty() && self.holder.is_none() && !self.leftover
    }
}

/// Reads everything and decides what is to be done.
///
/// # Errors
/// When something cannot be read, or is not ours.
pub async fn prepare(ours: &OurStack, record: &Record, aws: &Aws, goal: Goal) -> Result<Planned> {
    let context = Context::silent(aws.clone());
    let (world, last) = tokio::try_join!(Box::pin(observe(&ours.stack, aws)), record.last_lock(&context))?;
    let plan = plan(&ours.stack, &world, goal)?;
    let known = last.as_ref().map_or(0, Holder::known);
    let leftover = goal == (Goal::Absent { delete_data: true }) && record.exists(&context).await?;
    Ok(Planned { world, plan, known, holder: last.filter(|last| !last.is_free()), leftover })
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
        execute(&work.ours.stack, plan, world, aws, &options, events).await
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
        let task = work.ours.task.of(&outcome.outputs).map(|task| task.arn);
        End::Remember { how, changed: outcome.changed.len(), task_definition: task }
    };
    Box::pin(locked.run(entry, Some(*known), execution, end)).await
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
    /// How it ended, how much it changed, and what runs now.
    Remember {
        /// How it ended.
        how: Outcome,
        /// How many resources it changed.
        changed: usize,
        /// The ARN of the task definition that runs now.
        task_definition: Option<String>,
    },
    /// The environment is gone with its data, so nothing is left to remember.
    NothingLeft,
}

impl Locked<'_> {
    /// Works under the lock; the work hears when no more of it should be started.
    ///
    /// Whoever holds the lock can lose it (`provision unlock`), which counts as an interruption.
    ///
    /// # Errors
    /// When the lock cannot be had; then the work was not begun.
    pub async fn run<T>(
        self,
        entry: Entry,
        known: Option<u64>,
        work: impl AsyncFnOnce(watch::Receiver<bool>) -> T,
        end: impl FnOnce(&T) -> End,
    ) -> Result<T> {
        let Self { record, tell, .. } = self;
        let lock = record.lock(tell, entry.run.clone(), known).await?;
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
            End::Remember { how, changed, task_definition } => {
                remember(record, tell, &entry.ended(how, changed, task_definition)).await;
                if let Err(error) = lock.release().await {
                    tell.note(format_args!("{error:#}; it frees itself in a minute"));
                }
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
