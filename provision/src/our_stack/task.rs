//! The task: one container that serves the page and the API.

use config::deployment::Deployment;

use super::policies::Roles;
use super::{API_PORT, PAGE_PORT};
use crate::names::Names;
use crate::resources::access_point::AccessPoint;
use crate::resources::file_system::FileSystem;
use crate::resources::iam_role::IamRole;
use crate::resources::image::Image;
use crate::resources::log_group::LogGroup;
use crate::resources::secret::Secret;
use crate::resources::task_definition::{self, Container, Efs, Health, Log, TaskDefinition, TaskDefinitionSpec};
use crate::stack::{Handle, Stack};

/// The name of the container, which the service's load balancers refer to.
pub(crate) const CONTAINER: &str = "app";
/// The user in the image; the access point maps files to the same one.
pub(super) const USER: i64 = 65_532;

type Needs = (Handle<Image>, Handle<LogGroup>, Handle<Secret>, Roles, (Handle<FileSystem>, Handle<AccessPoint>));

pub(super) fn add(stack: &mut Stack, deployment: &Deployment, needs: Needs) -> Handle<TaskDefinition> {
    let (image, log_group, secret, roles, disk) = needs;
    let deployment = deployment.clone();
    let key = TaskDefinition { family: Names::of(&deployment).task_family() };
    let roles: (Handle<IamRole>, Handle<IamRole>) = (roles.execution, roles.task);
    let inputs = (image, log_group, secret, roles, disk);
    stack.add("task", key, inputs, move |(image, log, secret, (execution, task), (file_system, access_point))| {
        TaskDefinitionSpec {
            cpu: deployment.task.cpu,
            memory: deployment.task.memory_mib,
            architecture: deployment.task.architecture.to_string(),
            operating_system: "LINUX".to_owned(),
            network_mode: "awsvpc".to_owned(),
            runs_on: vec!["FARGATE".to_owned()],
            execution_role_arn: execution.arn,
            task_role_arn: task.arn,
            container: Container {
                name: CONTAINER.to_owned(),
                image: image.reference,
                command: Vec::new(),
                entry_point: Vec::new(),
                user: format!("{USER}:{USER}"),
                // The agent that runs commands for people writes beside the program.
                read_only_root: !deployment.service.exec,
                ports: vec![API_PORT, PAGE_PORT],
                environment: environment(&deployment),
                secrets: secrets(&secret.arn),
                mounts: task_definition::mounts(deployment.settings.cache_dir.display().to_string()),
                log: Log {
                    driver: "awslogs".to_owned(),
                    group: log.name,
                    region: deployment.region.clone(),
                    prefix: "ecs".to_owned(),
                },
                health: Health {
                    command: ["CMD", "/app/app", "health"].map(ToOwned::to_owned).into(),
                    interval: 10,
                    timeout: 5,
                    retries: 3,
                    start_period: 30,
                },
                stop_timeout: 30,
                init_process: deployment.service.exec,
            },
            other_containers: Vec::new(),
            efs: Efs {
                file_system_id: file_system.id,
                access_point_id: access_point.id,
                transit_encryption: "ENABLED".to_owned(),
                iam: "ENABLED".to_owned(),
            },
        }
    })
}

fn environment(deployment: &Deployment) -> std::collections::BTreeMap<String, String> {
    deployment.settings.to_env().into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `…:KEY::` names one key of the JSON value, in its current version.
fn secrets(secret_arn: &str) -> std::collections::BTreeMap<String, String> {
    config::SECRET_KEYS.iter().map(|key| ((*key).to_owned(), format!("{secret_arn}:{key}::"))).collect()
}
