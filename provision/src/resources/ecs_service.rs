//! What keeps the tasks running, and replaces them.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Deployment, DeploymentCircuitBreaker, DeploymentConfiguration,
    DeploymentRolloutState, LaunchType, LoadBalancer, NetworkConfiguration, PropagateTags, Service,
    ServiceDeploymentStatus, ServiceField, StopServiceDeploymentStopType,
};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ecs_cluster::{pairs, tags};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::rollout;
use crate::wait::{Poll, Wait};

/// The service of our name.
#[derive(Debug)]
pub struct EcsService {
    /// The cluster.
    pub cluster: String,
    /// The name on AWS.
    pub name: String,
}

/// What it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EcsServiceSpec {
    /// What runs.
    pub task_definition: String,
    /// Where tasks run, sorted.
    pub subnets: Vec<String>,
    /// Who may talk to tasks, and whom they may talk to.
    pub security_groups: Vec<String>,
    /// Whether tasks have public addresses.
    pub assign_public_ip: bool,
    /// What else than Fargate as it is offered to all may run tasks, sorted: nothing.
    pub capacity_providers: Vec<String>,
    /// Which version of Fargate.
    pub platform_version: String,
    /// Who sends requests to tasks, sorted.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// How many tasks must stay healthy while replacing.
    pub minimum_healthy_percent: i32,
    /// How many tasks may run while replacing.
    pub maximum_percent: i32,
    /// Whether a deployment that cannot succeed is given up, and the last good one restored.
    pub circuit_breaker: CircuitBreaker,
    /// How long failing health checks of a new task are ignored.
    pub health_check_grace_seconds: i32,
    /// Whether one may look into a running task.
    pub enable_execute_command: bool,
    /// Whose tags tasks carry.
    pub propagate_tags: String,
    /// Whether tasks carry the names of cluster and service, too.
    pub managed_tags: bool,
    /// `COMPLETED`: what the newest deployment came to. One that failed, or that a killed run did not see the end
    /// of, is something to do.
    pub rollout: String,
    /// How many tasks at the beginning. Not compared: scaling owns it from then on.
    #[serde(skip)]
    pub desired_count: i32,
}

impl EcsServiceSpec {
    /// Whether another spec asks for the same, whatever came of it.
    fn asks_for_the_same(&self, other: &Self) -> bool {
        let asked = |spec: &Self| Self { rollout: String::new(), desired_count: 0, ..spec.clone() };
        asked(self) == asked(other)
    }
}

/// Who sends requests to tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ServiceLoadBalancer {
    /// The container in the task.
    pub container: String,
    /// Its port.
    pub port: i32,
    /// Where the requests come from.
    pub target_group_arn: String,
}

/// When a deployment is given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CircuitBreaker {
    /// Whether it ever is.
    pub enable: bool,
    /// Whether the last good deployment is restored then.
    pub rollback: bool,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcsServiceOutput {
    /// The ARN.
    pub arn: String,
}

/// Finds a service; one that is gone stays visible for a while, as INACTIVE.
pub(crate) async fn find(context: &Context, cluster: &str, name: &str) -> Result<Option<Service>> {
    let ask = || async {
        let request = context.aws.ecs.describe_services().cluster(cluster).services(name).include(ServiceField::Tags);
        let answer = request.send().await.absent_on(&["ClusterNotFoundException"])?;
        let services = answer.and_then(|answer| answer.services).unwrap_or_default();
        Ok(services.into_iter().find(|service| service.status() != Some("INACTIVE")))
    };
    context.once(&format!("service {cluster}/{name}"), ask).await
}

/// How the newest deployment of a service is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// It arrived.
    Completed,
    /// It is on its way.
    UnderWay,
    /// It was given up.
    Failed,
}

impl Rollout {
    /// The state of a service's newest deployment.
    pub(crate) fn of(service: &Service) -> Self {
        match rollout_of(service).as_str() {
            "FAILED" => Self::Failed,
            "IN_PROGRESS" => Self::UnderWay,
            _ => Self::Completed,
        }
    }
}

/// The deployment whose tasks still serve while a newer one has not arrived.
pub(crate) fn serving(service: &Service) -> Option<&Deployment> {
    let arrived = |it: &&Deployment| it.rollout_state() == Some(&DeploymentRolloutState::Completed);
    service.deployments().iter().filter(|it| it.status() != Some("PRIMARY")).find(arrived)
}

/// Lets a service run an earlier revision of its task definition, and watches it come up.
///
/// # Errors
/// When there is no such service, or when the revision does not come up.
pub(crate) async fn go_back(context: &Context, cluster: &str, name: &str, task_definition: &str) -> Result<()> {
    let found = super::sent(find(context, cluster, name).await?, "the service")?;
    let is_meant = serving(&found).is_some_and(|it| it.task_definition() == Some(task_definition));
    let updated = if is_meant && Rollout::of(&found) == Rollout::UnderWay && stop(context, cluster, name).await {
        after_the_stop(context, cluster, &found).await?
    } else {
        // Naming the revision that is there already begins nothing.
        let anew = found.task_definition() == Some(task_definition) && Rollout::of(&found) == Rollout::Failed;
        let request = context.aws.ecs.update_service().cluster(cluster).service(name);
        let request = request.task_definition(task_definition).set_force_new_deployment(anew.then_some(true));
        super::sent(request.send().await.map_err(AwsError::from)?.service, "the service")?
    };
    let groups: Vec<_> = updated.load_balancers().iter().filter_map(|it| it.target_group_arn.clone()).collect();
    rollout::watch(context, cluster, &updated, &groups).await
}

/// Stops the deployment that is under way, which lets ECS go back to the one that serves, with all that belonged to it.
/// False when that cannot be: another deployment over it comes to the same, without what else had changed.
async fn stop(context: &Context, cluster: &str, name: &str) -> bool {
    try_to_stop(context, cluster, name).await.unwrap_or_else(|error| {
        context.note(format_args!("the deployment that is under way cannot be stopped ({error:#}); deploying over it"));
        false
    })
}

async fn try_to_stop(context: &Context, cluster: &str, name: &str) -> Result<bool> {
    let ecs = &context.aws.ecs;
    let listed = ecs.list_service_deployments().cluster(cluster).service(name);
    let listed = listed.status(ServiceDeploymentStatus::InProgress).status(ServiceDeploymentStatus::Pending);
    let listed = listed.send().await.map_err(AwsError::from)?.service_deployments.unwrap_or_default();
    let Some(arn) = listed.into_iter().find_map(|it| it.service_deployment_arn) else { return Ok(false) };
    context.note("stopping the deployment that is under way");
    let request = ecs.stop_service_deployment().service_deployment_arn(arn);
    let answer = request.stop_type(StopServiceDeploymentStopType::Rollback).send().await;
    // It came to its end a moment ago, one way or the other.
    let over = ["ConflictException", "ServiceDeploymentNotFoundException"];
    Ok(answer.absent_on(&over)?.is_some())
}

/// Waits until the way back has begun; until then the stopped deployment is still the newest.
async fn after_the_stop(context: &Context, cluster: &str, before: &Service) -> Result<Service> {
    let newest = |of: &Service| of.deployments().iter().find(|it| it.status() == Some("PRIMARY"))?.id.clone();
    let (name, stopped) = (before.service_name().unwrap_or_default(), newest(before));
    let wait = Wait::new("the way back to begin", Duration::from_secs(3), Duration::from_secs(300));
    let look = || async {
        let now = super::sent(find(context, cluster, name).await?, "the service")?;
        Ok(if newest(&now) == stopped { Poll::Pending("stopping".to_owned()) } else { Poll::Ready(now) })
    };
    context.wait(wait, look).await
}

fn network(spec: &EcsServiceSpec) -> Result<NetworkConfiguration> {
    let public = if spec.assign_public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled };
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(spec.subnets.clone()))
        .set_security_groups(Some(spec.security_groups.clone()))
        .assign_public_ip(public);
    Ok(NetworkConfiguration::builder().awsvpc_configuration(vpc.build()?).build())
}

fn load_balancers(spec: &EcsServiceSpec) -> Vec<LoadBalancer> {
    let balancers = spec.load_balancers.iter().map(|it| {
        let balancer = LoadBalancer::builder().container_name(&it.container).container_port(it.port);
        balancer.target_group_arn(&it.target_group_arn).build()
    });
    balancers.collect()
}

fn deployment(spec: &EcsServiceSpec) -> DeploymentConfiguration {
    // Sent whole: what is left out of a circuit breaker is switched off, not kept.
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(spec.circuit_breaker.enable)
        .rollback(spec.circuit_breaker.rollback)
        .build();
    DeploymentConfiguration::builder()
        .minimum_healthy_percent(spec.minimum_healthy_percent)
        .maximum_percent(spec.maximum_percent)
        .deployment_circuit_breaker(breaker)
        .build()
}

/// Reads a service the way it was asked for.
fn spec_of(found: &Service) -> EcsServiceSpec {
    let vpc = found.network_configuration().and_then(|network| network.awsvpc_configuration());
    let configuration = found.deployment_configuration();
    let breaker = configuration.and_then(|it| it.deployment_circuit_breaker());
    let mut load_balancers: Vec<_> = found.load_balancers().iter().map(balancer_of).collect();
    load_balancers.sort();
    let list = |items: Option<&[String]>| super::sorted(items.unwrap_or_default().iter().cloned());
    EcsServiceSpec {
        task_definition: found.task_definition.clone().unwrap_or_default(),
        subnets: list(vpc.map(|vpc| vpc.subnets())),
        security_groups: list(vpc.map(|vpc| vpc.security_groups())),
        assign_public_ip: vpc.and_then(|vpc| vpc.assign_public_ip()) == Some(&AssignPublicIp::Enabled),
        capacity_providers: super::sorted(
            found.capacity_provider_strategy().iter().map(|it| it.capacity_provider.clone()),
        ),
        platform_version: found.platform_version.clone().unwrap_or_else(|| "LATEST".to_owned()),
        load_balancers,
        minimum_healthy_percent: configuration.and_then(|it| it.minimum_healthy_percent).unwrap_or(100),
        maximum_percent: configuration.and_then(|it| it.maximum_percent).unwrap_or(200),
        circuit_breaker: CircuitBreaker {
            enable: breaker.is_some_and(|breaker| breaker.enable),
            rollback: breaker.is_some_and(|breaker| breaker.rollback),
        },
        health_check_grace_seconds: found.health_check_grace_period_seconds.unwrap_or_default(),
        enable_execute_command: found.enable_execute_command,
        rollout: rollout_of(found),
        propagate_tags: found.propagate_tags().map_or("NONE", |it| it.as_str()).to_owned(),
        managed_tags: found.enable_ecs_managed_tags,
        desired_count: found.desired_count,
    }
}

/// A service without deployments, or of a controller that does not tell, has none under way.
fn rollout_of(found: &Service) -> String {
    let primary = found.deployments().iter().find(|it| it.status() == Some("PRIMARY"));
    let state = primary.and_then(|it| it.rollout_state());
    state.unwrap_or(&DeploymentRolloutState::Completed).as_str().to_owned()
}

fn balancer_of(found: &LoadBalancer) -> ServiceLoadBalancer {
    ServiceLoadBalancer {
        container: found.container_name.clone().unwrap_or_default(),
        port: found.container_port.unwrap_or_default(),
        target_group_arn: found.target_group_arn.clone().unwrap_or_default(),
    }
}

impl EcsService {
    /// The same creation, the same token: a repeated call makes no second service.
    fn token(&self, spec: &EcsServiceSpec) -> String {
        let whole = format!("{}/{}/{}", self.cluster, self.name, spec.task_definition);
        HEXLOWER.encode(&Sha256::digest(whole))[..32].to_owned()
    }

    async fn watch(&self, context: &Context, service: &Service, spec: &EcsServiceSpec) -> Result<EcsServiceOutput> {
        let groups: Vec<_> = spec.load_balancers.iter().map(|it| it.target_group_arn.clone()).collect();
        rollout::watch(context, &self.cluster, service, &groups).await?;
        Ok(EcsServiceOutput { arn: super::sent(service.service_arn.clone(), "the service's ARN")? })
    }
}

impl Resource for EcsService {
    const KIND: &'static str = "ECS service";
    const TRANSIENT: &'static [&'static str] = &["rollout"];

    type Spec = EcsServiceSpec;
    type Output = EcsServiceOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(found) = find(context, &self.cluster, &self.name).await? else { return Ok(None) };
        context.aws.owner.check(format_args!("service {}", self.name), pairs(found.tags()))?;
        let arn = super::sent(found.service_arn.clone(), "the service's ARN")?;
        Ok(Some(Live { spec: spec_of(&found), output: EcsServiceOutput { arn } }))
    }

    async fn create(&self, context: &Context, spec: &EcsServiceSpec) -> Result<EcsServiceOutput> {
        let request = context
            .aws
            .ecs
            .create_service()
            .cluster(&self.cluster)
            .service_name(&self.name)
            .client_token(self.token(spec))
            .task_definition(&spec.task_definition)
            .launch_type(LaunchType::Fargate)
            .desired_count(spec.desired_count)
            .network_configuration(network(spec)?)
            .set_load_balancers(Some(load_balancers(spec)))
            .deployment_configuration(deployment(spec))
            .health_check_grace_period_seconds(spec.health_check_grace_seconds)
            .enable_execute_command(spec.enable_execute_command)
            .enable_ecs_managed_tags(spec.managed_tags)
            .platform_version(&spec.platform_version)
            .propagate_tags(PropagateTags::from(spec.propagate_tags.as_str()))
            .set_tags(Some(tags(context, "service")));
        let created = super::sent(request.send().await.map_err(AwsError::from)?.service, "the service")?;
        self.watch(context, &created, spec).await
    }

    /// The number of tasks is left out: scaling owns it.
    async fn update(&self, context: &Context, live: &Live<Self>, spec: &EcsServiceSpec) -> Result<EcsServiceOutput> {
        let there = &live.spec;
        // Nothing would begin anew by itself: the task definition may be the one that failed.
        let failed = there.rollout == DeploymentRolloutState::Failed.as_str();
        if !failed && there.asks_for_the_same(spec) {
            // A run before this one began it, and did not live to see its end.
            let found = super::sent(find(context, &self.cluster, &self.name).await?, "the service")?;
            return self.watch(context, &found, spec).await;
        }
        // Only what differs: sending some of these begins a deployment even if they stay the same.
        let networks = (&there.subnets, &there.security_groups, there.assign_public_ip)
            != (&spec.subnets, &spec.security_groups, spec.assign_public_ip);
        let balancers = there.load_balancers != spec.load_balancers;
        let platform = there.platform_version != spec.platform_version;
        // An empty list leads back to the launch type.
        let providers = there.capacity_providers != spec.capacity_providers;
        let exec = there.enable_execute_command != spec.enable_execute_command;
        let tags = (&there.propagate_tags, there.managed_tags) != (&spec.propagate_tags, spec.managed_tags);
        let request = context
            .aws
            .ecs
            .update_service()
            .cluster(&self.cluster)
            .service(&self.name)
            .set_task_definition((there.task_definition != spec.task_definition).then(|| spec.task_definition.clone()))
            .set_network_configuration(networks.then(|| network(spec)).transpose()?)
            .set_load_balancers(balancers.then(|| load_balancers(spec)))
            .set_platform_version(platform.then(|| spec.platform_version.clone()))
            .set_capacity_provider_strategy(providers.then(Vec::new))
            .deployment_configuration(deployment(spec))
            .health_check_grace_period_seconds(spec.health_check_grace_seconds)
            .enable_execute_command(spec.enable_execute_command)
            .propagate_tags(PropagateTags::from(spec.propagate_tags.as_str()))
            .enable_ecs_managed_tags(spec.managed_tags)
            // Tasks that run already stay as they began.
            .force_new_deployment(failed || exec || providers || tags);
        let updated = super::sent(request.send().await.map_err(AwsError::from)?.service, "the service")?;
        self.watch(context, &updated, spec).await
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        let request = context.aws.ecs.delete_service().cluster(&self.cluster).service(&self.name).force(true);
        request.send().await.absent_on(&["ServiceNotFoundException", "ClusterNotFoundException"])?;
        // Until it is gone, roles, groups and disk must stay, or it may never finish draining.
        rollout::gone(context, &self.cluster, &self.name).await
    }
}
