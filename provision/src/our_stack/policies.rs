//! Who may do what: the two roles of the task, and what the registry throws away.

use config::deployment::Deployment;
use serde_json::{Value, json};

use super::Storage;
use crate::names::Names;
use crate::resources::ecr_repository::EcrRepository;
use crate::resources::iam_role::{IamRole, IamRoleSpec};
use crate::resources::identity::Identity;
use crate::resources::log_group::LogGroup;
use crate::resources::secret::Secret;
use crate::stack::{Handle, Stack};

/// The roles that ECS assumes for a task.
#[derive(Clone, Copy)]
pub(super) struct Roles {
    /// Starts the task: pulls the image, reads the secret, writes the log.
    pub(super) execution: Handle<IamRole>,
    /// Is the task: mounts the disk.
    pub(super) task: Handle<IamRole>,
}

#[expect(clippy::too_many_arguments, reason = "the roles name everything that the task touches")]
pub(super) fn add(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    identity: Handle<Identity>,
    storage: &Storage,
    repository: Handle<EcrRepository>,
    secret: Handle<Secret>,
    (log_group, exec_log): (Handle<LogGroup>, Option<Handle<LogGroup>>),
) -> Roles {
    let key =
        |kind: &str| IamRole { name: names.role(kind), path: names.role_path(), resource: format!("{kind}-role") };
    let inputs = (identity, repository, secret, log_group);
    let own_key = deployment.encryption.kms_key_arn.as_ref();
    let decrypt = own_key.map(|arn| ("decrypt".to_owned(), may_decrypt(arn, &deployment.region)));
    let execution =
        stack.add("execution-role", key("execution"), inputs, move |(identity, repository, secret, log)| {
            let start = ("start".to_owned(), may_start(&repository.arn, &secret.arn, &log.arn));
            IamRoleSpec {
                description: "Starts the tasks: pulls the image, reads the secret, writes the log".to_owned(),
                trust: trust(&identity.account),
                policies: std::iter::once(start).chain(decrypt.clone()).collect(),
            }
        });
    let inputs = (identity, storage.file_system, storage.access_point, Vec::from_iter(exec_log));
    let (region, own_key) = (deployment.region.clone(), deployment.encryption.kms_key_arn.clone());
    let task = stack.add("task-role", key("task"), inputs, move |(identity, file_system, access_point, exec_log)| {
        let disk = ("disk".to_owned(), may_mount(&file_system.arn, &access_point.arn));
        let exec = exec_log.iter().map(|log| {
            let groups = format!("arn:aws:logs:{region}:{}:log-group:*", identity.account);
            ("exec".to_owned(), may_be_entered(&log.arn, &groups, own_key.as_deref()))
        });
        IamRoleSpec {
            description: "Is the running service: mounts the shared disk".to_owned(),
            trust: trust(&identity.account),
            policies: std::iter::once(disk).chain(exec).collect(),
        }
    });
    Roles { execution, task }
}

/// Only ECS, and only for this account's own tasks.
fn trust(account: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "ecs-tasks.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": account },
                "ArnLike": { "aws:SourceArn": format!("arn:aws:ecs:*:{account}:*") },
            },
        }],
    })
}

fn may_start(repository: &str, secret: &str, log_group: &str) -> Value {
    policy(json!([
        // The token is for the whole registry; AWS offers no narrower resource.
        allow(&["ecr:GetAuthorizationToken"], "*"),
        allow(&["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], repository),
        allow(&["secretsmanager:GetSecretValue"], secret),
        allow(&["logs:CreateLogStream", "logs:PutLogEvents"], &format!("{log_group}:*")),
    ]))
}

/// With a key of one's own, the secret can be read only by whoever may use the key, and that only for secrets.
fn may_decrypt(key: &str, region: &str) -> Value {
    let mut statement = allow(&["kms:Decrypt"], key);
    statement["Condition"] =
        json!({ "StringEquals": { "kms:ViaService": format!("secretsmanager.{region}.amazonaws.com") } });
    policy(json!([statement]))
}

fn may_mount(file_system: &str, access_point: &str) -> Value {
    let mut statement = allow(&["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], file_system);
    statement["Condition"] = json!({ "StringEquals": { "elasticfilesystem:AccessPointArn": access_point } });
    policy(json!([statement]))
}

/// What the disk itself demands of whoever mounts it: our task, through our folder, encrypted, from our network.
pub(super) fn may_be_mounted(task_role: &str, file_system: &str, access_point: &str) -> Value {
    let mut ours = allow(&["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], file_system);
    ours["Principal"] = json!({ "AWS": task_role });
    ours["Condition"] = json!({
        "StringEquals": { "elasticfilesystem:AccessPointArn": access_point },
        "Bool": { "elasticfilesystem:AccessedViaMountTarget": "true" },
    });
    let unencrypted = json!({
        "Effect": "Deny",
        "Principal": { "AWS": "*" },
        "Action": "*",
        "Resource": file_system,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    policy(json!([ours, unencrypted]))
}

/// What the agent in a task needs, to let people run commands in it and to write down what they did.
fn may_be_entered(log_group: &str, all_log_groups: &str, own_key: Option<&str>) -> Value {
    let channels = ["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"];
    let channels = channels.map(|channel| format!("ssmmessages:{channel}"));
    let streams = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
    let statements = [
        // AWS offers no narrower resource.
        allow(&channels.each_ref().map(String::as_str), "*"),
        allow(&["logs:DescribeLogGroups"], all_log_groups),
        allow(&streams, &format!("{log_group}:*")),
    ];
    // What goes to and fro is encrypted with it.
    let decrypt = own_key.map(|key| allow(&["kms:Decrypt"], key));
    policy(statements.into_iter().chain(decrypt).collect())
}

pub(super) fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

pub(super) fn policy(statements: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Keeps the last images, by count: an image that still runs must not expire by age.
pub(super) fn keep_images(count: u32) -> Value {
    json!({
        "rules": [{
            "rulePriority": 1,
            "description": "keep the last images",
            "selection": { "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count },
            "action": { "type": "expire" },
        }],
    })
}
