//! Carries out a plan: whatever has its needs done runs at once; a failure stops only dependents.
//!
//! Invariants: nothing is created without looking first, and after a lost answer it looks again,
//! so no attempt leaves a twin; the executor prints nothing, it only emits [`Event`]s.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::aws::Aws;
use crate::context::Context;
use crate::event::Event;
use crate::plan::{Action, Goal, Plan, Step, World, compare};
use crate::retry::Class;
use crate::stack::{Found, Node, NodeId, Outputs, Stack};
use crate::wait;

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many resources are worked on at the same time.
    pub at_once: usize,
    /// Shifts the pauses between attempts, so that runs beside each other do not beat in time.
    pub seed: u64,
    /// Becomes true when no further work should be started.
    pub interrupted: watch::Receiver<bool>,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What failed, and why.
    pub failed: BTreeMap<NodeId, Arc<anyhow::Error>>,
    /// What was not started.
    pub skipped: BTreeSet<NodeId>,
    /// What was created, changed or deleted.
    pub changed: BTreeSet<NodeId>,
    /// The outputs of all that exists now, as far as known.
    pub outputs: Outputs,
}

impl Outcome {
    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty()
    }

    /// What came of going on after a complete run.
    pub(crate) fn goes_on(&mut self, next: Self) {
        self.changed.extend(next.changed);
        self.failed = next.failed;
        self.skipped = next.skipped;
    }
}

type Output = Arc<dyn Any + Send + Sync>;

/// What became of one step.
struct Done {
    output: Option<Output>,
    changed: bool,
}

/// Carries out a plan made from this stack and this world.
pub async fn execute(
    stack: &Stack,
    plan: &Plan,
    world: &World,
    aws: &Aws,
    options: &Options,
    events: &UnboundedSender<Event>,
) -> Outcome {
    let mut outcome = Outcome { outputs: initial_outputs(plan, world), ..Outcome::default() };
    let mut waiting: Vec<&Step> = plan.steps.iter().collect();
    let mut open: BTreeSet<NodeId> = waiting.iter().map(|step| step.node).collect();
    let mut running = FuturesUnordered::new();
    loop {
        skip_what_cannot_run(&mut waiting, &mut open, &mut outcome, options, events);
        let mut later = Vec::new();
        for step in waiting {
            if running.len() < options.at_once && step.after.iter().all(|need| !open.contains(need)) {
                let found = world.found.get(&step.node);
                let context = Context::of_node(aws.clone(), step.node, events.clone());
                let context = context.knowing(world.owned.clone());
                let work = Work { node: stack.node(step.node), step, context, seed: options.seed, events };
                let outputs = outcome.outputs.clone();
                running.push(async move { (step, work.run(plan.goal, found, outputs).await) });
            } else {
                later.push(step);
            }
        }
        waiting = later;
        let Some((step, result)) = running.next().await else { break };
        open.remove(&step.node);
        record(step, result, &mut outcome, events);
    }
    // Steps that wait for each other never run; without this it would look as if all were done.
    for step in waiting {
        outcome.skipped.insert(step.node);
        emit(
            events,
            Event::Skipped { node: step.node, because: step.after.iter().copied().find(|need| open.contains(need)) },
        );
    }
    outcome
}

/// While building up, only what no step will give anew is known before.
fn initial_outputs(plan: &Plan, world: &World) -> Outputs {
    let mut outputs = world.outputs();
    for step in &plan.steps {
        outputs.remove(step.node);
    }
    outputs
}

fn record(step: &Step, result: Result<Done>, outcome: &mut Outcome, events: &UnboundedSender<Event>) {
    let node = step.node;
    let event = match result {
        Ok(done) => {
            if let Some(output) = done.output {
                outcome.outputs.insert(node, output);
            }
            if done.changed {
                outcome.changed.insert(node);
            }
            Event::Finished { node, changed: done.changed }
        }
        Err(error) => {
            let error = Arc::new(error);
            outcome.failed.insert(node, Arc::clone(&error));
            Event::Failed { node, error }
        }
    };
    emit(events, event);
}

/// Whoever watches may leave; the work goes on.
fn emit(events: &UnboundedSender<Event>, event: Event) {
    drop(events.send(event));
}

fn skip_what_cannot_run(
    waiting: &mut Vec<&Step>,
    open: &mut BTreeSet<NodeId>,
    outcome: &mut Outcome,
    options: &Options,
    events: &UnboundedSender<Event>,
) {
    let interrupted = *options.interrupted.borrow();
    // A skipped step makes its own dependents skip, in whatever order the steps stand.
    loop {
        let before = waiting.len();
        waiting.retain(|step| {
            let because = step
                .after
                .iter()
                .copied()
                .find(|need| outcome.failed.contains_key(need) || outcome.skipped.contains(need));
            if because.is_none() && !interrupted {
                return true;
            }
            open.remove(&step.node);
            outcome.skipped.insert(step.node);
            emit(events, Event::Skipped { node: step.node, because });
            false
        });
        if waiting.len() == before {
            return;
        }
    }
}

/// The work on one step.
struct Work<'a> {
    node: &'a dyn Node,
    step: &'a Step,
    context: Context,
    seed: u64,
    events: &'a UnboundedSender<Event>,
}

impl Work<'_> {
    async fn run(&self, goal: Goal, found: Option<&Found>, outputs: Outputs) -> Result<Done> {
        let verb = match (goal, &self.step.action) {
            (_, Action::Delete) => "deleting",
            (Goal::Absent { .. }, _) => return Ok(Done { output: None, changed: false }),
            (Goal::Present, Action::Create { .. }) => "creating",
            (Goal::Present, _) => "updating",
        };
        let work = async {
            if self.step.action == Action::Delete {
                self.delete(found).await
            } else {
                self.bring_about(found, &outputs).await
            }
        };
        work.await.with_context(|| format!("{verb} {} {}", self.step.kind, self.step.name))
    }

    fn start(&self) {
        emit(self.events, Event::Started { node: self.step.node });
    }

    async fn delete(&self, found: Option<&Found>) -> Result<Done> {
        let Some(found) = found else { return Ok(Done { output: None, changed: false }) };
        self.start();
        let mut found = found.clone();
        let mut attempts = Attempts::default();
        loop {
            let Err(error) = self.node.delete(&self.context, &found).await else { break };
            self.pause_or_give_up(&mut attempts, error).await?;
            match self.look().await? {
                Some(still_there) => found = still_there,
                None => break,
            }
        }
        Ok(Done { output: None, changed: true })
    }

    async fn bring_about(&self, planned: Option<&Found>, outputs: &Outputs) -> Result<Done> {
        let wanted = self.node.wanted(outputs)?.context("an input is unknown although its resource is done")?;
        if let Some(planned) = planned
            && compare(self.node.traits(), &planned.spec, &wanted.value) == Action::Keep
        {
            return Ok(Done { output: Some(planned.output.clone()), changed: false });
        }
        self.start();
        // Also before creating: the answer of an earlier, killed run may have been lost.
        let mut found = self.look().await?;
        if let Some(planned) = planned {
            same_as_planned(self.node.traits().transient, planned, found.as_ref())?;
        }
        let mut attempts = Attempts::default();
        loop {
            let result = match &found {
                None => self.node.create(&self.context, &wanted).await,
                Some(live) => match compare(self.node.traits(), &live.spec, &wanted.value) {
                    Action::Keep => return Ok(Done { output: Some(live.output.clone()), changed: true }),
                    Action::Blocked { changes } => bail!(blocked(&changes, self.step.when_blocked)),
                    _ => self.node.update(&self.context, live, &wanted).await,
                },
            };
            match result {
                Ok(output) => return Ok(Done { output: Some(output), changed: true }),
                Err(error) => found = self.look_after(&mut attempts, error).await?,
            }
        }
    }

    /// After a passing failure: waits, and looks what came of the attempt.
    async fn look_after(&self, attempts: &mut Attempts, error: anyhow::Error) -> Result<Option<Found>> {
        let class = self.pause_or_give_up(attempts, error).await?;
        let mut found = self.look().await?;
        if matches!(class, Class::Lost | Class::NotVisibleYet | Class::Throttled) {
            // What the attempt made before it failed may show only seconds later; creating now would make a twin.
            for look in 0..LOOKS_FOR_WHAT_WAS_MADE {
                if found.is_some() {
                    break;
                }
                sleep(Duration::from_secs(1 << look)).await;
                found = self.look().await?;
            }
        }
        Ok(found)
    }

    async fn look(&self) -> Result<Option<Found>> {
        let mut attempts = Attempts::default();
        loop {
            match self.node.read(&self.context).await {
                Ok(found) => return Ok(found),
                Err(error) => {
                    self.pause_or_give_up(&mut attempts, error).await.context("looking at what exists")?;
                }
            }
        }
    }

    async fn pause_or_give_up(&self, attempts: &mut Attempts, error: anyhow::Error) -> Result<Class> {
        let Some(class) = Class::of(&error) else { return Err(error) };
        let patience = class.patience();
        let pause = patience.pause(attempts.failed(class), jitter(self.seed, self.step.node, attempts.count));
        if attempts.since.elapsed() + pause > patience.budget {
            return Err(error.context(format!("gave up after {}: {}", wait::human(patience.budget), class.reason())));
        }
        let text = format!("{}; again in {} ({error:#})", class.reason(), wait::human(pause));
        emit(self.events, Event::Retrying { node: self.step.node, text });
        sleep(pause).await;
        Ok(class)
    }
}

/// Seconds 1, 2 and 4: AWS shows new things within that, except on a very bad day.
const LOOKS_FOR_WHAT_WAS_MADE: u32 = 3;

/// The failures of one class in a row.
struct Attempts {
    class: Option<Class>,
    count: u32,
    since: Instant,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { class: None, count: 0, since: Instant::now() }
    }
}

impl Attempts {
    /// Counts a failure and gives how many came before it.
    fn failed(&mut self, class: Class) -> u32 {
        if self.class != Some(class) {
            *self = Self { class: Some(class), ..Self::default() };
        }
        self.count += 1;
        self.count - 1
    }
}

/// A number from 0 to 1 that differs between resources, attempts and runs, and never by chance.
fn jitter(seed: u64, node: NodeId, count: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (seed, node, count).hash(&mut hasher);
    f64::from(u16::try_from(hasher.finish() >> 48).unwrap_or(0)) / f64::from(u16::MAX)
}

fn same_as_planned(transient: &[&str], planned: &Found, now: Option<&Found>) -> Result<()> {
    let Some(now) = now else { bail!("it vanished after the plan was made; run plan again") };
    let changes = crate::diff::diff(&planned.spec, &now.spec);
    let changes = changes.iter().filter(|change| !transient.contains(&change.field()));
    let changes: Vec<_> = changes.map(ToString::to_string).collect();
    if changes.is_empty() {
        return Ok(());
    }
    bail!("someone changed it after the plan was made ({}); run plan again", changes.join("; "))
}

fn blocked(changes: &[crate::diff::Change], hint: Option<&str>) -> String {
    let parts: Vec<_> = changes.iter().map(ToString::to_string).chain(hint.map(ToOwned::to_owned)).collect();
    format!("AWS cannot change this in place: {}", parts.join("; "))
}
