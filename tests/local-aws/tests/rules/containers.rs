//! Clusters and task definitions.

use aws_sdk_ecs::types::{
    EfsAuthorizationConfig, EfsTransitEncryption, EfsVolumeConfiguration, KeyValuePair, LogConfiguration, LogDriver,
    NetworkMode, PortMapping, Secret, Volume,
};

use crate::account::{Account, TRUST, container};
use crate::harness::{probes, said};

probes! {
    fargate_sizes: "ClientException", "No Fargate configuration exists for given values.",
        async |it: Account| said(it.task().await.memory("1024").send().await);
    awsvpc_only: "ClientException", "Fargate only supports network mode",
        async |it: Account| said(it.task().await.network_mode(NetworkMode::Bridge).send().await);
    execution_role: "ClientException", "execution role ARN to support log driver awslogs.", async |it: Account| {
        let logs = LogConfiguration::builder().log_driver(LogDriver::Awslogs).build().unwrap();
        let task = it.task_of("", container().log_configuration(logs).build());
        said(task.set_execution_role_arn(None).send().await)
    };
    secrets_without_a_role of execution_role: "ClientException", "execution role ARN to support secrets.",
        async |it: Account| {
            let secret = Secret::builder().name("X").value_from("arn:aws:secretsmanager:r:1:secret:keys").build().unwrap();
            let task = it.task_of("", container().secrets(secret).build());
            said(task.set_execution_role_arn(None).send().await)
        };
    images_without_a_role of execution_role: "ClientException", "execution role ARN to support ECR images.",
        async |it: Account| {
            said(it.task_of("", container().build()).set_execution_role_arn(None).send().await)
        };
    host_ports: "ClientException", "the host ports and container ports in port mappings must match", async |it: Account| {
        let role = it.role("execution", TRUST).await;
        let ports = PortMapping::builder().container_port(8502).host_port(80).build();
        said(it.task_of(&role, container().port_mappings(ports).build()).send().await)
    };
    containers: "ClientException", "must be unique", async |it: Account| {
        let role = it.role("execution", TRUST).await;
        let alike = aws_sdk_ecs::types::ContainerDefinition::builder().name("app").image("i").build();
        said(it.task_of(&role, container().build()).container_definitions(alike).send().await)
    };
    no_empty_tags: "ClientException", "Tags can not be empty.",
        async |it: Account| said(it.task().await.set_tags(Some(Vec::new())).send().await);
    file_system_volumes: "ClientException", "Transit encryption must be enabled", async |it: Account| {
        let access = EfsAuthorizationConfig::builder().access_point_id("fsap-1").build();
        let efs = EfsVolumeConfiguration::builder().file_system_id("fs-1").authorization_config(access).build().unwrap();
        let volume = Volume::builder().name("v").efs_volume_configuration(efs).build();
        said(it.task().await.volumes(volume).send().await)
    };
    root_beside_an_access_point of file_system_volumes: "ClientException", "the root directory must be omitted or '/'",
        async |it: Account| {
            let access = EfsAuthorizationConfig::builder().access_point_id("fsap-1").build();
            let efs = EfsVolumeConfiguration::builder().file_system_id("fs-1").authorization_config(access);
            let efs = efs.transit_encryption(EfsTransitEncryption::Enabled).root_directory("/data").build().unwrap();
            let volume = Volume::builder().name("v").efs_volume_configuration(efs).build();
            said(it.task().await.volumes(volume).send().await)
        };
    roles_that_tasks_cannot_take of roles_of_tasks: "ClientException", "Role is not valid", async |it: Account| {
        let of_others = it.role("execution", &TRUST.replace("ecs-tasks", "vpc-flow-logs")).await;
        said(it.task_of(&of_others, container().build()).send().await)
    };
    roles_of_tasks: "ClientException", "Role is not valid", async |it: Account| {
        let nobody = "arn:aws:iam::123456789012:role/nobody";
        said(it.task_of(nobody, container().build()).send().await)
    };
    linked_role_first: "InvalidParameterException", "Unable to assume the service linked role",
        async |it: Account| said(it.aws.ecs.create_cluster().cluster_name("c").send().await);
    linked_role_of_load_balancers of linked_role_first: "AccessDenied", "iam:CreateServiceLinkedRole",
        async |it: Account| {
            let (vpc, [a, c, _]) = it.network().await;
            it.gateway(&vpc).await;
            said(it.aws.elb.create_load_balancer().name("edge").subnets(a).subnets(c).send().await)
        };
    linked_role_twice: "InvalidInput", "has been taken in this account", async |it: Account| {
        it.linked_roles().await;
        said(it.aws.iam.create_service_linked_role().aws_service_name("ecs.amazonaws.com").send().await)
    };
    active_task_definition: "ClientException", "still in ACTIVE status", async |it: Account| {
        let task = it.registered().await;
        said(it.aws.ecs.delete_task_definitions().task_definitions(task).send().await)
    };
    throttle_buckets: "ThrottlingException", "Rate exceeded", async |it: Account| {
        let task = it.task().await;
        for _ in 0..25 {
            if let Some(refusal) = said(task.clone().send().await) {
                return Some(refusal);
            }
        }
        None
    };
    too_many_networks of throttle_buckets: "RequestLimitExceeded", "Rate exceeded", async |it: Account| {
        // The SDK asks again by itself, a few times.
        let calls = (0..80).map(|_| it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send());
        futures::future::join_all(calls).await.into_iter().find_map(said)
    };
}

#[tokio::test(start_paused = true)]
async fn containers_of_a_task_are_looked_at_in_every_way() {
    let it = Account::lenient();
    let role = it.role("execution", TRUST).await;
    let refused = async |task: aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder| {
        let (code, message) = said(task.send().await).unwrap_or_default();
        assert_eq!(code, "ClientException", "{message}");
        message
    };
    let good = || it.task_of(&role, container().build());
    assert!(refused(good().family("a b")).await.contains("Family contains invalid characters"));
    let none_essential = it.task_of(&role, container().essential(false).build());
    assert!(refused(none_essential).await.contains("at least one essential container"));
    let same_port = container().name("other").build();
    assert!(refused(good().container_definitions(same_port)).await.contains("can be used once"));
    let unknown = aws_sdk_ecs::types::MountPoint::builder().source_volume("nowhere").container_path("/x").build();
    assert!(refused(it.task_of(&role, container().mount_points(unknown).build())).await.contains("Unknown volume"));
    assert!(refused(it.task_of(&role, container().stop_timeout(121).build())).await.contains("stopTimeout"));
    let fine = container().stop_timeout(120).environment(KeyValuePair::builder().name("A").value("1").build());
    assert_eq!(said(it.task_of(&role, fine.build()).send().await), None);
}
