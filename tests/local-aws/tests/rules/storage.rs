//! File systems, secrets and logs.

use crate::account::{Account, KEY, seconds};
use crate::harness::{probes, said, seen};

async fn file_system(it: &Account) -> String {
    let made = it.aws.efs.create_file_system().creation_token("t").send().await.unwrap();
    seconds(20).await;
    made.file_system_id
}

fn access_point(
    it: &Account,
    file_system: &str,
) -> aws_sdk_efs::operation::create_access_point::builders::CreateAccessPointFluentBuilder {
    it.aws.efs.create_access_point().client_token("same").file_system_id(file_system)
}

/// A secret that can still be had back.
async fn deleted_secret(it: &Account) {
    it.aws.secrets.create_secret().name("keys").secret_string("{}").send().await.unwrap();
    it.aws.secrets.delete_secret().secret_id("keys").recovery_window_in_days(7).send().await.unwrap();
}

probes! {
    file_system_available: "IncorrectFileSystemLifeCycleState", "life cycle state", async |it: Account| {
        let made = it.aws.efs.create_file_system().creation_token("t").send().await.unwrap();
        let request = it.aws.efs.put_lifecycle_configuration().file_system_id(made.file_system_id);
        said(request.set_lifecycle_policies(Some(Vec::new())).send().await)
    };
    file_systems_create: "creating", "", async |it: Account| {
        it.aws.efs.create_file_system().creation_token("t").send().await.unwrap();
        let described = it.aws.efs.describe_file_systems().send().await.unwrap();
        seen(described.file_systems()[0].life_cycle_state().as_str())
    };
    one_mount_target_a_zone: "MountTargetConflict", "already exists in this AZ", async |it: Account| {
        let (_, [a, _, also_a]) = it.network().await;
        let id = file_system(&it).await;
        it.aws.efs.create_mount_target().file_system_id(&id).subnet_id(a).send().await.unwrap();
        said(it.aws.efs.create_mount_target().file_system_id(&id).subnet_id(also_a).send().await)
    };
    file_system_whose_mount_target_goes of one_mount_target_a_zone: "FileSystemInUse", "has mount targets and cannot be deleted",
        async |it: Account| {
            let (_, [a, ..]) = it.network().await;
            let id = file_system(&it).await;
            let made = it.aws.efs.create_mount_target().file_system_id(&id).subnet_id(a).send().await.unwrap();
            seconds(120).await;
            it.aws.efs.delete_mount_target().mount_target_id(made.mount_target_id).send().await.unwrap();
            said(it.aws.efs.delete_file_system().file_system_id(id).send().await)
        };
    mount_targets_take_time: "creating", "", async |it: Account| {
        let (_, [a, ..]) = it.network().await;
        let id = file_system(&it).await;
        it.aws.efs.create_mount_target().file_system_id(&id).subnet_id(a).send().await.unwrap();
        let described = it.aws.efs.describe_mount_targets().file_system_id(&id).send().await.unwrap();
        seen(described.mount_targets()[0].life_cycle_state().as_str())
    };
    access_point_twice: "AccessPointAlreadyExists", "already exists", async |it: Account| {
        let id = file_system(&it).await;
        access_point(&it, &id).send().await.unwrap();
        said(access_point(&it, &id).send().await)
    };
    secret_in_recovery: "InvalidRequestException", "already scheduled for deletion", async |it: Account| {
        deleted_secret(&it).await;
        said(it.aws.secrets.create_secret().name("keys").secret_string("{}").send().await)
    };
    reading_of_a_secret_in_recovery of secret_in_recovery: "InvalidRequestException", "marked for deletion",
        async |it: Account| {
            deleted_secret(&it).await;
            said(it.aws.secrets.get_secret_value().secret_id("keys").send().await)
        };
    writing_of_a_secret_in_recovery of secret_in_recovery: "InvalidRequestException", "You can't perform this operation",
        async |it: Account| {
            deleted_secret(&it).await;
            said(it.aws.secrets.put_secret_value().secret_id("keys").secret_string("{}").send().await)
        };
    secret_names: "ValidationException", "Invalid name", async |it: Account| {
        said(it.aws.secrets.create_secret().name("a b*").secret_string("{}").send().await)
    };
    retention_days: "InvalidParameterException", "retentionInDays", async |it: Account| {
        it.aws.logs.create_log_group().log_group_name("/g").send().await.unwrap();
        said(it.aws.logs.put_retention_policy().log_group_name("/g").retention_in_days(15).send().await)
    };
    key_of_a_log_group: "AccessDeniedException", "is not allowed to be used with Arn", async |it: Account| {
        it.cloud.world(|world| world.keys.add(KEY, &["cloudwatch"]));
        said(it.aws.logs.create_log_group().log_group_name("group").kms_key_id(KEY).send().await)
    };
    log_group_names: "InvalidParameterException", "logGroupName",
        async |it: Account| said(it.aws.logs.create_log_group().log_group_name("a b").send().await);
    log_groups_of_aws of log_group_names: "InvalidParameterException", "'aws/x' at 'logGroupName'",
        async |it: Account| said(it.aws.logs.create_log_group().log_group_name("aws/x").send().await);
}
