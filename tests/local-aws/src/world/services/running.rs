//! Tasks that run or are about to, and sessions in them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{CHECKING, Deployment, Service, short};
use crate::answer::Refusal;
use crate::call::Call;
use crate::policy::Policy;
use crate::world::{World, epoch, text};
use crate::{ACCOUNT, REGION};

/// From a task's start until its agent for commands runs.
const AGENT_STARTS: Duration = Duration::from_secs(10);
/// From a task's start until that agent is connected, and takes commands.
const AGENT_CONNECTS: Duration = Duration::from_secs(30);

/// What opens a session, and is nobody's business but the caller's.
pub const SESSION_TOKEN: &str = "AAEAAXSimulatedSessionToken4711";

/// A task of a deployment that succeeds.
pub(super) struct Running {
    pub(super) service: String,
    cluster: String,
    pub(super) arn: String,
    task_definition: String,
    created: Duration,
    started: Duration,
    healthy: Duration,
    open: bool,
}

/// All tasks that should run, the newest deployment's of each service first.
pub(super) fn all(world: &World) -> impl Iterator<Item = Running> {
    let now = world.now;
    let services = world.services.by_name.iter().filter(|(_, service)| !service.is_draining());
    services.flat_map(move |(name, service)| {
        let replaced = service.deployments.iter().position(|it| it.story.healthy.is_some_and(|at| at <= now));
        // What is older than one that serves is on its way out.
        let last = replaced.unwrap_or(service.deployments.len().saturating_sub(1));
        let deployments = service.deployments.iter().take(last + 1);
        deployments.flat_map(move |deployment| of(name, service, deployment))
    })
}

fn of(name: &str, service: &Service, deployment: &Deployment) -> Vec<Running> {
    let Some(healthy) = deployment.story.healthy else { return Vec::new() };
    let task = |index: i64| Running {
        service: name.to_owned(),
        cluster: service.cluster.clone(),
        arn: format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/{}/{}", service.cluster, id(deployment, index)),
        task_definition: deployment.task_definition.clone(),
        created: deployment.began,
        started: healthy.saturating_sub(CHECKING).max(deployment.began),
        healthy,
        open: deployment.open,
    };
    (0..service.desired()).map(task).collect()
}

/// Thirty-two hexadecimal digits, the same in every run.
fn id(deployment: &Deployment, index: i64) -> String {
    let number: u64 = short(&deployment.id).parse().unwrap_or_default();
    format!("{number:08x}{:024x}", 0xe5c0_0000_0000_i64 + index)
}

impl Running {
    fn runs(&self, world: &World) -> bool {
        self.started <= world.now
    }

    /// What the agent for commands is; nothing where there is none.
    fn agent(&self, world: &World) -> Option<Value> {
        if !self.open {
            return None;
        }
        let name = "ExecuteCommandAgent";
        if let Some(reason) = world.broken_agent.as_ref().filter(|_| self.runs(world)) {
            return Some(json!({"name": name, "lastStatus": "STOPPED", "reason": reason}));
        }
        let takes = if world.holds("agents_connect") { AGENT_STARTS } else { Duration::ZERO };
        let runs = self.started + takes <= world.now;
        Some(json!({"name": name, "lastStatus": if runs { "RUNNING" } else { "PENDING" }}))
    }

    pub(super) fn described(&self, world: &World) -> Value {
        let status = if self.runs(world) { "RUNNING" } else { "PENDING" };
        let health = if self.healthy <= world.now { "HEALTHY" } else { "UNKNOWN" };
        let definition = world.task_definitions.get(&self.task_definition).cloned().unwrap_or_default();
        let containers = definition["containerDefinitions"].as_array().into_iter().flatten().map(|it| {
            let mut container = json!({
                "name": it["name"], "taskArn": self.arn, "lastStatus": status, "healthStatus": health,
            });
            if self.runs(world) {
                let (id, number) = (short(&self.arn), self.arn.len());
                container["runtimeId"] = json!(format!("{id}-{number:010}"));
            }
            container["managedAgents"] = json!(self.agent(world).into_iter().collect::<Vec<_>>());
            container
        });
        let mut task = json!({
            "taskArn": self.arn, "taskDefinitionArn": self.task_definition, "lastStatus": status,
            "clusterArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{}", self.cluster),
            "desiredStatus": "RUNNING", "healthStatus": health, "createdAt": epoch(self.created),
            "group": format!("service:{}", self.service), "launchType": "FARGATE",
            "enableExecuteCommand": self.open, "containers": containers.collect::<Vec<_>>(),
        });
        if self.runs(world) {
            task["startedAt"] = epoch(self.started);
        }
        task
    }
}

/// Whether a call wants into a task that does not let anybody in.
pub(crate) fn is_closed(world: &World, call: &Call) -> bool {
    find(world, call).is_some_and(|task| !task.open)
}

fn find(world: &World, call: &Call) -> Option<Running> {
    all(world).find(|task| short(&task.arn) == short(call.text("task")))
}

/// Whether the role of a task lets its agent connect.
fn may_connect(world: &World, definition: &Value) -> bool {
    let role = world.roles.get(short(definition["taskRoleArn"].as_str().unwrap_or_default()));
    let policies = role.into_iter().flat_map(|role| role.policies.values());
    let policies: Vec<_> = policies.filter_map(|it| serde_json::from_str(it).ok()).map(|it| Policy::of(&it)).collect();
    ["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"]
        .iter()
        .all(|action| policies.iter().any(|policy| policy.allows(&format!("ssmmessages:{action}"))))
}

pub(super) fn execute(world: &World, call: &Call) -> Result<Value, Refusal> {
    let invalid = |message: &str| Err(Refusal::new("InvalidParameterException", message));
    let cluster = short(call.text("cluster"));
    let Some(task) = find(world, call).filter(|task| task.cluster == cluster) else {
        return invalid("The referenced task was not found.");
    };
    let definition = world.task_definitions.get(&task.task_definition).cloned().unwrap_or_default();
    let names: Vec<_> =
        definition["containerDefinitions"].as_array().into_iter().flatten().map(|it| text(&it["name"])).collect();
    let wanted = call.text("container");
    let Some(container) = names.iter().find(|it| *it == wanted || (wanted.is_empty() && names.len() == 1)) else {
        return invalid("The referenced container was not found in the task.");
    };
    if !task.runs(world) || world.broken_agent.is_some() {
        return invalid(CLOSED);
    }
    let connected = task.started + AGENT_CONNECTS <= world.now && may_connect(world, &definition);
    if world.holds("agents_connect") && !connected {
        let message = "The execute command failed due to an internal error. Try again later.";
        return Err(Refusal::new("TargetNotConnectedException", message));
    }
    Ok(json!({
        "clusterArn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{cluster}"),
        "taskArn": task.arn,
        "containerName": container,
        "interactive": true,
        "session": {
            "sessionId": "ecs-execute-command-0123456789abcdef0",
            "streamUrl": format!("wss://ssmmessages.{REGION}.amazonaws.com/v1/data-channel/ecs-execute-command-0"),
            "tokenValue": SESSION_TOKEN,
        },
    }))
}

/// What AWS says of a task without exec, and of one whose agent is away.
pub(crate) const CLOSED: &str = "The execute command failed because execute command was not enabled when the task was \
    run or the execute command agent isn\u{2019}t running. Wait and try again or run a new task with execute command \
    enabled and try again.";
