//! Watching a service until its newest deployment has won, or saying why it did not.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, DesiredStatus, Service, ServiceEvent, Task};
use aws_smithy_types::date_time::Format;
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resources::ecs_service::find;
use crate::resources::target_group::{self, TargetState};
use crate::stop_reasons;
use crate::wait::{GaveUp, Poll, Wait};

/// How long a rollout may take: a circuit breaker with default health checks needs a quarter of an hour.
const LONGEST: Duration = Duration::from_secs(30 * 60);
const LOOK: Duration = Duration::from_secs(3);

/// Waits until the deployment that a create or update began is the one that runs.
///
/// A stable service is no proof: after a rollback it is stable too, on the old revision. So the
/// deployment itself must be primary and completed, and every target group healthy.
///
/// # Errors
/// When the deployment fails, with what is known of the reason, or when it takes too long.
pub(crate) async fn watch(context: &Context, cluster: &str, service: &Service, groups: &[String]) -> Result<()> {
    let name = service.service_name.clone().context("a service without a name")?;
    let began = service.deployments().iter().find(|it| it.status() == Some("PRIMARY")).and_then(|it| it.id.clone());
    let began = began.context("a service without a primary deployment")?;
    let wait = Wait::new(format!("deployment {began} to be complete and healthy"), LOOK, LONGEST);
    // What the scheduler said before is of another deployment.
    let told = Told::of(service);
    let story = Story { context, cluster, groups };
    let look = || async {
        let Some(found) = find(context, cluster, &name).await? else { bail!("service {name} vanished") };
        told.tell_news(context, &found);
        let ours = found.deployments().iter().find(|deployment| deployment.id() == Some(&began));
        match ours {
            Some(ours) if ours.rollout_state() == Some(&DeploymentRolloutState::Failed) => {
                bail!(story.of(&found, Some(ours)).await)
            }
            Some(ours) if ours.status() == Some("PRIMARY") => progress(context, ours, groups).await,
            // Another deployment has taken its place: someone else's, or a rollback.
            _ => bail!(story.of(&found, ours).await),
        }
    };
    match context.wait(wait, look).await {
        Err(error) if error.is::<GaveUp>() => {
            let Some(found) = find(context, cluster, &name).await? else { return Err(error) };
            let ours = found.deployments().iter().find(|deployment| deployment.id() == Some(&began));
            bail!("{}\n  {error}", story.of(&found, ours).await)
        }
        other => other,
    }
}

async fn progress(context: &Context, ours: &Deployment, groups: &[String]) -> Result<Poll<()>> {
    let mut state = format!("{} of {} tasks running", ours.running_count, ours.desired_count);
    for (count, what) in [(ours.pending_count, "starting"), (ours.failed_tasks, "failed")] {
        if count > 0 {
            add(&mut state, format_args!(", {count} {what}"));
        }
    }
    // Before any task runs, load balancers know no more than that.
    if ours.running_count == 0 && ours.desired_count > 0 {
        return Ok(Poll::Pending(state));
    }
    let mut unwell = Vec::new();
    for group in groups {
        let states = target_group::health(context, group).await?;
        let healthy = states.iter().filter(|state| state.state == "healthy").count();
        if i32::try_from(healthy).unwrap_or(i32::MAX) < ours.desired_count {
            return Ok(Poll::Pending(format!("{state}; targets: {}", seen(&states))));
        }
        // Those of the deployment before may be well while ours are not.
        unwell.extend(states.into_iter().filter(TargetState::is_unwell));
    }
    let completed = ours.rollout_state() == Some(&DeploymentRolloutState::Completed);
    if completed && ours.running_count >= ours.desired_count {
        return Ok(Poll::Ready(()));
    }
    Ok(Poll::Pending(if unwell.is_empty() { state } else { format!("{state}; targets: {}", seen(&unwell)) }))
}

/// What a load balancer thinks of its targets, with what that means of those that are not well.
fn seen(states: &[TargetState]) -> String {
    let seen: Vec<_> = states.iter().map(ToString::to_string).collect();
    let mut text = if seen.is_empty() { "none yet".to_owned() } else { seen.join(", ") };
    let advice: BTreeSet<_> = states.iter().filter(|state| state.is_unwell()).filter_map(TargetState::advice).collect();
    for advice in advice {
        add(&mut text, format_args!("; that means: {advice}"));
    }
    text
}

/// The events of a service that were passed on already; AWS lists the last hundred each time.
struct Told(Mutex<BTreeSet<String>>);

impl Told {
    fn of(service: &Service) -> Self {
        Self(Mutex::new(service.events().iter().filter_map(|event| event.id.clone()).collect()))
    }

    /// Passes new events on, oldest first.
    fn tell_news(&self, context: &Context, service: &Service) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in service.events().iter().rev() {
            if let (Some(id), Some(message)) = (event.id(), event.message())
                && told.insert(id.to_owned())
            {
                context.note(format_args!("ECS: {message}"));
                if let Some(advice) = meaning(service, event) {
                    context.note(format_args!("that means: {advice}"));
                }
            }
        }
    }
}

/// What an event means, which for some depends on how young the newest deployment was.
fn meaning(service: &Service, event: &ServiceEvent) -> Option<&'static str> {
    let began = service.deployments().iter().filter_map(|it| it.created_at).map(|at| at.secs()).max();
    let since = event.created_at.zip(began).map(|(at, began)| at.secs().saturating_sub(began));
    let since = since.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default();
    stop_reasons::of_event(event.message()?, Duration::from_secs(since))
}

/// Tells the story of a failed deployment: what stopped, what it means, and what runs now.
struct Story<'a> {
    context: &'a Context,
    cluster: &'a str,
    groups: &'a [String],
}

impl Story<'_> {
    async fn of(&self, service: &Service, ours: Option<&Deployment>) -> String {
        let mut story = String::from("the new deployment did not come up");
        if let Some(reason) = ours.and_then(|ours| ours.rollout_state_reason()) {
            add(&mut story, format_args!(": {reason}"));
        }
        let stopped = stopped(self.context, self.cluster, service).await;
        match stopped.map(|tasks| tasks.into_iter().find(|task| !is_replaced(task))) {
            Ok(Some(task)) => {
                add(&mut story, format_args!("\n  {}", explain(&task)));
                story.push_str(&last_words(self.context, &task).await);
            }
            Ok(None) => story.push_str("\n  no task stopped; the last events of the service are below"),
            Err(error) => add(&mut story, format_args!("\n  its tasks could not be read: {error:#}")),
        }
        let mut told = BTreeSet::new();
        for event in service.events().iter().filter(|event| told.insert(event.message())).take(3) {
            add(&mut story, format_args!("\n  event: {}", event.message().unwrap_or_default()));
            // Once is enough of what comes again and again.
            if let Some(advice) = meaning(service, event).filter(|advice| !story.contains(advice)) {
                add(&mut story, format_args!("\n  that means: {advice}"));
            }
        }
        for group in self.groups {
            // Without it, the rest of the story still counts.
            let states = target_group::health(self.context, group).await.unwrap_or_default();
            if states.iter().any(TargetState::is_unwell) {
                add(&mut story, format_args!("\n  targets: {}", seen(&states)));
            }
        }
        story + &what_runs(service, ours)
    }
}

/// What is there instead of a deployment that failed.
fn what_runs(service: &Service, ours: Option<&Deployment>) -> String {
    let others = || service.deployments().iter().filter(|it| it.id() != ours.and_then(|ours| ours.id()));
    let primary = others().find(|it| it.status() == Some("PRIMARY"));
    if let Some(task) = primary.and_then(|primary| primary.task_definition()) {
        return format!("\n  what runs now: {task}");
    }
    let serving = others().find(|it| it.running_count > 0);
    match serving.and_then(|serving| serving.task_definition()) {
        Some(task) => format!("\n  what still runs: {task}; `provision rollback` makes it the one again"),
        None => {
            "\n  nothing runs, and there is no earlier deployment to fall back to; mend the cause and deploy again, or \
                 remove everything with `provision destroy`"
                .to_owned()
        }
    }
}

/// The tasks that stopped of late, the last one first. AWS remembers them for about an hour.
async fn stopped(context: &Context, cluster: &str, service: &Service) -> Result<Vec<Task>> {
    let ecs = &context.aws.ecs;
    let request = ecs.list_tasks().cluster(cluster).set_service_name(service.service_name.clone());
    let listed = request.desired_status(DesiredStatus::Stopped).send().await.map_err(AwsError::from)?;
    let arns = listed.task_arns.unwrap_or_default();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let described = ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns)).send().await.map_err(AwsError::from)?;
    let mut tasks = described.tasks.unwrap_or_default();
    tasks.sort_by_key(|task| Reverse(task.stopped_at.map(|at| at.secs())));
    Ok(tasks)
}

fn explain(task: &Task) -> String {
    let container = task.containers().first();
    let reasons = [task.stopped_reason(), container.and_then(|container| container.reason())];
    let reason: Vec<_> = reasons.into_iter().flatten().collect();
    let reason = reason.join("; ");
    let exit = container.and_then(|container| container.exit_code);
    let mut text = format!("a task stopped: {reason}");
    if let Some(exit) = exit {
        add(&mut text, format_args!(" (exit code {exit})"));
    }
    if let Some(advice) = stop_reasons::advice(&reason, exit) {
        add(&mut text, format_args!("\n  that means: {advice}"));
    }
    text
}

/// How many of a task's last lines help to see why it stopped.
const LINES: i32 = 12;

/// What the stopped task wrote last; a sentence where that cannot be had, because the rest of the story still counts.
async fn last_words(context: &Context, task: &Task) -> String {
    match log_of(context, task).await {
        Ok(lines) if lines.is_empty() => "\n  it wrote nothing to its log".to_owned(),
        Ok(lines) => {
            let text = lines.iter().fold("\n  its log ends with:".to_owned(), |text, line| text + "\n    " + line);
            let advice = lines.iter().find_map(|line| stop_reasons::advice(line, None));
            text + &advice.map_or_else(String::new, |advice| format!("\n  that means: {advice}"))
        }
        Err(error) => format!("\n  its log could not be read: {error:#}"),
    }
}

async fn log_of(context: &Context, task: &Task) -> Result<Vec<String>> {
    let definition = task.task_definition_arn().context("a task without a task definition")?;
    let answer = context.aws.ecs.describe_task_definition().task_definition(definition).send().await;
    let definition = answer.map_err(AwsError::from)?.task_definition.context("no task definition")?;
    let container = definition.container_definitions().first().context("a task definition without containers")?;
    let options = container.log_configuration().and_then(|log| log.options());
    let option = |name: &str| options.and_then(|options| options.get(name)).context("a container without a log");
    let id = task.task_arn().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
    let stream = format!("{}/{}/{id}", option("awslogs-stream-prefix")?, container.name().unwrap_or_default());
    let request = context.aws.logs.get_log_events().log_group_name(option("awslogs-group")?).log_stream_name(stream);
    // A task that never ran has no stream.
    let answer = request.limit(LINES).start_from_head(false).send().await.absent_on(&["ResourceNotFoundException"])?;
    let events = answer.and_then(|answer| answer.events).unwrap_or_default();
    Ok(events.into_iter().filter_map(|event| Some(event.message?.trim_end().to_owned())).collect())
}

/// Waits until a service is gone.
///
/// # Errors
/// When it takes too long, or cannot be read.
pub(crate) async fn gone(context: &Context, cluster: &str, name: &str) -> Result<()> {
    let wait = Wait::new("the service to be gone", LOOK, Duration::from_secs(20 * 60));
    let look = || async {
        Ok(match find(context, cluster, name).await? {
            Some(service) => Poll::Pending(service.status.unwrap_or_default()),
            None => Poll::Ready(()),
        })
    };
    context.wait(wait, look).await
}

/// A service in a few lines.
#[derive(Debug, schemars::JsonSchema, Serialize)]
pub struct Status {
    /// Its name.
    name: String,
    /// How many tasks run.
    running: i32,
    /// How many should.
    desired: i32,
    /// Each deployment's status, state of its rollout, and task definition.
    deployments: Vec<String>,
    /// Tasks that ended by themselves, newest first.
    stopped: Vec<String>,
    /// The last events, newest first.
    events: Vec<String>,
}

/// Reads how a service is doing.
///
/// # Errors
/// When it cannot be read.
pub async fn status(context: &Context, cluster: &str, name: &str) -> Result<Option<Status>> {
    let Some(service) = find(context, cluster, name).await? else { return Ok(None) };
    let deployments = service.deployments().iter().map(|deployment| {
        format!(
            "{} {} {}",
            deployment.status().unwrap_or_default(),
            deployment.rollout_state().map_or("", |state| state.as_str()),
            deployment.task_definition().unwrap_or_default()
        )
    });
    let stopped = stopped(context, cluster, &service).await?;
    let ended = stopped.iter().filter(|task| !is_replaced(task)).take(3);
    let events = service.events().iter().take(5).filter_map(|event| event.message.clone());
    Ok(Some(Status {
        name: name.to_owned(),
        running: service.running_count,
        desired: service.desired_count,
        deployments: deployments.collect(),
        stopped: ended.map(|task| format!("{} {}", ended_at(task), explain(task))).collect(),
        events: events.collect(),
    }))
}

/// Whether a task stopped because another deployment or another size of the service wanted it so.
fn is_replaced(task: &Task) -> bool {
    task.stopped_reason().is_some_and(|reason| reason.starts_with("Scaling activity initiated by"))
}

fn ended_at(task: &Task) -> String {
    task.stopped_at.and_then(|at| at.fmt(Format::DateTime).ok()).unwrap_or_default()
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} tasks running", self.name, self.running, self.desired)?;
        for deployment in &self.deployments {
            write!(f, "\n  deployment {deployment}")?;
        }
        for task in &self.stopped {
            write!(f, "\n  stopped    {task}")?;
        }
        for event in &self.events {
            write!(f, "\n  event      {event}")?;
        }
        Ok(())
    }
}

/// Appends to a text, which cannot fail.
fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    std::fmt::Write::write_fmt(text, more).expect("a text takes all that memory holds");
}
