//! A session in a running task (ECS Exec): which task is meant, whether it can be entered, and opening it.

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_sdk_ecs::types::{Container, DesiredStatus, HealthStatus, ManagedAgentName, Service, Task};
use aws_smithy_types::date_time::Format;
use serde_json::json;
use thiserror::Error;

use crate::aws::AwsError;
use crate::context::Context;
use crate::resources::ecs_cluster::pairs;
use crate::resources::ecs_service;
use crate::retry;
use crate::wait::{Poll, Wait};

/// How long the agent in a new task may take to connect; it takes half a minute as a rule.
const LONGEST: Duration = Duration::from_secs(2 * 60);
const LOOK: Duration = Duration::from_secs(3);

/// How many tasks AWS describes at once.
const AT_ONCE: usize = 100;

/// The service whose tasks are meant.
#[derive(Debug)]
pub(crate) struct Place {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The service's name.
    pub(crate) service: String,
    /// Whether the configuration wants its tasks to be open.
    pub(crate) wants_open: bool,
}

/// Why nobody can go into a task, and what to do about it.
#[derive(Debug, Error)]
pub(crate) enum NoWayIn {
    #[error("there is no service yet; run `provision deploy`")]
    NoService,
    #[error("no task of service {0} runs; `provision status` says why")]
    NoTask(String),
    #[error("no task of service {0} runs yet, {1} on the way; try again in a minute, or look at `provision status`")]
    NotYet(String, usize),
    #[error("{0} is in cluster {1}, but this environment's is {2}; name another task, or another --environment")]
    OtherCluster(String, String, String),
    #[error("there is no task {0} in cluster {1}; those of the service are {2}")]
    Unknown(String, String, String),
    #[error("task {0} is {1}; only one that runs can be entered")]
    NotRunning(String, String),
    #[error("task {0} has no container {1}; it has {2}")]
    NoContainer(String, String, String),
    #[error(
        "nobody can run commands in tasks of service {0}; set `service.exec = true` in the configuration and run \
         `provision deploy`, which replaces the tasks: one that began without it stays closed"
    )]
    Off(String),
    #[error(
        "`service.exec` is on in the configuration, but not for service {0} on AWS; run `provision deploy`, which \
         replaces the tasks: one that began without it stays closed"
    )]
    NotDeployed(String),
    #[error(
        "task {0} began before `service.exec` was switched on and stays closed; name a younger one, or let ECS replace it: \
         aws ecs stop-task --cluster {1} --task {0}"
    )]
    TooOld(String, String),
    #[error(
        "task {0} cannot be entered; another one may do, for the agent that runs commands in this one has stopped: {1}"
    )]
    AgentStopped(String, String),
}

/// A task that was chosen, and out of how many.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// Its ARN.
    pub(crate) arn: String,
    /// Since when it runs.
    since: String,
    healthy: bool,
    /// How many tasks run in all.
    of: usize,
    named: bool,
}

impl Chosen {
    /// The end of its ARN.
    pub(crate) fn id(&self) -> &str {
        short(&self.arn)
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}, running since {}", self.id(), self.since)?;
        let healthy = if self.healthy { "healthy " } else { "" };
        match (self.named, self.of) {
            (true, _) => Ok(()),
            (false, 1) => write!(f, ", the only one"),
            (false, of) => write!(f, ", the newest {healthy}one of {of} (--task names another)"),
        }?;
        if self.healthy { Ok(()) } else { write!(f, "; it is not known to be healthy") }
    }
}

/// The last part of an ARN, or a name as it is.
fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Finds the task that is meant: the named one, or the newest healthy one.
///
/// # Errors
/// [`NoWayIn`] when there is none, or when nobody gets into it; any failure to look.
pub(crate) async fn choose(context: &Context, place: &Place, named: Option<&str>, container: &str) -> Result<Chosen> {
    let Some(service) = ecs_service::find(context, &place.cluster, &place.service).await? else {
        return Err(NoWayIn::NoService.into());
    };
    context.aws.owner.check(format_args!("service {}", place.service), pairs(service.tags()))?;
    let tasks = tasks(context, place).await?;
    let of = tasks.iter().filter(|task| runs(task)).count();
    let task = match named {
        Some(named) => self::named(context, place, named, &tasks).await?,
        None => newest(tasks, place)?,
    };
    check_open(&task, &service, place)?;
    let chosen = Chosen {
        since: task.started_at.and_then(|at| at.fmt(Format::DateTime).ok()).unwrap_or_default(),
        healthy: task.health_status() == Some(&HealthStatus::Healthy),
        arn: task.task_arn.clone().unwrap_or_default(),
        of,
        named: named.is_some(),
    };
    // An agent on its way is waited for later.
    not_ready(self::container(&task, &chosen, container)?, &chosen)?;
    Ok(chosen)
}

/// The tasks of the service that should run.
async fn tasks(context: &Context, place: &Place) -> Result<Vec<Task>> {
    let ecs = &context.aws.ecs;
    let request = ecs.list_tasks().cluster(&place.cluster).service_name(&place.service);
    let mut pages = request.desired_status(DesiredStatus::Running).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        arns.extend(page.map_err(AwsError::from).context("listing the tasks")?.task_arns.unwrap_or_default());
    }
    let mut tasks = Vec::new();
    for arns in arns.chunks(AT_ONCE) {
        tasks.extend(describe(context, place, arns).await?);
    }
    Ok(tasks)
}

/// The tasks of these ARNs or identifiers, as far as AWS remembers them.
async fn describe(context: &Context, place: &Place, arns: &[String]) -> Result<Vec<Task>> {
    let request = context.aws.ecs.describe_tasks().cluster(&place.cluster).set_tasks(Some(arns.to_vec()));
    let answer = request.send().await.map_err(AwsError::from).context("describing the tasks")?;
    Ok(answer.tasks.unwrap_or_default())
}

fn runs(task: &Task) -> bool {
    task.last_status() == Some("RUNNING") && task.desired_status() == Some("RUNNING")
}

/// One that can be entered before one that cannot, a healthy one before another, the newest before an older one.
fn newest(tasks: Vec<Task>, place: &Place) -> Result<Task, NoWayIn> {
    let on_the_way = tasks.len();
    let preference = |task: &Task| {
        let healthy = task.health_status() == Some(&HealthStatus::Healthy);
        // Of two that began in the same moment, always the same one.
        (task.enable_execute_command, healthy, task.started_at, Reverse(task.task_arn.clone()))
    };
    let service = || place.service.clone();
    tasks.into_iter().filter(runs).max_by_key(preference).ok_or_else(|| match on_the_way {
        0 => NoWayIn::NoTask(service()),
        some => NoWayIn::NotYet(service(), some),
    })
}

/// The task of an identifier or an ARN.
async fn named(context: &Context, place: &Place, named: &str, tasks: &[Task]) -> Result<Task> {
    // An ARN is arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID.
    if let [_, cluster, _] = named.split('/').collect::<Vec<_>>()[..]
        && cluster != place.cluster
    {
        let cluster = cluster.to_owned();
        return Err(NoWayIn::OtherCluster(named.to_owned(), cluster, place.cluster.clone()).into());
    }
    let id = short(named);
    let ours = |task: &&Task| task.task_arn().is_some_and(|arn| short(arn) == id);
    let task = match tasks.iter().find(ours) {
        Some(task) => task.clone(),
        // It may have stopped of late, or be no task of the service.
        None => describe(context, place, &[id.to_owned()]).await?.into_iter().next().ok_or_else(|| {
            let there: Vec<_> = tasks.iter().filter_map(|task| task.task_arn().map(short)).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            NoWayIn::Unknown(id.to_owned(), place.cluster.clone(), there)
        })?,
    };
    if runs(&task) { Ok(task) } else { Err(not_running(&task).into()) }
}

fn not_running(task: &Task) -> NoWayIn {
    let reason = task.stopped_reason().filter(|reason| !reason.is_empty());
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let id = short(task.task_arn().unwrap_or_default()).to_owned();
    NoWayIn::NotRunning(id, format!("{}{reason}", task.last_status().unwrap_or("unknown")))
}

/// Whether it is open is settled when a task begins.
fn check_open(task: &Task, service: &Service, place: &Place) -> Result<(), NoWayIn> {
    if task.enable_execute_command {
        return Ok(());
    }
    let name = place.service.clone();
    Err(match (service.enable_execute_command, place.wants_open) {
        (true, _) => NoWayIn::TooOld(short(task.task_arn().unwrap_or_default()).to_owned(), place.cluster.clone()),
        (false, true) => NoWayIn::NotDeployed(name),
        (false, false) => NoWayIn::Off(name),
    })
}

/// A session that waits for somebody to hold it.
pub(crate) struct Opened {
    /// Where it is: cluster, task and container, as Session Manager names them.
    pub(crate) target: String,
    id: String,
    stream_url: String,
    token: String,
}

/// Without the token: whoever has it is in.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("target", &self.target).field("id", &self.id).finish_non_exhaustive()
    }
}

impl Opened {
    /// The session as its holder wants it, with the token: for nobody else.
    pub(crate) fn secret_json(&self) -> String {
        json!({"sessionId": self.id, "streamUrl": self.stream_url, "tokenValue": self.token}).to_string()
    }
}

/// Opens a session that runs a command, waiting for the task's agent if it is only on its way.
///
/// # Errors
/// [`NoWayIn`] when the task cannot be entered; any refusal; and when the agent takes too long.
pub(crate) async fn open(context: &Context, place: &Place, task: &Chosen, asked: &Asked) -> Result<Opened> {
    let knock = || knock(context, place, task, asked);
    match knock().await? {
        Poll::Ready(opened) => Ok(opened),
        Poll::Pending(_) => {
            let what = format!("the agent that runs commands in task {}", task.id());
            context.wait(Wait::new(what, LOOK, LONGEST), knock).await
        }
    }
}

/// What to run, and where in the task.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The container's name.
    pub(crate) container: String,
    /// The command as one text, which the agent takes apart like a shell.
    pub(crate) command: String,
}

/// What a new task's agent answers for half a minute, and one without the means for ever.
const NOT_CONNECTED: &str =
    "it is not connected; if that lasts, the task's role lacks ssmmessages, or port 443 is closed to the outside";

async fn knock(context: &Context, place: &Place, task: &Chosen, asked: &Asked) -> Result<Poll<Opened>> {
    let found = describe(context, place, &[task.id().to_owned()]).await?;
    let Some(found) = found.into_iter().next() else {
        return Err(NoWayIn::NotRunning(task.id().to_owned(), "gone".to_owned()).into());
    };
    if !runs(&found) {
        return Err(not_running(&found).into());
    }
    let container = container(&found, task, &asked.container)?;
    if let Some(state) = not_ready(container, task)? {
        return Ok(Poll::Pending(state));
    }
    let Some(runtime_id) = container.runtime_id() else {
        return Ok(Poll::Pending("its container is not up yet".to_owned()));
    };
    let target = format!("ecs:{}_{}_{runtime_id}", place.cluster, task.id());
    // Only what AWS did not take is sent again: a command that may have run already is not for us to repeat.
    let ask = || async {
        let request = context.aws.ecs.execute_command().cluster(&place.cluster).task(&task.arn);
        let request = request.container(&asked.container).command(&asked.command).interactive(true);
        request.send().await.map_err(|error| AwsError::from(error).into())
    };
    let answer = match retry::unhurried(context, ask).await {
        Ok(answer) => answer,
        Err(error) if may_pass(&error) => return Ok(Poll::Pending(NOT_CONNECTED.to_owned())),
        Err(error) => return Err(error.context(format!("opening a session in task {}", task.id()))),
    };
    let session = answer.session.context("AWS opened a session and does not tell which")?;
    Ok(Poll::Ready(Opened {
        target,
        id: session.session_id.unwrap_or_default(),
        stream_url: session.stream_url.unwrap_or_default(),
        token: session.token_value.unwrap_or_default(),
    }))
}

fn container<'a>(found: &'a Task, task: &Chosen, wanted: &str) -> Result<&'a Container, NoWayIn> {
    found.containers().iter().find(|it| it.name() == Some(wanted)).ok_or_else(|| {
        let there: Vec<_> = found.containers().iter().filter_map(|it| it.name()).collect();
        NoWayIn::NoContainer(task.id().to_owned(), wanted.to_owned(), there.join(", "))
    })
}

/// What the agent is, if it is not running.
fn not_ready(container: &Container, task: &Chosen) -> Result<Option<String>, NoWayIn> {
    let agent = container.managed_agents().iter().find(|it| it.name() == Some(&ManagedAgentName::ExecuteCommandAgent));
    let Some(agent) = agent else { return Ok(Some("AWS does not tell of it yet".to_owned())) };
    let reason = agent.reason().filter(|reason| !reason.is_empty());
    match agent.last_status() {
        Some("RUNNING") => Ok(None),
        Some("STOPPED") => {
            let reason = reason.unwrap_or("AWS does not say why").to_owned();
            Err(NoWayIn::AgentStopped(task.id().to_owned(), reason))
        }
        status => {
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            Ok(Some(format!("it is {}{reason}", status.unwrap_or("unknown"))))
        }
    }
}

/// The task is open, so either refusal means that the agent is not there yet, or for a moment not.
fn may_pass(error: &anyhow::Error) -> bool {
    let Some(error) = error.downcast_ref::<AwsError>() else { return false };
    error.is("TargetNotConnectedException")
        || (error.is("InvalidParameterException") && error.message.contains("Wait and try again"))
}

/// One text of words that the agent takes apart into the same words: it splits like a shell, without being one.
pub(crate) fn joined(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            return word.clone();
        }
        format!("'{}'", word.replace('\'', r"'\''"))
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::primitives::DateTime;
    use aws_sdk_ecs::types::ManagedAgent;

    use super::*;

    fn place() -> Place {
        Place { cluster: "cluster".to_owned(), service: "service".to_owned(), wants_open: true }
    }

    fn task(id: &str, started: i64, health: HealthStatus, open: bool) -> Task {
        let task = Task::builder().task_arn(format!("arn:aws:ecs:r:1:task/cluster/{id}")).enable_execute_command(open);
        let task = task.last_status("RUNNING").desired_status("RUNNING").health_status(health);
        task.started_at(DateTime::from_secs(started)).build()
    }

    fn chosen(tasks: Vec<Task>) -> String {
        newest(tasks, &place()).unwrap().task_arn.unwrap()
    }

    #[test]
    fn the_newest_healthy_task_that_is_open_is_taken() {
        use HealthStatus::{Healthy, Unhealthy, UnknownValue};
        let (old, new) = (task("old", 1, Healthy, true), task("new", 2, Healthy, true));
        assert!(chosen(vec![old.clone(), new.clone()]).ends_with("/new"));
        assert!(chosen(vec![new.clone(), old.clone(), task("young", 3, UnknownValue, true)]).ends_with("/new"));
        assert!(chosen(vec![old, task("closed", 3, Healthy, false)]).ends_with("/old"));
        // One that is not well is just what somebody wants to look into.
        assert!(chosen(vec![task("ill", 1, Unhealthy, true)]).ends_with("/ill"));
        let mut starting = task("starting", 4, UnknownValue, true);
        starting.last_status = Some("PENDING".to_owned());
        assert!(chosen(vec![starting.clone(), new]).ends_with("/new"));
        assert!(matches!(newest(vec![starting], &place()), Err(NoWayIn::NotYet(_, 1))));
        assert!(matches!(newest(Vec::new(), &place()), Err(NoWayIn::NoTask(_))));
    }

    #[test]
    fn an_agent_on_its_way_is_waited_for_and_one_that_stopped_is_not() {
        let task = Chosen { arn: "a/1".to_owned(), since: String::new(), healthy: true, of: 1, named: false };
        let container = |status: &str| {
            let agent = ManagedAgent::builder().name(ManagedAgentName::ExecuteCommandAgent).last_status(status);
            Container::builder().managed_agents(agent.reason("no disk").build()).build()
        };
        assert_eq!(not_ready(&container("RUNNING"), &task).unwrap(), None);
        assert_eq!(not_ready(&container("PENDING"), &task).unwrap().unwrap(), "it is PENDING (no disk)");
        let error = not_ready(&container("STOPPED"), &task).unwrap_err().to_string();
        assert!(error.contains("has stopped: no disk"), "{error}");
        assert!(not_ready(&Container::builder().build(), &task).unwrap().is_some());
    }

    #[test]
    fn words_survive_being_joined_and_taken_apart_as_a_shell_does() {
        let words = ["/app/app", "", "two words", "it's", "$HOME", "a\"b\\c", "#no-comment", "天気", "--key=value"];
        let words = words.map(ToOwned::to_owned);
        let text = joined(&words);
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("for word in {text}; do printf '%s\\n' \"$word\"; done")])
            .output()
            .unwrap();
        let apart: Vec<_> = str::from_utf8(&output.stdout).unwrap().lines().map(ToOwned::to_owned).collect();
        assert_eq!(apart, words, "{text}");
        assert_eq!(joined(&["/app/app".to_owned(), "health".to_owned()]), "/app/app health");
    }

    #[test]
    fn what_can_be_shown_of_a_session_has_no_token() {
        let text = |token: &str| Opened {
            target: "ecs:c_t_r".to_owned(),
            id: "ecs-execute-command-1".to_owned(),
            stream_url: "wss://there".to_owned(),
            token: token.to_owned(),
        };
        assert!(!format!("{:?}", text("4711")).contains("4711"));
        assert!(text("4711").secret_json().contains("\"tokenValue\":\"4711\""));
    }
}
