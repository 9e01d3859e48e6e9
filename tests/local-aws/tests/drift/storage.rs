//! What is kept: the disk, the secret, the images and the log.

use aws_sdk_efs::types::{
    BackupPolicy, CreationInfo, LifecyclePolicy, PerformanceMode, PosixUser, RootDirectory, Status, ThroughputMode,
    TransitionToArchiveRules, TransitionToIaRules, TransitionToPrimaryStorageClassRules,
};
use aws_sdk_secretsmanager::types::Tag;
use local_aws::commands::piped;
use provision::cli::Exit;

use crate::account::{Account, our_tags};
use crate::case::{Case, blocked, not_ours, repaired};

/// Somebody's own rules of when files move.
async fn move_files(account: &Account, policies: Vec<LifecyclePolicy>) {
    account.minutes(1).await;
    let request = account.aws.efs.put_lifecycle_configuration().file_system_id(account.file_system().await);
    request.set_lifecycle_policies(Some(policies)).send().await.unwrap();
    account.minutes(1).await;
}

fn to_ia() -> LifecyclePolicy {
    LifecyclePolicy::builder().transition_to_ia(TransitionToIaRules::After30Days).build()
}

async fn delete_mount_targets(account: &Account) {
    for target in account.mount_targets().await {
        account.aws.efs.delete_mount_target().mount_target_id(target.mount_target_id).send().await.unwrap();
    }
    account.minutes(5).await;
}

pub(crate) const DISK: &[Case] = &[
    Case::new(&["~ cache throughput_mode"], |it| {
        Box::pin(async move {
            let request = it.aws.efs.update_file_system().file_system_id(it.file_system().await);
            request.throughput_mode(ThroughputMode::Elastic).send().await.unwrap();
            it.minutes(1).await;
        })
    }),
    Case::new(&["~ cache transition_to_ia"], |it| Box::pin(async move { move_files(it, Vec::new()).await })),
    Case::new(&["~ cache transition_to_archive"], |it| {
        Box::pin(async move {
            let archive = LifecyclePolicy::builder().transition_to_archive(TransitionToArchiveRules::After90Days);
            move_files(it, vec![to_ia(), archive.build()]).await;
        })
    }),
    Case::new(&["~ cache back_when_read"], |it| {
        Box::pin(async move {
            let back = TransitionToPrimaryStorageClassRules::After1Access;
            let back = LifecyclePolicy::builder().transition_to_primary_storage_class(back);
            move_files(it, vec![to_ia(), back.build()]).await;
        })
    }),
    Case::new(&["~ cache backup"], |it| {
        Box::pin(async move {
            let off = BackupPolicy::builder().status(Status::Disabled).build().unwrap();
            let request = it.aws.efs.put_backup_policy().file_system_id(it.file_system().await);
            request.backup_policy(off).send().await.unwrap();
            it.minutes(1).await;
        })
    }),
    Case::new(&["~ cache-policy policy.Statement"], |it| {
        Box::pin(async move {
            let open = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},
                "Action": "elasticfilesystem:ClientMount"}]}"#;
            let request = it.aws.efs.put_file_system_policy().file_system_id(it.file_system().await);
            request.policy(open).send().await.unwrap();
            it.minutes(1).await;
        })
    }),
    Case::new(&["+ cache-policy", "? service"], |it| {
        Box::pin(async move {
            let request = it.aws.efs.delete_file_system_policy().file_system_id(it.file_system().await);
            request.send().await.unwrap();
            it.minutes(1).await;
        })
    }),
    Case::new(&["~ cache-mount-1 security_groups"], |it| {
        Box::pin(async move {
            let subnet = it.subnet("public-1").await;
            let ours = it.mount_targets().await.into_iter().find(|it| it.subnet_id == subnet).unwrap();
            let request = it.aws.efs.modify_mount_target_security_groups().mount_target_id(ours.mount_target_id);
            request.security_groups(it.group("alb-group").await).send().await.unwrap();
        })
    }),
    Case::new(&["+ cache-mount-2", "? service"], |it| {
        Box::pin(async move {
            let subnet = it.subnet("public-2").await;
            let ours = it.mount_targets().await.into_iter().find(|it| it.subnet_id == subnet).unwrap();
            it.aws.efs.delete_mount_target().mount_target_id(ours.mount_target_id).send().await.unwrap();
            it.minutes(5).await;
        })
    }),
    // The files stay: the new one leads to the same folder.
    Case::new(&["+ cache-access", "? task-role", "? cache-policy", "? task", "? service"], |it| {
        Box::pin(async move {
            let ours = it.access_point().await.access_point_id;
            it.aws.efs.delete_access_point().set_access_point_id(ours).send().await.unwrap();
        })
    }),
    // What was on the disk is lost already, and came with a backup; the new one begins empty.
    Case::new(
        &[
            "+ cache",
            "+ cache-access",
            "+ cache-mount-1",
            "+ cache-mount-2",
            "? task-role",
            "+ cache-policy",
            "? task",
            "? service",
        ],
        |it| {
            Box::pin(async move {
                delete_mount_targets(it).await;
                let access = it.access_point().await.access_point_id;
                it.aws.efs.delete_access_point().set_access_point_id(access).send().await.unwrap();
                it.aws.efs.delete_file_system().file_system_id(it.file_system().await).send().await.unwrap();
                it.minutes(1).await;
            })
        },
    ),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_disk_is_changed_back() {
    repaired(&Account::deployed().await, DISK).await;
}

/// Another way into the disk, to the same folder.
async fn another_access_point(account: &Account, user: Option<i64>) {
    let file_system = account.file_system().await;
    let ours = account.access_point().await.access_point_id;
    account.aws.efs.delete_access_point().set_access_point_id(ours).send().await.unwrap();
    let owner = CreationInfo::builder().owner_uid(0).owner_gid(0).permissions("0777").build().unwrap();
    let root = RootDirectory::builder().path("/cache").creation_info(owner).build();
    let user = user.map(|id| PosixUser::builder().uid(id).gid(id).build().unwrap());
    let request = account.aws.efs.create_access_point().client_token("somebody").file_system_id(file_system);
    request.root_directory(root).set_posix_user(user).send().await.unwrap();
    account.minutes(1).await;
}

pub(crate) const MADE_ANEW: &[Case] = &[
    Case::new(&["! cache-access uid gid owner permissions"], |it| {
        Box::pin(async move { another_access_point(it, Some(0)).await })
    }),
    // Everybody stays who they are.
    Case::new(&["! cache-access uid gid owner permissions"], |it| {
        Box::pin(async move { another_access_point(it, None).await })
    }),
];

#[tokio::test(start_paused = true)]
async fn another_way_into_the_disk_is_not_touched() {
    blocked(Account::deployed, MADE_ANEW).await;
}

pub(crate) const MADE_OTHERWISE: &[Case] =
    &[Case::new(&["! cache encrypted performance_mode transition_to_ia backup"], |it| {
        Box::pin(async move {
            let tags = it.ours().owner.tags("cache").into_iter();
            let tag = |(key, value)| aws_sdk_efs::types::Tag::builder().key(key).value(value).build().unwrap();
            let request = it.aws.efs.create_file_system().creation_token(it.names.file_system()).encrypted(false);
            let request = request.performance_mode(PerformanceMode::MaxIo).set_tags(Some(tags.map(tag).collect()));
            request.send().await.unwrap();
            it.minutes(1).await;
        })
    })];

#[tokio::test(start_paused = true)]
async fn a_disk_that_was_made_otherwise_is_not_touched() {
    blocked(Account::empty, MADE_OTHERWISE).await;
}

pub(crate) const KEPT: &[Case] = &[
    Case::new(&["~ api-keys description"], |it| {
        Box::pin(async move {
            it.aws.secrets.update_secret().secret_id(it.names.secret()).description("odd").send().await.unwrap();
        })
    }),
    Case::new(&["~ api-keys keys"], |it| {
        Box::pin(async move {
            let fewer = Tag::builder().key("provision:keys").value("GEMINI_API_KEY").build();
            it.aws.secrets.tag_resource().secret_id(it.names.secret()).tags(fewer).send().await.unwrap();
        })
    }),
    // AWS gives it back, with its values.
    Case::new(&["+ api-keys", "? execution-role", "? task", "? service"], |it| {
        Box::pin(async move {
            let request = it.aws.secrets.delete_secret().secret_id(it.names.secret());
            request.recovery_window_in_days(7).send().await.unwrap();
        })
    }),
    // The values are lost; the service starts without keys.
    Case::new(&["+ api-keys", "? execution-role", "? task", "? service"], |it| {
        Box::pin(async move {
            let request = it.aws.secrets.delete_secret().secret_id(it.names.secret());
            request.force_delete_without_recovery(true).send().await.unwrap();
            it.minutes(1).await;
        })
    }),
    Case::new(&["~ service-log retention_days"], |it| {
        Box::pin(async move {
            let request = it.aws.logs.put_retention_policy().log_group_name(it.names.log_group());
            request.retention_in_days(1).send().await.unwrap();
        })
    }),
    // For ever.
    Case::new(&["~ service-log retention_days"], |it| {
        Box::pin(async move {
            it.aws.logs.delete_retention_policy().log_group_name(it.names.log_group()).send().await.unwrap();
        })
    }),
    Case::new(&["~ service-log tagged"], |it| {
        Box::pin(async move {
            let found = it.aws.logs.describe_log_groups().log_group_name_prefix(it.names.log_group()).send().await;
            let arn = found.unwrap().log_groups()[0].arn().unwrap().trim_end_matches(":*").to_owned();
            it.aws.logs.untag_resource().resource_arn(arn).set_tag_keys(our_tags()).send().await.unwrap();
        })
    }),
    Case::new(&["+ service-log", "? execution-role", "? task", "? service"], |it| {
        Box::pin(async move {
            it.aws.logs.delete_log_group().log_group_name(it.names.log_group()).send().await.unwrap();
        })
    }),
    Case::new(&["~ repository mutability"], |it| {
        Box::pin(async move {
            let request = it.aws.ecr.put_image_tag_mutability().repository_name(it.names.repository());
            request.image_tag_mutability("MUTABLE".into()).send().await.unwrap();
        })
    }),
    Case::new(&["~ repository scan_on_push"], |it| {
        Box::pin(async move {
            let found = it.aws.ecr.describe_repositories().send().await.unwrap();
            let mut off = found.repositories()[0].image_scanning_configuration().unwrap().clone();
            off.scan_on_push = false;
            let request = it.aws.ecr.put_image_scanning_configuration().repository_name(it.names.repository());
            request.image_scanning_configuration(off).send().await.unwrap();
        })
    }),
    Case::new(&["~ repository lifecycle_policy"], |it| {
        Box::pin(async move {
            it.aws.ecr.delete_lifecycle_policy().repository_name(it.names.repository()).send().await.unwrap();
        })
    }),
    Case::new(&["~ repository lifecycle_policy.rules"], |it| {
        Box::pin(async move {
            let all = r#"{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType":
                "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}]}"#;
            let request = it.aws.ecr.put_lifecycle_policy().repository_name(it.names.repository());
            request.lifecycle_policy_text(all).send().await.unwrap();
        })
    }),
    Case::new(&["~ repository tagged"], |it| {
        Box::pin(async move {
            let found = it.aws.ecr.describe_repositories().send().await.unwrap();
            let arn = found.repositories()[0].repository_arn().unwrap();
            it.aws.ecr.untag_resource().resource_arn(arn).set_tag_keys(our_tags()).send().await.unwrap();
        })
    }),
    // It is pushed again from where it was built.
    Case::new(&["+ image", "? task", "? service"], |it| {
        Box::pin(async move {
            let images = it.aws.ecr.list_images().repository_name(it.names.repository()).send().await.unwrap();
            let request = it.aws.ecr.batch_delete_image().repository_name(it.names.repository());
            request.set_image_ids(images.image_ids).send().await.unwrap();
        })
    }),
    // The other images are lost; the one that is deployed is pushed again.
    Case::new(&["+ repository", "? execution-role", "+ image", "? task", "? service"], |it| {
        Box::pin(async move {
            let request = it.aws.ecr.delete_repository().repository_name(it.names.repository()).force(true);
            request.send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_secret_log_and_images_is_changed_back() {
    repaired(&Account::deployed().await, KEPT).await;
}

/// Whoever does not say which image means the one that runs, and that has to be somewhere.
#[tokio::test(start_paused = true)]
async fn a_running_image_that_is_gone_is_told_with_what_to_do() {
    let account = Account::deployed().await;
    let repository = account.names.repository();
    let images = account.aws.ecr.list_images().repository_name(&repository).send().await.unwrap();
    let request = account.aws.ecr.batch_delete_image().repository_name(repository);
    request.set_image_ids(images.image_ids).send().await.unwrap();
    let certificate = account.runs.deployment.edge.certificate_arn.as_ref().unwrap();
    let certificate = format!("edge.certificate_arn={certificate}");
    let said = piped(&account.runs.cloud, &["plan", "--afresh", "--set", &certificate], "").await;
    assert_ne!(said.exit, Exit::Done, "{}", said.results);
    for part in ["is no longer in its repository", "no task could start", "--image-layout FOLDER"] {
        assert!(said.talk.contains(part), "{part:?} is missing from: {}", said.talk);
    }
}

pub(crate) const UNTAGGED: &[Case] = &[
    Case::new(&["x EFS file system cache"], |it| {
        Box::pin(async move {
            let request = it.aws.efs.untag_resource().resource_id(it.file_system().await).set_tag_keys(our_tags());
            request.send().await.unwrap();
        })
    }),
    Case::new(&["x secret api-keys"], |it| {
        Box::pin(async move {
            let request = it.aws.secrets.untag_resource().secret_id(it.names.secret()).set_tag_keys(our_tags());
            request.send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_lost_its_tags_and_holds_data_stops_everything() {
    not_ours(Account::deployed, UNTAGGED).await;
}
