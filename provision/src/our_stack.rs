//! The architecture, top to bottom: read this to know what runs on AWS and why.

mod domain;
pub(crate) mod endpoints;
mod flow_logs;
pub(crate) mod monitoring;
mod network;
pub mod pipeline;
mod policies;
mod private;
mod task;

use std::collections::BTreeMap;

use config::deployment::Deployment;
pub(crate) use task::CONTAINER;

use crate::context::Hints;
use crate::names::Names;
use crate::plan::gone;
use crate::resources::access_point::AccessPoint;
use crate::resources::availability_zones::AvailabilityZones;
use crate::resources::dashboard::Dashboard;
use crate::resources::ecr_repository::{EcrRepository, EcrRepositorySpec};
use crate::resources::ecs_cluster::{EcsCluster, EcsClusterSpec, Sessions};
use crate::resources::ecs_service::{CircuitBreaker, EcsService, EcsServiceSpec, ServiceLoadBalancer};
use crate::resources::file_system::FileSystem;
use crate::resources::file_system_policy::{FileSystemPolicy, FileSystemPolicySpec};
use crate::resources::identity::Identity;
use crate::resources::image::{Image, ImageSource};
use crate::resources::listener::{self, Listener};
use crate::resources::load_balancer::LoadBalancer;
use crate::resources::log_group::{LogGroup, LogGroupSpec};
use crate::resources::mount_target::MountTarget;
use crate::resources::scalable_target::{ScalableTarget, ScalableTargetSpec};
use crate::resources::scaling_policy::{ScalingPolicy, ScalingPolicySpec};
use crate::resources::secret::{Secret, SecretSpec};
use crate::resources::service_linked_role::ServiceLinkedRole;
use crate::resources::subnet::Subnet;
use crate::resources::target_group::TargetGroup;
use crate::resources::task_definition::TaskDefinition;
use crate::resources::topic::Topic;
use crate::stack::{Handle, Inputs as _, Outputs, Stack};

/// The port of the page, which the load balancer forwards to by default.
pub const PAGE_PORT: i32 = 8501;
/// The port of the JSON API, which the load balancer forwards `/api` to.
pub const API_PORT: i32 = 8000;

/// The stack, with handles to what a deploy looks at when it is done.
pub struct OurStack {
    /// Everything that should exist.
    pub stack: Stack,
    /// The name it answers to, if it has one of its own.
    pub name: Option<String>,
    /// What answers on the internet.
    pub load_balancer: Handle<LoadBalancer>,
    /// Where images are pushed.
    pub repository: Handle<EcrRepository>,
    /// Where the service's log lines go.
    pub log_group: Handle<LogGroup>,
    /// The API keys.
    pub secret: Handle<Secret>,
    /// The running image.
    pub task: Handle<TaskDefinition>,
    /// What keeps the image running.
    pub service: Handle<EcsService>,
    /// The page's and the API's targets.
    pub targets: [Handle<TargetGroup>; 2],
    /// Where the rules are.
    pub listener: Handle<Listener>,
    image: Handle<Image>,
    roles: policies::Roles,
    outside: Outside,
    domain: domain::Domain,
    /// Who is told when something is wrong.
    pub alarms: Option<Handle<Topic>>,
    /// Graphs for people.
    pub dashboard: Option<Handle<Dashboard>>,
}

impl OurStack {
    /// Describes the stack of a deployment that runs the given image.
    pub fn new(deployment: &Deployment, image: ImageSource) -> Self {
        let mut stack = Stack::default();
        let names = Names::of(deployment);
        let (stack_, d, n) = (&mut stack, deployment, &names);

        let outside = outside(stack_);
        let domain = domain::add(stack_, d, n);
        let network = network::add(stack_, d, n, outside.zones);
        flow_logs::add(stack_, d, n, outside.identity, network.vpc);
        let storage = storage(stack_, d, n, &network);
        let repository = images(stack_, d, n);
        let keys = api_keys(d);
        let secret = stack_.add("api-keys", Secret { name: n.secret() }, (), move |()| keys.clone());
        let key = LogGroup { name: n.log_group(), resource: "service-log".to_owned() };
        let log_group = stack_.add("service-log", key, (), log_group_spec(d));
        let exec_log = exec_log(stack_, d, n);
        let logs = (log_group, exec_log);
        let roles = policies::add(stack_, d, n, outside.identity, &storage, repository, secret, logs);
        let disk_policy = disk_policy(stack_, n, &storage, roles);
        let edge = network::add_edge(stack_, d, n, &network, domain.certificate, outside.elb_role);
        domain::add_record(stack_, d, n, domain, edge.load_balancer);

        let image = stack_.add(
            "image",
            Image { family: n.task_family(), repository: n.repository(), source: image },
            repository,
            |_| (),
        );
        let task = task::add(stack_, d, (image, log_group, secret, roles, (storage.file_system, storage.access_point)));
        let cluster = cluster(stack_, d, n, outside.ecs_role, exec_log);
        let service = service(stack_, d, n, &network, &edge, &storage, (task, disk_policy), cluster);
        scaling(stack_, d, n, service, outside.scaling_role);
        let (alarms, dashboard) = monitoring::add(stack_, d, n, outside.identity, &edge, service);

        Self {
            stack,
            name: deployment.edge.domain.as_ref().map(|domain| domain.name.clone()),
            load_balancer: edge.load_balancer,
            repository,
            log_group,
            secret,
            task,
            service,
            targets: [edge.page, edge.api],
            listener: edge.listener,
            image,
            roles,
            outside,
            domain,
            alarms,
            dashboard,
        }
    }

    /// The certificate that the load balancer shows, once it is known.
    pub fn certificate(&self, outputs: &Outputs) -> Option<String> {
        self.domain.certificate.resolve(outputs)
    }

    /// What the next look at the world can use.
    pub fn hints(&self, outputs: &Outputs) -> Hints {
        use crate::resources::{
            availability_zones, certificate, ec2_tags, iam_role, image, owned, requested_certificate,
            service_linked_role,
        };

        let load_balancing = self.targets.map(|it| it.of(outputs).map(|it| it.arn)).into_iter();
        let load_balancing = load_balancing.chain([self.load_balancer.of(outputs).map(|it| it.arn)]);
        let mut facts: BTreeMap<_, _> = load_balancing.flatten().map(|arn| (owned(&arn), String::new())).collect();
        facts.extend(self.alarms.and_then(|it| it.of(outputs)).map(|it| (owned(&it.arn), String::new())));
        facts.extend(self.repository.of(outputs).map(|it| (owned(&it.arn), it.created.to_string())));
        facts.extend(self.log_group.of(outputs).map(|it| (owned(&it.arn), it.created.to_string())));
        facts.extend(self.listener.of(outputs).map(|it| (listener::hint(network::HTTPS_PORT), it.arn)));
        facts.extend(self.certificate(outputs).map(|arn| (certificate::HINT.to_owned(), arn)));
        facts.extend(
            self.name
                .as_ref()
                .zip(self.domain.hint(outputs))
                .map(|(name, known)| (requested_certificate::hint(name), known)),
        );
        facts
            .extend(self.outside.zones.of(outputs).map(|zones| (availability_zones::HINT.to_owned(), zones.join(" "))));
        let linked = self.outside.linked_roles.iter();
        let linked = linked.filter(|(_, role)| role.of(outputs).is_some());
        facts.extend(linked.map(|(service, _)| (service_linked_role::hint(service), String::new())));
        let roles = [self.roles.execution, self.roles.task].map(|it| it.of(outputs)).into_iter().flatten();
        facts.extend(roles.map(|role| (iam_role::nothing_attached(&role.name), String::new())));
        facts.extend(self.image.of(outputs).map(|it| (image::HINT.to_owned(), it.reference)));
        let ec2 = self.stack.ec2_ids(outputs);
        facts.extend(ec2.map(|(name, id)| (ec2_tags::known(name), id.to_owned())));
        let retired = self.stack.ids().filter(|id| self.stack.is_retired(*id));
        facts.extend(retired.map(|id| (gone(self.stack.name(id)), String::new())));
        Hints { facts }
    }
}

/// What exists before us and is only looked at, or is shared by everyone in the account.
struct Outside {
    identity: Handle<Identity>,
    zones: Handle<AvailabilityZones>,
    ecs_role: Handle<ServiceLinkedRole>,
    elb_role: Handle<ServiceLinkedRole>,
    scaling_role: Handle<ServiceLinkedRole>,
    linked_roles: [(&'static str, Handle<ServiceLinkedRole>); 3],
}

fn outside(stack: &mut Stack) -> Outside {
    // A new account lacks these roles, and the first cluster or load balancer fails without them.
    let mut linked =
        |name: &str, service: &str| stack.add(name, ServiceLinkedRole { service: service.to_owned() }, (), |()| ());
    let [ecs, elb, scaling] =
        ["ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com", "ecs.application-autoscaling.amazonaws.com"];
    let ecs_role = linked("ecs-linked-role", ecs);
    let elb_role = linked("elb-linked-role", elb);
    let scaling_role = linked("scaling-linked-role", scaling);
    Outside {
        identity: stack.add("account", Identity, (), |()| ()),
        zones: stack.add("zones", AvailabilityZones, (), |()| ()),
        ecs_role,
        elb_role,
        scaling_role,
        linked_roles: [(ecs, ecs_role), (elb, elb_role), (scaling, scaling_role)],
    }
}

/// The disk that every task shares: caches and history.
struct Storage {
    file_system: Handle<FileSystem>,
    access_point: Handle<AccessPoint>,
    mount_targets: Vec<Handle<MountTarget>>,
}

fn storage(stack: &mut Stack, deployment: &Deployment, names: &Names, network: &network::Network) -> Storage {
    use crate::resources::access_point::AccessPointSpec;
    use crate::resources::file_system::FileSystemSpec;
    use crate::resources::mount_target::MountTargetSpec;

    let token = names.file_system();
    let transition_to_ia = deployment.storage.transition_to_ia_days.map(|days| format!("AFTER_{days}_DAYS"));
    let kms_key = key_of_data(deployment);
    let key = FileSystem { token: token.clone(), name: "cache".to_owned(), has_own_key: kms_key.is_some() };
    let file_system = stack.add("cache", key, (), move |()| FileSystemSpec {
        encrypted: true,
        kms_key: kms_key.clone(),
        performance_mode: "generalPurpose".to_owned(),
        // Elastic throughput bills every metadata operation; small cache files are mostly those.
        throughput_mode: "bursting".to_owned(),
        transition_to_ia: transition_to_ia.clone(),
        transition_to_archive: None,
        back_when_read: None,
        // A cache that can be fetched again and a history of a few megabytes: backups come cheap.
        backup: true,
        state: "available".to_owned(),
    });
    let key =
        AccessPoint { file_system_token: token.clone(), name: "cache-access".to_owned(), path: "/cache".to_owned() };
    let access_point = stack.add("cache-access", key, file_system, |file_system| AccessPointSpec {
        file_system_id: file_system.id,
        path: "/cache".to_owned(),
        uid: Some(task::USER),
        gid: Some(task::USER),
        owner: Some(task::USER),
        permissions: "0755".to_owned(),
    });
    let mount_targets = network.subnets.iter().enumerate().map(|(index, subnet)| {
        let subnet_tag = network::subnet_name(index);
        let key = MountTarget { file_system_token: token.clone(), subnet_tag };
        let inputs = (file_system, *subnet, network.file_system_group);
        stack.add(format!("cache-mount-{}", index + 1), key, inputs, |(file_system, subnet, group)| MountTargetSpec {
            file_system_id: file_system.id,
            subnet_id: subnet.id,
            security_groups: vec![group.id],
            state: "available".to_owned(),
        })
    });
    let mount_targets = mount_targets.collect();
    for (index, subnet) in (network.subnets.len()..).zip(&network.retired_subnets) {
        let key = MountTarget { file_system_token: token.clone(), subnet_tag: network::subnet_name(index) };
        let stands_on = (file_system, *subnet, network.file_system_group);
        stack.retire(format!("cache-mount-{}", index + 1), key, &stands_on);
    }
    Storage { file_system, access_point, mount_targets }
}

/// The disk's own word on who may mount it, beside the role's.
fn disk_policy(
    stack: &mut Stack,
    names: &Names,
    storage: &Storage,
    roles: policies::Roles,
) -> Handle<FileSystemPolicy> {
    let key = FileSystemPolicy { file_system_token: names.file_system() };
    let inputs = (storage.file_system, storage.access_point, roles.task);
    stack.add("cache-policy", key, inputs, |(file_system, access_point, role)| {
        let policy = policies::may_be_mounted(&role.arn, &file_system.arn, &access_point.arn);
        FileSystemPolicySpec::new(file_system.id, policy)
    })
}

/// The key for what keeps the key that it was made with.
fn key_of_data(deployment: &Deployment) -> Option<String> {
    deployment.encryption.kms_key_arn.clone().filter(|_| deployment.encryption.disk_and_images)
}

/// What the secret with the API keys should be.
pub(crate) fn api_keys(deployment: &Deployment) -> SecretSpec {
    SecretSpec {
        description: "API keys of the weather service and the language models".to_owned(),
        keys: config::SECRET_KEYS.iter().map(ToString::to_string).collect(),
        kms_key: deployment.encryption.kms_key_arn.clone(),
    }
}

/// What each of our log groups should be.
fn log_group_spec(deployment: &Deployment) -> impl Fn(()) -> LogGroupSpec + Send + Sync + 'static {
    let (retention_days, kms_key) = (deployment.logs.retention_days, deployment.encryption.kms_key_arn.clone());
    move |()| LogGroupSpec { retention_days, kms_key: kms_key.clone(), tagged: true }
}

fn images(stack: &mut Stack, deployment: &Deployment, names: &Names) -> Handle<EcrRepository> {
    let keep = deployment.images.keep;
    let kms_key = key_of_data(deployment);
    let key = EcrRepository { name: names.repository(), has_own_key: kms_key.is_some() };
    stack.add("repository", key, (), move |()| EcrRepositorySpec {
        kms_key: kms_key.clone(),
        mutability: "IMMUTABLE".to_owned(),
        scan_on_push: true,
        tagged: true,
        lifecycle_policy: policies::keep_images(keep),
    })
}

/// Where it is written down what people did in tasks, while they can.
fn exec_log(stack: &mut Stack, deployment: &Deployment, names: &Names) -> Option<Handle<LogGroup>> {
    let key = LogGroup { name: names.exec_log(), resource: "exec-log".to_owned() };
    if !deployment.service.exec {
        stack.retire("exec-log", key, &());
        return None;
    }
    Some(stack.add("exec-log", key, (), log_group_spec(deployment)))
}

fn cluster(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    linked_role: Handle<ServiceLinkedRole>,
    exec_log: Option<Handle<LogGroup>>,
) -> Handle<EcsCluster> {
    let insights = if deployment.service.container_insights { "enabled" } else { "disabled" };
    let kms_key = deployment.encryption.kms_key_arn.clone();
    let inputs = (linked_role, Vec::from_iter(exec_log));
    stack.add("cluster", EcsCluster { name: names.cluster() }, inputs, move |((), logs)| EcsClusterSpec {
        container_insights: insights.to_owned(),
        sessions: logs.into_iter().next().map(|log| Sessions {
            log_group: log.name,
            bucket: None,
            encrypted_log: kms_key.is_some(),
            kms_key: kms_key.clone(),
        }),
    })
}

#[expect(clippy::too_many_arguments, reason = "the service is where everything comes together")]
fn service(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    network: &network::Network,
    edge: &network::Edge,
    storage: &Storage,
    (task, disk_policy): (Handle<TaskDefinition>, Handle<FileSystemPolicy>),
    cluster: Handle<EcsCluster>,
) -> Handle<EcsService> {
    let key = EcsService { cluster: names.cluster(), name: names.service() };
    // The rules of the groups, the listeners and the mount targets give no value, but a task that
    // starts before them cannot be reached, or cannot mount its disk.
    let disk = (storage.mount_targets.clone(), disk_policy);
    let private = network.private.as_ref();
    let private_routes = private.map(|private| private.routes.clone()).unwrap_or_default();
    let ways_out = (network.route, private_routes, network.endpoints.clone());
    let before = (network.rules.clone(), edge.listener, edge.rule, disk, ways_out);
    let subnets = private.map_or(&network.subnets, |private| &private.subnets).clone();
    // In public subnets without NAT, the address is how the task reaches ECR and the weather.
    let assign_public_ip = private.is_none();
    let inputs = (cluster, task, subnets, network.service_group, edge.page, edge.api, before);
    let wanted = deployment.service.clone();
    stack.add("service", key, inputs, move |(_, task, subnets, group, page, api, _)| EcsServiceSpec {
        task_definition: task.arn,
        subnets: sorted(subnets.into_iter().map(|subnet: <Subnet as crate::resource::Resource>::Output| subnet.id)),
        security_groups: vec![group.id],
        assign_public_ip,
        capacity_providers: Vec::new(),
        platform_version: "LATEST".to_owned(),
        load_balancers: vec![
            ServiceLoadBalancer { container: task::CONTAINER.to_owned(), port: API_PORT, target_group_arn: api.arn },
            ServiceLoadBalancer { container: task::CONTAINER.to_owned(), port: PAGE_PORT, target_group_arn: page.arn },
        ],
        minimum_healthy_percent: wanted.minimum_healthy_percent,
        maximum_percent: wanted.maximum_percent,
        circuit_breaker: CircuitBreaker { enable: true, rollback: true },
        health_check_grace_seconds: wanted.health_check_grace_seconds,
        enable_execute_command: wanted.exec,
        propagate_tags: "SERVICE".to_owned(),
        managed_tags: true,
        rollout: "COMPLETED".to_owned(),
        desired_count: wanted.desired_count,
    })
}

fn scaling(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    service: Handle<EcsService>,
    linked_role: Handle<ServiceLinkedRole>,
) {
    let scaling = deployment.scaling.clone();
    let (min, max) = (scaling.min, scaling.max);
    let key = ScalableTarget { cluster: names.cluster(), service: names.service() };
    let target =
        stack.add("scaling", key, (service, linked_role), move |_| ScalableTargetSpec { min, max, suspended: false });
    let metrics = [
        ("cpu", "ECSServiceAverageCPUUtilization", scaling.cpu_percent),
        ("memory", "ECSServiceAverageMemoryUtilization", scaling.memory_percent),
    ];
    for (name, metric, percent) in metrics {
        let key = ScalingPolicy {
            cluster: names.cluster(),
            service: names.service(),
            name: format!("{}-{name}", names.service()),
        };
        stack.add(format!("scale-on-{name}"), key, target, move |_| ScalingPolicySpec {
            metric: metric.to_owned(),
            target: f64::from(percent),
            scales_in: true,
            // Out fast, in slowly: a batch of 142 places comes as a burst.
            scale_in_cooldown: 300,
            scale_out_cooldown: 60,
        });
    }
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<_> = items.collect();
    items.sort_unstable();
    items
}
