//! ECS services: deployments that take their time, tasks that fail for AWS's reasons, the circuit breaker.
//!
//! The story of a deployment is decided when it begins: from what the account holds, at which moment its first task
//! becomes healthy, which tasks stop before that and why, or when the circuit breaker gives it up.

mod deployments;
mod running;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::interfaces::NewInterface;
use super::{World, epoch, text};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::policy::Policy;
use crate::{ACCOUNT, REGION};

pub use running::SESSION_TOKEN;
pub(crate) use running::{CLOSED, is_closed};

/// Pulling the image and starting.
const STARTING: Duration = Duration::from_secs(40);
/// From running to healthy behind the load balancer.
const CHECKING: Duration = Duration::from_secs(20);
/// What a load balancer gives a target's requests to end, unless it is told otherwise.
const DEREGISTRATION: u64 = 300;
/// From the order to stop until a task is gone, when no request holds it.
const STOPPING: Duration = Duration::from_secs(40);
/// From a task's end until its interface is gone.
const LINGERING: Duration = Duration::from_secs(20);
/// From a task's failure to the next try.
const BACK_OFF: Duration = Duration::from_secs(30);
/// How old a role must be before ECS can assume it.
pub(crate) const ROLE_SETTLES: Duration = Duration::from_secs(10);
/// How many failed tasks the circuit breaker allows a service of one task.
const THRESHOLD: usize = 3;

/// The services by name; names are unique in their cluster, and the stack has one cluster.
#[derive(Debug, Default)]
pub struct Services {
    by_name: BTreeMap<String, Service>,
    deployments: u64,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// The cluster's name.
    pub cluster: String,
    /// When it was created.
    pub created: Duration,
    /// When it becomes inactive, once it was deleted.
    pub inactive: Option<Duration>,
    /// As it was asked for, changes included.
    settings: Map<String, Value>,
    /// The newest first.
    deployments: Vec<Deployment>,
    events: Vec<(Duration, String)>,
}

#[derive(Clone, Debug)]
struct Deployment {
    id: String,
    task_definition: String,
    began: Duration,
    story: Story,
    /// Whether it is the way back from another one.
    is_rollback: bool,
    /// Until the tasks of the deployment before are drained.
    drains: Duration,
    /// When somebody stopped it.
    stopped: Option<Duration>,
    /// Whether commands can be run in its tasks: what the service allowed when it began.
    open: bool,
}

#[derive(Clone, Debug, Default)]
struct Story {
    stopped: Vec<(Duration, String, Option<i64>)>,
    healthy: Option<Duration>,
    given_up: Option<Duration>,
}

impl Services {
    /// The services of a cluster that are not inactive.
    pub fn active<'a>(&'a self, cluster: &'a str, now: Duration) -> impl Iterator<Item = (&'a String, &'a Service)> {
        self.by_name.iter().filter(move |(_, it)| it.cluster == cluster && it.inactive.is_none_or(|gone| gone > now))
    }

    /// All services that are not inactive.
    pub fn all_active(&self, now: Duration) -> impl Iterator<Item = &Service> {
        self.by_name.values().filter(move |it| it.inactive.is_none_or(|gone| gone > now))
    }

    /// A service that is not inactive.
    pub fn get(&self, name: &str, now: Duration) -> Option<&Service> {
        self.by_name.get(name).filter(|it| it.inactive.is_none_or(|gone| gone > now))
    }

    /// Whether a deployment, by the end of its ARN, is on its way.
    pub fn is_running(&self, arn: &str, now: Duration) -> bool {
        let all = self.by_name.values().flat_map(|it| &it.deployments);
        all.filter(|it| short(&it.id) == short(arn)).any(|it| it.is_running(now))
    }

    fn next_id(&mut self) -> String {
        self.deployments += 1;
        format!("ecs-svc/{:019}", self.deployments)
    }
}

impl Service {
    /// Whether it is going away.
    pub fn is_draining(&self) -> bool {
        self.inactive.is_some()
    }

    /// How many tasks there should be.
    pub fn desired(&self) -> i64 {
        self.settings.get("desiredCount").and_then(Value::as_i64).unwrap_or(1)
    }

    /// Whether it was created by a call with the same token.
    pub fn has_token(&self, call: &Call) -> bool {
        self.settings.get("clientToken") == Some(&call.fields["clientToken"])
    }

    /// The task definition of the newest deployment.
    pub fn task_definition(&self) -> &str {
        self.deployments.first().map_or("", |it| &it.task_definition)
    }
}

impl Deployment {
    /// Whether it has neither arrived nor failed.
    fn is_running(&self, now: Duration) -> bool {
        let arrived = self.story.healthy.is_some_and(|at| at + self.drains <= now);
        let failed = self.story.given_up.is_some_and(|at| at <= now);
        !arrived && !failed && self.stopped.is_none()
    }
}

/// The last part of an ARN, or a name as it is.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    advance(world);
    let answer = match call.operation.as_str() {
        "CreateService" => create(world, call),
        "UpdateService" => update(world, call),
        "DeleteService" => delete(world, call),
        "DescribeServices" => describe(world, call),
        "ListTasks" => list_tasks(world, call),
        "DescribeTasks" => describe_tasks(world, call),
        "ExecuteCommand" => running::execute(world, call),
        "ListServiceDeployments" => Ok(deployments::list(world, call)),
        "DescribeServiceDeployments" => Ok(deployments::describe(world, call)),
        "DescribeServiceRevisions" => Ok(deployments::revisions(world, call)),
        "StopServiceDeployment" => Ok(deployments::stop(world, call)),
        _ => return None,
    };
    Some(answer.map(|body| Answer::json(&body)))
}

/// Lets circuit breakers act that had their moment since the last call.
fn advance(world: &mut World) {
    let now = world.now;
    let names: Vec<String> = world.services.by_name.keys().cloned().collect();
    for name in names {
        let Some(service) = world.services.by_name.get(&name) else { continue };
        let Some(newest) = service.deployments.first() else { continue };
        let given_up = newest.story.given_up.filter(|at| *at <= now).or(newest.stopped);
        let Some(given_up) = given_up else { continue };
        let configuration = service.settings.get("deploymentConfiguration").cloned().unwrap_or_default();
        let rolls_back =
            newest.stopped.is_some() || configuration["deploymentCircuitBreaker"]["rollback"] == json!(true);
        let good = service.deployments[1..].iter().find(|it| it.story.healthy.is_some()).cloned();
        let is_rollback = newest.is_rollback;
        let Some(good) = good.filter(|_| rolls_back && !is_rollback) else { continue };
        let settings = service.settings.clone();
        let deployment = deployment(world, &good.task_definition, &settings, given_up, true);
        if let Some(service) = world.services.by_name.get_mut(&name) {
            service.settings.insert("taskDefinition".to_owned(), json!(good.task_definition));
            service.events.push((given_up, format!("(service {name}) rolling back to deployment {}.", deployment.id)));
            service.deployments.insert(0, deployment);
        }
    }
}

fn deployment(
    world: &mut World,
    task_definition: &str,
    settings: &Map<String, Value>,
    began: Duration,
    is_rollback: bool,
) -> Deployment {
    let story = story(world, task_definition, began);
    let id = world.services.next_id();
    let drains = drains(world, &settings.get("loadBalancers").cloned().unwrap_or_default());
    let task_definition = task_definition.to_owned();
    let open = settings.get("enableExecuteCommand") == Some(&json!(true));
    Deployment { id, task_definition, began, story, is_rollback, drains, stopped: None, open }
}

/// How long the load balancer holds tasks back that shall go: as long as the slowest of their target groups.
fn drains(world: &World, balancers: &Value) -> Duration {
    if !world.holds("deployments_take_time") {
        return Duration::ZERO;
    }
    let groups = balancers.as_array().into_iter().flatten().map(|it| text(&it["targetGroupArn"]));
    let delay = |group: String| {
        let group = world.load_balancing.get(&group)?;
        Some(group.attribute("deregistration_delay.timeout_seconds").parse().unwrap_or(DEREGISTRATION))
    };
    Duration::from_secs(groups.filter_map(delay).max().unwrap_or_default())
}

/// Plays a deployment through, try by try.
fn story(world: &World, task_definition: &str, began: Duration) -> Story {
    let mut story = Story::default();
    if !world.holds("deployments_take_time") {
        story.healthy = Some(began);
        return story;
    }
    let mut at = began;
    loop {
        match obstacle(world, task_definition, at) {
            Some(Obstacle::Later) => at += BACK_OFF,
            Some(Obstacle::Stops(reason, exit)) => {
                story.stopped.push((at + STARTING, reason, exit));
                at += STARTING;
                if story.stopped.len() == THRESHOLD {
                    story.given_up = world.holds("circuit_breaker").then_some(at);
                    return story;
                }
                at += BACK_OFF;
            }
            None => {
                story.healthy = Some(at + STARTING + CHECKING);
                return story;
            }
        }
    }
}

enum Obstacle {
    /// The scheduler tries again; it does not count as a failed task.
    Later,
    /// The task stops, for a reason and perhaps with an exit code.
    Stops(String, Option<i64>),
}

/// What keeps a task from running that is started now.
fn obstacle(world: &World, task_definition: &str, at: Duration) -> Option<Obstacle> {
    let task = world.task_definitions.get(task_definition)?;
    let role_of = |field: &str| task[field].as_str().map(|arn| short(arn).to_owned());
    let settles = if world.holds("roles_propagate") { ROLE_SETTLES } else { Duration::ZERO };
    let young = |role: String| world.roles.get(&role).is_some_and(|role| at < role.changed + settles);
    if ["executionRoleArn", "taskRoleArn"].into_iter().filter_map(role_of).any(young) {
        return Some(Obstacle::Later);
    }
    let image = text(&task["containerDefinitions"][0]["image"]);
    let digest = image.rsplit('@').next().unwrap_or_default();
    // What a public registry has, the account does not know.
    if image.contains(".dkr.ecr.") && !world.images.contains(digest) {
        let reason =
            format!("CannotPullContainerError: pull image manifest has been retried 1 time(s): {image}: not found");
        return Some(Obstacle::Stops(reason, None));
    }
    for volume in task["volumes"].as_array().into_iter().flatten() {
        let file_system = text(&volume["efsVolumeConfiguration"]["fileSystemId"]);
        let mounts: Vec<_> =
            world.mount_targets.values().filter(|it| it.file_system == file_system && it.gone.is_none()).collect();
        let young = world.holds("mount_targets_take_time") && mounts.iter().any(|it| !it.resolves(at));
        if !file_system.is_empty() && (mounts.is_empty() || young) {
            let reason = format!(
                "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: \
                 Failed to resolve \"{file_system}.efs.{REGION}.amazonaws.com\""
            );
            return Some(Obstacle::Stops(reason, None));
        }
    }
    if let Some(reason) = missing_key(world, task).filter(|_| world.holds("secret_keys_at_start")) {
        return Some(Obstacle::Stops(reason, None));
    }
    if let Some(reason) = key_out_of_reach(world, task).filter(|_| world.holds("secrets_need_their_key")) {
        return Some(Obstacle::Stops(reason, None));
    }
    let broken = world.broken_images.contains(digest);
    broken.then(|| Obstacle::Stops("Essential container in task exited".to_owned(), Some(1)))
}

/// What a task's containers read from secrets.
fn read_from_secrets(task: &Value) -> impl Iterator<Item = String> + '_ {
    let containers = task["containerDefinitions"].as_array().into_iter().flatten();
    containers.flat_map(|it| it["secrets"].as_array().into_iter().flatten()).map(|it| text(&it["valueFrom"]))
}

/// What a task says whose secret has a key of its own, which its role may not use.
fn key_out_of_reach(world: &World, task: &Value) -> Option<String> {
    let role = world.roles.get(short(task["executionRoleArn"].as_str()?))?;
    let may = |action: &str| {
        let documents = role.policies.values().filter_map(|text| serde_json::from_str(text).ok());
        documents.map(|document| Policy::of(&document)).any(|policy| policy.allows(action))
    };
    let mut secrets = read_from_secrets(task).filter_map(|from| {
        let arn = from.splitn(8, ':').take(7).collect::<Vec<_>>().join(":");
        world.secrets.name(&arn).map(ToOwned::to_owned)
    });
    let own_key = secrets.find(|name| world.keys.of("secretsmanager", name).is_some())?;
    (!may("kms:Decrypt")).then(|| {
        format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
             unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException: Access \
             to KMS is not allowed ({own_key})"
        )
    })
}

/// What a task says that names a key which its secret does not have.
fn missing_key(world: &World, task: &Value) -> Option<String> {
    let mut named = read_from_secrets(task);
    let reason = |from: String| {
        // An ARN has seven parts; the key is the eighth.
        let parts: Vec<_> = from.splitn(8, ':').collect();
        let (arn, key) = (parts[..7.min(parts.len())].join(":"), parts.get(7)?.split(':').next()?.to_owned());
        let Some(keys) = world.secrets.keys(&arn) else {
            return Some(format!("ResourceNotFoundException: Secrets Manager can't find the specified secret {arn}"));
        };
        let there = key.is_empty() || keys.contains(&key);
        (!there).then(|| format!("retrieved secret from Secrets Manager did not contain json key {key}"))
    };
    let why = named.find_map(reason)?;
    Some(format!(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: {why}"
    ))
}

/// Without its roles, a service that drains never gets to its end.
pub(super) fn lose_role(world: &mut World, role: &str) {
    if !world.holds("draining_needs_its_role") {
        return;
    }
    let now = world.now;
    for service in world.services.by_name.values_mut() {
        let task = world.task_definitions.get(service.task_definition());
        let uses = task.is_some_and(|task| {
            ["executionRoleArn", "taskRoleArn"]
                .iter()
                .any(|field| task[*field].as_str().is_some_and(|arn| short(arn) == role))
        });
        if uses && service.inactive.is_some_and(|inactive| inactive > now) {
            service.inactive = Some(Duration::MAX);
        }
    }
}

fn create(world: &mut World, call: &Call) -> Result<Value, Refusal> {
    let name = call.text("serviceName").to_owned();
    // The rules refuse a second creation; the same token is the same creation.
    if world.services.get(&name, world.now).is_some() {
        return Ok(json!({"service": describe_one(world, &name)}));
    }
    let now = world.now;
    let settings = call.fields.as_object().cloned().unwrap_or_default();
    let first = deployment(world, call.text("taskDefinition"), &settings, now, false);
    hold_interfaces(world, call, &name);
    let service = Service {
        cluster: short(call.text("cluster")).to_owned(),
        created: world.now,
        inactive: None,
        settings,
        deployments: vec![first],
        events: vec![(world.now, format!("(service {name}) has started 1 tasks."))],
    };
    world.services.by_name.insert(name.clone(), service);
    Ok(json!({"service": describe_one(world, &name)}))
}

fn hold_interfaces(world: &mut World, call: &Call, name: &str) {
    let vpc = &call.fields["networkConfiguration"]["awsvpcConfiguration"];
    let list = |field: &str| vpc[field].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let interface = NewInterface {
        description: format!("arn:aws:ecs:{REGION}:{ACCOUNT}:attachment/{name}"),
        subnet: list("subnets").into_iter().next().unwrap_or_default(),
        groups: list("securityGroups"),
        public: vpc["assignPublicIp"] == json!("ENABLED"),
    };
    world.interfaces.add(interface);
}

/// New tasks are elsewhere; those of before keep their places until they are drained and stopped.
fn move_interfaces(world: &mut World, call: &Call, name: &str, new: Option<&Deployment>) {
    if let Some((healthy, drains)) = new.and_then(|new| Some((new.story.healthy?, new.drains))) {
        let lingers = if world.holds("interfaces_linger") { LINGERING } else { Duration::ZERO };
        world.interfaces.release(&format!("attachment/{name}"), healthy + drains + STOPPING + lingers);
    }
    hold_interfaces(world, call, name);
}

/// Changes of these begin a deployment; others are applied without one.
const BEGINS_A_DEPLOYMENT: [&str; 3] = ["taskDefinition", "networkConfiguration", "loadBalancers"];

fn update(world: &mut World, call: &Call) -> Result<Value, Refusal> {
    let name = short(call.text("service")).to_owned();
    let Some(service) = world.services.get(&name, world.now).filter(|it| !it.is_draining()) else {
        return Err(Refusal::new("ServiceNotActiveException", "Service was not ACTIVE."));
    };
    let asked = call.fields.as_object().cloned().unwrap_or_default();
    let begins = asked.get("forceNewDeployment") == Some(&json!(true))
        || BEGINS_A_DEPLOYMENT
            .iter()
            .any(|field| asked.get(*field).is_some_and(|it| service.settings.get(*field) != Some(it)));
    let task_definition = asked.get("taskDefinition").map_or_else(|| service.task_definition().to_owned(), text);
    let network = asked.get("networkConfiguration");
    let moves = network.is_some_and(|it| service.settings.get("networkConfiguration") != Some(it));
    let mut settings = service.settings.clone();
    settings.extend(asked.clone());
    let now = world.now;
    let new = begins.then(|| deployment(world, &task_definition, &settings, now, false));
    if moves {
        move_interfaces(world, call, &name, new.as_ref());
    }
    let service = world.services.by_name.get_mut(&name).expect("it was found a moment ago");
    for (field, value) in asked {
        if !matches!(field.as_str(), "cluster" | "service" | "forceNewDeployment") {
            service.settings.insert(field, value);
        }
    }
    service.deployments.splice(0..0, new);
    Ok(json!({"service": describe_one(world, &name)}))
}

fn delete(world: &mut World, call: &Call) -> Result<Value, Refusal> {
    let name = short(call.text("service")).to_owned();
    if world.services.get(&name, world.now).is_none() {
        return Err(Refusal::new("ServiceNotFoundException", "Service not found."));
    }
    let drains = world.services.by_name[&name].deployments.first().map_or(Duration::ZERO, |it| it.drains);
    let gone = if world.holds("services_drain") { world.now + STOPPING + drains } else { world.now };
    if let Some(service) = world.services.by_name.get_mut(&name) {
        service.inactive.get_or_insert(gone);
    }
    let lingers = if world.holds("interfaces_linger") { LINGERING } else { Duration::ZERO };
    world.interfaces.release(&format!("attachment/{name}"), gone + lingers);
    Ok(json!({"service": describe_one(world, &name)}))
}

fn describe(world: &World, call: &Call) -> Result<Value, Refusal> {
    let mut services = Vec::new();
    let mut failures = Vec::new();
    for name in call.fields["services"].as_array().into_iter().flatten().map(text) {
        let name = short(&name).to_owned();
        if world.services.by_name.contains_key(&name) {
            services.push(describe_one(world, &name));
        } else {
            failures.push(json!({"arn": name, "reason": "MISSING"}));
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

fn describe_one(world: &World, name: &str) -> Value {
    let now = world.now;
    let service = &world.services.by_name[name];
    let status = match service.inactive {
        None => "ACTIVE",
        Some(gone) if gone > now => "DRAINING",
        Some(_) => "INACTIVE",
    };
    let desired = if service.is_draining() { 0 } else { service.desired() };
    let deployments: Vec<_> =
        (0..service.deployments.len()).filter_map(|index| describe_deployment(service, index, desired, now)).collect();
    let running = if healthy(service, now) { desired } else { 0 };
    let mut described = service.settings.clone();
    for hidden in ["cluster", "clientToken"] {
        described.remove(hidden);
    }
    let events = service.events.iter().rev().filter(|(at, _)| *at <= now);
    let events: Vec<_> = events.map(|(at, message)| json!({"id": format!("event-{}", at.as_millis()), "createdAt": epoch(*at), "message": message})).collect();
    described.extend([
        ("serviceName".to_owned(), json!(name)),
        ("serviceArn".to_owned(), json!(format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/{}/{name}", service.cluster))),
        ("clusterArn".to_owned(), json!(format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{}", service.cluster))),
        ("status".to_owned(), json!(status)),
        ("desiredCount".to_owned(), json!(desired)),
        ("runningCount".to_owned(), json!(running)),
        ("pendingCount".to_owned(), json!(desired - running)),
        ("createdAt".to_owned(), epoch(service.created)),
        ("deployments".to_owned(), json!(deployments)),
        ("events".to_owned(), json!(events)),
    ]);
    Value::Object(described)
}

/// Whether anything of it serves requests.
fn healthy(service: &Service, now: Duration) -> bool {
    !service.is_draining() && service.deployments.iter().any(|it| it.story.healthy.is_some_and(|at| at <= now))
}

/// A deployment as AWS shows it, or nothing when it is over and another has taken its place.
fn describe_deployment(service: &Service, index: usize, desired: i64, now: Duration) -> Option<Value> {
    let it = &service.deployments[index];
    let replaces = service.deployments.len() > index + 1;
    let completed = it.story.healthy.map(|at| if replaces { at + it.drains } else { at });
    let newer = index.checked_sub(1).map(|newer| &service.deployments[newer]);
    let over = newer.and_then(|newer| Some(newer.story.healthy? + newer.drains)).is_some_and(|at| at <= now);
    if over {
        return None;
    }
    let failed: Vec<_> = it.story.stopped.iter().filter(|(at, ..)| *at <= now).collect();
    let given_up = it.story.given_up.is_some_and(|at| at <= now);
    let (state, reason) = if it.stopped.is_some() {
        ("FAILED", "Service deployment rolled back because it was stopped.".to_owned())
    } else if given_up {
        ("FAILED", "ECS deployment circuit breaker: tasks failed to start.".to_owned())
    } else if completed.is_some_and(|at| at <= now) {
        ("COMPLETED", format!("ECS deployment {} completed.", it.id))
    } else {
        ("IN_PROGRESS", format!("ECS deployment {} in progress.", it.id))
    };
    let running = if it.story.healthy.is_some_and(|at| at <= now) { desired } else { 0 };
    Some(json!({
        "id": it.id,
        "status": if index == 0 { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": it.task_definition,
        "desiredCount": desired,
        "runningCount": running,
        "pendingCount": desired - running,
        "failedTasks": failed.len(),
        "createdAt": epoch(it.began),
        "updatedAt": epoch(it.began),
        "launchType": "FARGATE",
        "rolloutState": state,
        "rolloutStateReason": reason,
    }))
}

fn task_arn(service: &str, deployment: &Deployment, index: usize) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/{service}/{}-{index}", short(&deployment.id))
}

/// The tasks of a service that stopped, newest deployment first.
/// A task that ended.
struct Stopped {
    service: String,
    arn: String,
    task_definition: String,
    at: Duration,
    reason: String,
    exit: Option<i64>,
}

fn stopped(world: &World) -> impl Iterator<Item = Stopped> {
    world.services.by_name.iter().flat_map(move |(name, service)| {
        service.deployments.iter().flat_map(move |deployment| {
            let stopped = deployment.story.stopped.iter().enumerate().filter(|(_, (at, ..))| *at <= world.now);
            stopped.map(move |(index, (at, reason, exit))| Stopped {
                service: name.clone(),
                arn: task_arn(name, deployment, index),
                task_definition: deployment.task_definition.clone(),
                at: *at,
                reason: reason.clone(),
                exit: *exit,
            })
        })
    })
}

fn list_tasks(world: &World, call: &Call) -> Result<Value, Refusal> {
    let wanted = call.text("desiredStatus");
    let of_service = |name: &String| call.fields["serviceName"].is_null() || short(call.text("serviceName")) == name;
    let arns: Vec<_> = match wanted {
        "STOPPED" => stopped(world).filter(|it| of_service(&it.service)).map(|it| it.arn).collect(),
        _ => running::all(world).filter(|it| of_service(&it.service)).map(|it| it.arn).collect(),
    };
    Ok(json!({"taskArns": arns}))
}

fn describe_tasks(world: &World, call: &Call) -> Result<Value, Refusal> {
    let wanted: Vec<_> = call.fields["tasks"].as_array().into_iter().flatten().map(text).collect();
    let is_wanted = |arn: &str| wanted.iter().any(|wanted| short(wanted) == short(arn));
    let tasks = stopped(world).filter(|it| is_wanted(&it.arn)).map(|it| {
        let Stopped { arn, task_definition, at, reason, exit, .. } = it;
        let code = if exit.is_some() { "EssentialContainerExited" } else { "TaskFailedToStart" };
        json!({
            "taskArn": arn, "taskDefinitionArn": task_definition, "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedAt": epoch(at),
            "stopCode": code, "stoppedReason": reason,
            "containers": [{"name": "app", "lastStatus": "STOPPED", "exitCode": exit}],
        })
    });
    let running = running::all(world).filter(|it| is_wanted(&it.arn)).map(|it| it.described(world));
    let tasks: Vec<_> = tasks.chain(running).collect();
    let found =
        |wanted: &String| tasks.iter().any(|it| short(it["taskArn"].as_str().unwrap_or_default()) == short(wanted));
    let missing = wanted.iter().filter(|wanted| !found(wanted));
    let failures: Vec<_> = missing.map(|arn| json!({"arn": arn, "reason": "MISSING"})).collect();
    Ok(json!({"tasks": tasks, "failures": failures}))
}

/// What a load balancer thinks of the tasks behind a target group.
/// The service whose tasks a target group has.
fn behind<'a>(world: &'a World, group: &str) -> Option<&'a Service> {
    let serves = |it: &&Service| {
        let balancers = it.settings.get("loadBalancers").and_then(Value::as_array);
        balancers.into_iter().flatten().any(|it| it["targetGroupArn"] == json!(group))
    };
    world.services.by_name.values().filter(|it| it.inactive.is_none()).find(serves)
}

/// Whether a target group has a healthy task.
pub(super) fn is_served(world: &World, group: &str) -> bool {
    behind(world, group).is_some_and(|service| healthy(service, world.now))
}

pub(super) fn target_health(world: &World, call: &Call) -> Answer {
    let group = call.text("TargetGroupArn");
    let service = behind(world, group);
    let state = match service {
        Some(_) if !world.load_balancing.is_used(group) => "unused",
        Some(service) if healthy(service, world.now) => "healthy",
        Some(_) => "initial",
        None => "",
    };
    // One for each task.
    let target = |index: i64| {
        let id = format!("10.0.0.{}", 10 + index);
        format!(
            "<member><Target><Id>{id}</Id><Port>8501</Port></Target><TargetHealth><State>{state}</State></TargetHealth></member>"
        )
    };
    let targets: String = (0..service.map_or(0, Service::desired)).map(target).collect();
    Answer::xml(format!(
        "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>{targets}\
         </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>"
    ))
}
