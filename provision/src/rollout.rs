//! Watching a service until its newest deployment has won, or saying why it did not.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, DesiredStatus, Service, Task};
use aws_smithy_types::date_time::Format;
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resources::ecs_service::find;
use crate::resources::target_group;
use crate::stop_reasons;
use crate::wait::{Poll, Wait};

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
    let look = || async {
        let Some(found) = find(context, cluster, &name).await? else { bail!("service {name} vanished") };
        told.tell_news(context, &found);
        let ours = found.deployments().iter().find(|deployment| deployment.id() == Some(&began));
        match ours {
            Some(ours) if ours.rollout_state() == Some(&DeploymentRolloutState::Failed) => {
                bail!(failure(context, cluster, &found, Some(ours)).await)
            }
            Some(ours) if ours.status() == Some("PRIMARY") => progress(context, ours, groups).await,
            // Another deployment has taken its place: someone else's, or a rollback.
            _ => bail!(failure(context, cluster, &found, ours).await),
        }
    };
    context.wait(wait, look).await
}

async fn progress(context: &Context, ours: &Deployment, groups: &[String]) -> Result<Poll<()>> {
    let mut state = format!("{} of {} tasks running", ours.running_count, ours.desired_count);
    for (count, what) in [(ours.pending_count, "starting"), (ours.failed_tasks, "failed")] {
        if count > 0 {
            add(&mut state, format_args!(", {count} {what}"));
        }
    }
    // A stand-in may not know this state; then the number of tasks has to do.
    let completed = ours.rollout_state() == Some(&DeploymentRolloutState::Completed);
    if !completed || ours.running_count < ours.desired_count {
        return Ok(Poll::Pending(state));
    }
    for group in groups {
        let states = target_group::health(context, group).await?;
        let healthy = states.iter().filter(|state| state.state == "healthy").count();
        if i32::try_from(healthy).unwrap_or(i32::MAX) < ours.desired_count {
            let seen: Vec<_> = states.iter().map(ToString::to_string).collect();
            return Ok(Poll::Pending(format!("{state}; targets: {}", seen.join(", "))));
        }
    }
    Ok(Poll::Ready(()))
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
            }
        }
    }
}

/// Tells the story of a failed deployment: what stopped, what it means, and what runs now.
async fn failure(context: &Context, cluster: &str, service: &Service, ours: Option<&Deployment>) -> String {
    let mut story = String::from("the new deployment did not come up");
    if let Some(reason) = ours.and_then(|ours| ours.rollout_state_reason()) {
        add(&mut story, format_args!(": {reason}"));
    }
    match stopped(context, cluster, service).await.map(|tasks| tasks.into_iter().next()) {
        Ok(Some(task)) => {
            add(&mut story, format_args!("\n  {}", explain(&task)));
            story.push_str(&last_words(context, &task).await);
        }
        Ok(None) => story.push_str("\n  no task stopped; the last events of the service are below"),
        Err(error) => add(&mut story, format_args!("\n  its tasks could not be read: {error:#}")),
    }
    for event in service.events().iter().take(3) {
        add(&mut story, format_args!("\n  event: {}", event.message().unwrap_or_default()));
    }
    let primary = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
    let other = primary.filter(|primary| primary.id() != ours.and_then(|ours| ours.id()));
    match other.and_then(|primary| primary.task_definition()) {
        Some(task) => add(&mut story, format_args!("\n  what runs now: {task}")),
        None => story.push_str("\n  there is no earlier deployment to fall back to; mend the cause and deploy again"),
    }
    story
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
        Ok(lines) => lines.iter().fold("\n  its log ends with:".to_owned(), |text, line| text + "\n    " + line),
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
