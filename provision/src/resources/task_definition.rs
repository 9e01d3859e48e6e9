//! What runs: image, size, environment, secrets, disk. Every change makes a new revision.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use aws_sdk_ecs::types::{
    Compatibility, ContainerDefinition, CpuArchitecture, EfsAuthorizationConfig, EfsAuthorizationConfigIam,
    EfsTransitEncryption, EfsVolumeConfiguration, HealthCheck, KeyValuePair, LinuxParameters, LogConfiguration,
    LogDriver, MountPoint, NetworkMode, OsFamily, PortMapping, RuntimePlatform, Secret, TaskDefinition as Description,
    TaskDefinitionField, TaskDefinitionStatus, TransportProtocol, Volume,
};
use aws_smithy_types::date_time::Format;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::ecs_cluster::{pairs, tags};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The newest revision of our family.
#[derive(Debug)]
pub struct TaskDefinition {
    /// The family.
    pub family: String,
}

/// What it should be.
#[derive(Debug, PartialEq, Serialize)]
pub struct TaskDefinitionSpec {
    /// CPU units.
    pub cpu: i32,
    /// Memory in MiB.
    pub memory: i32,
    /// `X86_64` or `ARM64`.
    pub architecture: String,
    /// What runs on that, as `LINUX`.
    pub operating_system: String,
    /// `awsvpc`: every task has an address of its own.
    pub network_mode: String,
    /// Where it may run, sorted.
    pub runs_on: Vec<String>,
    /// Who starts the task.
    pub execution_role_arn: String,
    /// Who the task is.
    pub task_role_arn: String,
    /// The one container.
    pub container: Container,
    /// The names of containers beside it, sorted; this tool asks for none.
    pub other_containers: Vec<String>,
    /// The shared disk.
    pub efs: Efs,
}

/// The container.
#[derive(Debug, PartialEq, Serialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The image, by digest.
    pub image: String,
    /// What it runs instead of the image's own program: nothing.
    pub command: Vec<String>,
    /// What it begins with instead of the image's own entry point: nothing.
    pub entry_point: Vec<String>,
    /// `uid:gid`.
    pub user: String,
    /// Whether only the volumes can be written.
    pub read_only_root: bool,
    /// The ports it listens on, sorted.
    pub ports: Vec<i32>,
    /// What it is told.
    pub environment: BTreeMap<String, String>,
    /// Where what it must not be told openly is kept.
    pub secrets: BTreeMap<String, String>,
    /// Where the shared disk and the scratch space are mounted, by volume.
    pub mounts: BTreeMap<String, Mount>,
    /// Where its log goes.
    pub log: Log,
    /// How it is asked whether it is well.
    pub health: Health,
    /// How many seconds it may take to stop.
    pub stop_timeout: i32,
    /// Whether a first process looks after the others, which commands from outside need.
    pub init_process: bool,
}

/// Where a volume is mounted.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The folder in the container.
    pub path: String,
    /// Whether nothing can be written.
    pub read_only: bool,
}

/// How a container is asked whether it is well.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What is run in it.
    pub command: Vec<String>,
    /// Every so many seconds.
    pub interval: i32,
    /// An answer within so many seconds.
    pub timeout: i32,
    /// So many bad answers make it unhealthy.
    pub retries: i32,
    /// Bad answers do not count for so many seconds after its start.
    pub start_period: i32,
}

/// Where a log goes.
#[derive(Debug, PartialEq, Serialize)]
pub struct Log {
    /// Who takes it there, as `awslogs`.
    pub driver: String,
    /// The log group.
    pub group: String,
    /// Its region.
    pub region: String,
    /// What stream names begin with.
    pub prefix: String,
}

/// A disk.
#[derive(Debug, PartialEq, Serialize)]
pub struct Efs {
    /// The file system.
    pub file_system_id: String,
    /// The access point.
    pub access_point_id: String,
    /// Whether what is read and written is encrypted on the way: AWS demands it with an access point.
    pub transit_encryption: String,
    /// Whether the task's role decides who may mount.
    pub iam: String,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinitionOutput {
    /// The ARN with the revision.
    pub arn: String,
}

/// The volume with the shared disk.
const DISK: &str = "cache";
/// Scratch space that goes with the task, for the root is read-only.
const SCRATCH: &str = "scratch";
const SCRATCH_PATH: &str = "/tmp";

/// The mounts of a container that finds the shared disk at a path.
pub fn mounts(disk_path: String) -> BTreeMap<String, Mount> {
    let mount = |path: String| Mount { path, read_only: false };
    [(DISK.to_owned(), mount(disk_path)), (SCRATCH.to_owned(), mount(SCRATCH_PATH.to_owned()))].into()
}

/// The newest revision of a family, if it can be run.
pub(super) async fn newest(context: &Context, family: &str) -> Result<Option<Description>> {
    Ok(describe(context, family).await?.map(|(newest, _)| newest))
}

/// Which image a task definition names.
pub(super) fn image(of: &Description) -> Option<String> {
    of.container_definitions().first().and_then(|container| container.image.clone())
}

/// Which image the task definition of an ARN names.
pub(super) async fn image_of(context: &Context, arn: &str) -> Result<Option<String>> {
    let answer = context.aws.ecs.describe_task_definition().task_definition(arn).send().await;
    Ok(answer.map_err(AwsError::from)?.task_definition.as_ref().and_then(image))
}

/// The image that a revision names, and the processor that it asks for.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn what_runs(context: &Context, arn: &str) -> Result<(String, String)> {
    let answer = context.aws.ecs.describe_task_definition().task_definition(arn).send().await;
    let found = super::sent(answer.map_err(AwsError::from)?.task_definition, "the task definition")?;
    let architecture = found.runtime_platform().and_then(|platform| platform.cpu_architecture());
    let architecture = architecture.map_or("X86_64", |architecture| architecture.as_str()).to_owned();
    Ok((image(&found).unwrap_or_default(), architecture))
}

/// One of the things that were deployed.
#[derive(Clone, Debug, PartialEq, Eq, schemars::JsonSchema, Serialize)]
pub struct Revision {
    /// Its number, counted from 1.
    pub number: i32,
    /// Its ARN.
    pub arn: String,
    /// When it was registered, in UTC.
    pub registered: String,
    /// The image that it runs, by digest.
    pub image: String,
}

impl Revision {
    fn of(found: &Description, arn: &str) -> Self {
        let registered = found.registered_at.and_then(|at| at.fmt(Format::DateTime).ok());
        Self {
            number: found.revision,
            arn: arn.to_owned(),
            registered: registered.unwrap_or_default(),
            image: image(found).unwrap_or_default(),
        }
    }
}

/// Reads the revisions of a family that can still be run, newest first.
///
/// # Errors
/// When a call fails.
pub async fn revisions(context: &Context, family: &str) -> Result<Vec<Revision>> {
    let key = TaskDefinition { family: family.to_owned() };
    let arns = key.revisions(context, TaskDefinitionStatus::Active).await?;
    let described = futures::stream::iter(arns).map(async |arn| {
        let answer = context.aws.ecs.describe_task_definition().task_definition(&arn).send().await;
        let found = super::sent(answer.map_err(AwsError::from)?.task_definition, "the task definition")?;
        anyhow::Ok(Revision::of(&found, &arn))
    });
    let mut revisions: Vec<_> = described.buffer_unordered(8).try_collect().await?;
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    Ok(revisions)
}

/// Reads a revision that AWS still remembers, but no longer runs.
///
/// # Errors
/// When the call fails.
pub(crate) async fn inactive(context: &Context, family: &str, number: i32) -> Result<Option<Revision>> {
    let answer = context.aws.ecs.describe_task_definition().task_definition(format!("{family}:{number}")).send().await;
    // AWS has no code of its own for a revision that does not exist.
    let found = answer.absent_on(&["ClientException"])?.and_then(|answer| answer.task_definition);
    let found = found.filter(|found| found.status() == Some(&TaskDefinitionStatus::Inactive));
    Ok(found.and_then(|found| Some(Revision::of(&found, found.task_definition_arn()?))))
}

/// Registers the content of a revision once more, because AWS deploys no inactive one; gives the new one's ARN.
///
/// # Errors
/// When it cannot be read, or AWS does not take it.
pub(crate) async fn register_again(context: &Context, family: &str, arn: &str) -> Result<String> {
    let answer = context.aws.ecs.describe_task_definition().task_definition(arn).send().await;
    let found = super::sent(answer.map_err(AwsError::from)?.task_definition, "the task definition")?;
    let key = TaskDefinition { family: family.to_owned() };
    Ok(key.register(context, &spec_of(found)?).await?.arn)
}

type Tags = Vec<aws_sdk_ecs::types::Tag>;

async fn describe(context: &Context, family: &str) -> Result<Option<(Description, Tags)>> {
    let ask = || async {
        let request = context.aws.ecs.describe_task_definition().task_definition(family);
        let answer = request.include(TaskDefinitionField::Tags).send().await;
        // AWS has no code of its own for a family that does not exist.
        let Some(answer) = answer.absent_on(&["ClientException"])? else { return Ok(None) };
        let active = |found: &Description| found.status() == Some(&TaskDefinitionStatus::Active);
        Ok(answer.task_definition.filter(active).map(|found| (found, answer.tags.unwrap_or_default())))
    };
    context.once(&format!("newest task definition of {family}"), ask).await
}

fn container(spec: &Container) -> Result<ContainerDefinition> {
    let ports = spec.ports.iter().map(|port| {
        PortMapping::builder().container_port(*port).host_port(*port).protocol(TransportProtocol::Tcp).build()
    });
    let environment =
        spec.environment.iter().map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
    let secrets = spec.secrets.iter().map(|(name, from)| Secret::builder().name(name).value_from(from).build());
    let mounts = spec.mounts.iter().map(|(volume, mount)| {
        MountPoint::builder().source_volume(volume).container_path(&mount.path).read_only(mount.read_only).build()
    });
    let log = LogConfiguration::builder()
        .log_driver(LogDriver::from(spec.log.driver.as_str()))
        .options("awslogs-group", &spec.log.group)
        .options("awslogs-region", &spec.log.region)
        .options("awslogs-stream-prefix", &spec.log.prefix);
    let health = HealthCheck::builder()
        .set_command(Some(spec.health.command.clone()))
        .interval(spec.health.interval)
        .timeout(spec.health.timeout)
        .retries(spec.health.retries)
        .start_period(spec.health.start_period);
    Ok(ContainerDefinition::builder()
        .name(&spec.name)
        .image(&spec.image)
        .essential(true)
        .set_command((!spec.command.is_empty()).then(|| spec.command.clone()))
        .set_entry_point((!spec.entry_point.is_empty()).then(|| spec.entry_point.clone()))
        .user(&spec.user)
        .readonly_root_filesystem(spec.read_only_root)
        .set_port_mappings(Some(ports.collect()))
        .set_environment(Some(environment.collect()))
        .set_secrets(Some(secrets.collect::<Result<_, _>>()?))
        .set_mount_points(Some(mounts.collect()))
        .log_configuration(log.build()?)
        .health_check(health.build()?)
        .stop_timeout(spec.stop_timeout)
        .linux_parameters(LinuxParameters::builder().init_process_enabled(spec.init_process).build())
        .build())
}

fn volumes(efs: &Efs) -> Result<Vec<Volume>> {
    let authorization = EfsAuthorizationConfig::builder()
        .access_point_id(&efs.access_point_id)
        .iam(EfsAuthorizationConfigIam::from(efs.iam.as_str()));
    let disk = EfsVolumeConfiguration::builder()
        .file_system_id(&efs.file_system_id)
        .transit_encryption(EfsTransitEncryption::from(efs.transit_encryption.as_str()))
        .authorization_config(authorization.build());
    Ok(vec![
        Volume::builder().name(DISK).efs_volume_configuration(disk.build()?).build(),
        Volume::builder().name(SCRATCH).build(),
    ])
}

/// Reads a revision the way it was asked for, without what AWS fills in.
fn spec_of(found: Description) -> Result<TaskDefinitionSpec> {
    let number = |text: Option<&str>, name: &str| -> Result<i32> {
        super::sent(text, name)?.parse().with_context(|| format!("{name} is not a number"))
    };
    let (container, others) = super::sent(found.container_definitions().split_first(), "a container")?;
    let platform = found.runtime_platform();
    let architecture = platform.and_then(|platform| platform.cpu_architecture());
    let system = platform.and_then(|platform| platform.operating_system_family());
    let runs_on = found.requires_compatibilities().iter().map(|it| it.as_str().to_owned());
    Ok(TaskDefinitionSpec {
        cpu: number(found.cpu(), "the task's cpu")?,
        memory: number(found.memory(), "the task's memory")?,
        architecture: architecture.map_or("X86_64", |architecture| architecture.as_str()).to_owned(),
        operating_system: system.map_or("LINUX", |system| system.as_str()).to_owned(),
        network_mode: found.network_mode().map_or("bridge", |mode| mode.as_str()).to_owned(),
        runs_on: super::sorted(runs_on),
        execution_role_arn: found.execution_role_arn.clone().unwrap_or_default(),
        task_role_arn: found.task_role_arn.clone().unwrap_or_default(),
        container: container_of(container),
        other_containers: super::sorted(others.iter().filter_map(|other| other.name.clone())),
        efs: efs_of(found.volumes()),
    })
}

fn container_of(found: &ContainerDefinition) -> Container {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut ports: Vec<_> = found.port_mappings().iter().filter_map(|mapping| mapping.container_port).collect();
    ports.sort_unstable();
    let environment = found.environment().iter().filter_map(|pair| Some((pair.name.clone()?, pair.value.clone()?)));
    let mounts = found.mount_points().iter().map(|mount| {
        let shape = Mount { path: text(mount.container_path()), read_only: mount.read_only.unwrap_or_default() };
        (text(mount.source_volume()), shape)
    });
    let option = |name: &str| {
        let options = found.log_configuration().and_then(|log| log.options());
        text(options.and_then(|options| options.get(name)).map(String::as_str))
    };
    Container {
        name: text(found.name()),
        image: text(found.image()),
        command: found.command().to_vec(),
        entry_point: found.entry_point().to_vec(),
        user: text(found.user()),
        read_only_root: found.readonly_root_filesystem.unwrap_or_default(),
        ports,
        environment: environment.collect(),
        secrets: found.secrets().iter().map(|it| (it.name.clone(), it.value_from.clone())).collect(),
        mounts: mounts.collect(),
        log: Log {
            driver: text(found.log_configuration().map(|log| log.log_driver().as_str())),
            group: option("awslogs-group"),
            region: option("awslogs-region"),
            prefix: option("awslogs-stream-prefix"),
        },
        health: health_of(found.health_check()),
        stop_timeout: found.stop_timeout.unwrap_or(30),
        init_process: found.linux_parameters().and_then(|it| it.init_process_enabled).unwrap_or_default(),
    }
}

/// What is left out is as AWS has it by default.
fn health_of(found: Option<&HealthCheck>) -> Health {
    Health {
        command: found.map(|check| check.command().to_vec()).unwrap_or_default(),
        interval: found.and_then(|check| check.interval).unwrap_or(30),
        timeout: found.and_then(|check| check.timeout).unwrap_or(5),
        retries: found.and_then(|check| check.retries).unwrap_or(3),
        start_period: found.and_then(|check| check.start_period).unwrap_or_default(),
    }
}

fn efs_of(volumes: &[Volume]) -> Efs {
    let disk = volumes.iter().find(|volume| volume.name() == Some(DISK));
    let disk = disk.and_then(|volume| volume.efs_volume_configuration());
    let authorization = disk.and_then(|disk| disk.authorization_config());
    let encryption = disk.and_then(|disk| disk.transit_encryption()).map(|it| it.as_str());
    let iam = authorization.and_then(|it| it.iam()).map(|it| it.as_str());
    Efs {
        file_system_id: disk.map(|disk| disk.file_system_id.clone()).unwrap_or_default(),
        access_point_id: authorization.and_then(|it| it.access_point_id.clone()).unwrap_or_default(),
        transit_encryption: encryption.unwrap_or("DISABLED").to_owned(),
        iam: iam.unwrap_or("DISABLED").to_owned(),
    }
}

impl TaskDefinition {
    async fn register(&self, context: &Context, spec: &TaskDefinitionSpec) -> Result<TaskDefinitionOutput> {
        let platform = RuntimePlatform::builder()
            .cpu_architecture(CpuArchitecture::from(spec.architecture.as_str()))
            .operating_system_family(OsFamily::from(spec.operating_system.as_str()));
        let runs_on = spec.runs_on.iter().map(|it| Compatibility::from(it.as_str()));
        let request = context
            .aws
            .ecs
            .register_task_definition()
            .family(&self.family)
            .network_mode(NetworkMode::from(spec.network_mode.as_str()))
            .set_requires_compatibilities(Some(runs_on.collect()))
            .cpu(spec.cpu.to_string())
            .memory(spec.memory.to_string())
            .runtime_platform(platform.build())
            .execution_role_arn(&spec.execution_role_arn)
            .task_role_arn(&spec.task_role_arn)
            .container_definitions(container(&spec.container)?)
            .set_volumes(Some(volumes(&spec.efs)?))
            .set_tags(Some(tags(context, "task")));
        let answer = request.send().await.map_err(AwsError::from)?;
        let registered = super::sent(answer.task_definition, "the task definition")?;
        Ok(TaskDefinitionOutput { arn: super::sent(registered.task_definition_arn, "the task definition's ARN")? })
    }

    async fn revisions(&self, context: &Context, status: TaskDefinitionStatus) -> Result<Vec<String>> {
        let mut arns = Vec::new();
        let mut next = None;
        loop {
            let request = context.aws.ecs.list_task_definitions().family_prefix(&self.family).status(status.clone());
            let answer = request.set_next_token(next).send().await.map_err(AwsError::from)?;
            // The search is by prefix; `family-staging` is someone else's.
            let ours = format!("task-definition/{}:", self.family);
            arns.extend(answer.task_definition_arns.unwrap_or_default().into_iter().filter(|arn| arn.contains(&ours)));
            next = answer.next_token;
            if next.is_none() {
                return Ok(arns);
            }
        }
    }
}

impl Resource for TaskDefinition {
    const KIND: &'static str = "task definition";
    const VERSIONED: bool = true;

    type Spec = TaskDefinitionSpec;
    type Output = TaskDefinitionOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some((found, tags)) = describe(context, &self.family).await? else { return Ok(None) };
        context.aws.owner.check(format_args!("task definition {}", self.family), pairs(&tags))?;
        let arn = super::sent(found.task_definition_arn.clone(), "the task definition's ARN")?;
        Ok(Some(Live { spec: spec_of(found)?, output: TaskDefinitionOutput { arn } }))
    }

    async fn create(&self, context: &Context, spec: &TaskDefinitionSpec) -> Result<TaskDefinitionOutput> {
        self.register(context, spec).await
    }

    async fn update(
        &self,
        context: &Context,
        _live: &Live<Self>,
        spec: &TaskDefinitionSpec,
    ) -> Result<TaskDefinitionOutput> {
        self.register(context, spec).await
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        for arn in self.revisions(context, TaskDefinitionStatus::Active).await? {
            let request = context.aws.ecs.deregister_task_definition().task_definition(arn);
            request.send().await.map_err(AwsError::from)?;
        }
        let inactive = self.revisions(context, TaskDefinitionStatus::Inactive).await?;
        // AWS takes at most ten at a time, and finishes on its own.
        for some in inactive.chunks(10) {
            let request = context.aws.ecs.delete_task_definitions().set_task_definitions(Some(some.to_vec()));
            request.send().await.map_err(AwsError::from)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> TaskDefinitionSpec {
        let map = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        TaskDefinitionSpec {
            cpu: 1024,
            memory: 2048,
            architecture: "X86_64".to_owned(),
            operating_system: "LINUX".to_owned(),
            network_mode: "awsvpc".to_owned(),
            runs_on: vec!["FARGATE".to_owned()],
            execution_role_arn: "arn:e".to_owned(),
            task_role_arn: "arn:t".to_owned(),
            container: Container {
                name: "app".to_owned(),
                image: "r@sha256:1".to_owned(),
                command: Vec::new(),
                entry_point: Vec::new(),
                user: "65532:65532".to_owned(),
                read_only_root: true,
                ports: vec![8000, 8501],
                environment: map("ENV", "staging"),
                secrets: map("KEY", "arn:s:KEY::"),
                mounts: mounts("/app/cache".to_owned()),
                log: Log {
                    driver: "awslogs".to_owned(),
                    group: "/g".to_owned(),
                    region: "r".to_owned(),
                    prefix: "ecs".to_owned(),
                },
                health: Health {
                    command: vec!["CMD".to_owned(), "/app/app".to_owned(), "health".to_owned()],
                    interval: 10,
                    timeout: 5,
                    retries: 3,
                    start_period: 30,
                },
                stop_timeout: 30,
                init_process: true,
            },
            other_containers: Vec::new(),
            efs: Efs {
                file_system_id: "fs-1".to_owned(),
                access_point_id: "fsap-1".to_owned(),
                transit_encryption: "ENABLED".to_owned(),
                iam: "ENABLED".to_owned(),
            },
        }
    }

    #[test]
    fn a_revision_reads_back_as_it_was_registered() {
        let asked = spec();
        let registered = Description::builder()
            .cpu("1024")
            .memory("2048")
            .network_mode(NetworkMode::Awsvpc)
            .requires_compatibilities(Compatibility::Fargate)
            .execution_role_arn("arn:e")
            .task_role_arn("arn:t")
            // AWS gives every container this, and lists ports in any order.
            .container_definitions({
                let mut definition = container(&asked.container).unwrap();
                definition.cpu = 0;
                definition.port_mappings.as_mut().unwrap().reverse();
                definition
            })
            .set_volumes(Some(volumes(&asked.efs).unwrap()))
            .build();
        assert_eq!(spec_of(registered).unwrap(), asked);
    }
}
