//! Services, their deployments, and their scaling.

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_sdk_ecs::types::{
    ClusterConfiguration, DeploymentCircuitBreaker, DeploymentConfiguration, EfsVolumeConfiguration,
    ExecuteCommandConfiguration, ExecuteCommandLogging, LoadBalancer, Secret, Volume,
};
use aws_sdk_elasticloadbalancingv2::types::TargetTypeEnum;
use aws_sdk_secretsmanager::operation::create_secret::builders::CreateSecretFluentBuilder;
use local_aws::faults::{Fault, Faults};

use crate::account::{Account, KEY, TRUST, container, seconds};
use crate::harness::{Said, probes, said, seen};

fn behind(group: &str, port: i32) -> LoadBalancer {
    LoadBalancer::builder().target_group_arn(group).container_name("app").container_port(port).build()
}

/// A scalable target between so many tasks and so many.
async fn scaled(it: &Account, min: i32, max: i32) -> Said {
    let request = it.aws.autoscaling.register_scalable_target().resource_id("service/c/s");
    let request = request.min_capacity(min).max_capacity(max).service_namespace(ServiceNamespace::Ecs);
    said(request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).send().await)
}

/// Why a task stopped that is told a key of a secret whose only key is `A`.
async fn told_a_secret(it: &Account, secret: CreateSecretFluentBuilder, key: &str) -> Said {
    it.cluster().await;
    let made = secret.name("keys").secret_string(r#"{"A":"1"}"#).send().await.unwrap();
    let secret = Secret::builder().name("X").value_from(format!("{}:{key}::", made.arn.unwrap())).build().unwrap();
    let role = it.role("execution", TRUST).await;
    let registered = it.task_of(&role, container().secrets(secret).build()).send().await.unwrap();
    seconds(60).await;
    it.service(registered.task_definition().unwrap().task_definition_arn().unwrap()).send().await.unwrap();
    seconds(600).await;
    stop_reason(it).await
}

/// The newest events of the service.
async fn events(it: &Account) -> String {
    let described = it.aws.ecs.describe_services().cluster("c").services("s").send().await.unwrap();
    described.services()[0].events().iter().filter_map(|event| event.message()).collect::<Vec<_>>().join("\n")
}

/// A target group on a listener.
async fn used_group(it: &Account, kind: TargetTypeEnum) -> String {
    let (vpc, _, _, edge) = it.load_balancer().await;
    let group = it.target_group(&vpc, kind).await;
    let (_, certificate) = it.certificate().await;
    it.https(&edge, &group).certificates(certificate).send().await.unwrap();
    it.aws.ecs.create_cluster().cluster_name("c").send().await.unwrap();
    group
}

/// A service that was just created, with roles that ECS can assume.
async fn running(it: &Account) -> String {
    it.cluster().await;
    let task = it.registered().await;
    seconds(60).await;
    it.service(&task).send().await.unwrap();
    task
}

fn policy(
    it: &Account,
) -> aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyFluentBuilder {
    let request = it.aws.autoscaling.put_scaling_policy().policy_name("p").resource_id("service/c/s");
    request.service_namespace(ServiceNamespace::Ecs).scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
}

/// Runs a command in the one task of a service that allows it from some moment on, or never.
async fn executed(it: &Account, open: bool, later: u64, interactive: bool) -> Said {
    it.cluster().await;
    let task = it.registered().await;
    seconds(60).await;
    it.service(&task).enable_execute_command(open).send().await.unwrap();
    seconds(later).await;
    let tasks = it.aws.ecs.list_tasks().cluster("c").service_name("s").send().await.unwrap();
    let request = it.aws.ecs.execute_command().cluster("c").task(&tasks.task_arns()[0]);
    said(request.command("/app/app health").interactive(interactive).send().await)
}

async fn newest_deployment(it: &Account) -> String {
    let listed = it.aws.ecs.list_service_deployments().cluster("c").service("s").send().await.unwrap();
    listed.service_deployments()[0].service_deployment_arn().unwrap().to_owned()
}

async fn stop_reason(it: &Account) -> Said {
    let request = it.aws.ecs.list_tasks().cluster("c").service_name("s").desired_status("STOPPED".into());
    let stopped = request.send().await.unwrap();
    let task = stopped.task_arns().first()?;
    let described = it.aws.ecs.describe_tasks().cluster("c").tasks(task).send().await.unwrap();
    let task = &described.tasks()[0];
    Some((task.stop_code().unwrap().as_str().to_owned(), task.stopped_reason().unwrap().to_owned()))
}

probes! {
    target_group_on_a_listener: "InvalidParameterException", "does not have an associated load balancer", async |it: Account| {
        it.cluster().await;
        let vpc = it.vpc().await;
        let group = it.target_group(&vpc, TargetTypeEnum::Ip).await;
        let task = it.registered().await;
        said(it.service(&task).load_balancers(behind(&group, 8501)).send().await)
    };
    ip_targets: "InvalidParameterException", "incompatible with the awsvpc network mode", async |it: Account| {
        let group = used_group(&it, TargetTypeEnum::Instance).await;
        let task = it.registered().await;
        said(it.service(&task).load_balancers(behind(&group, 8501)).send().await)
    };
    container_and_port_exist: "InvalidParameterException", "did not have a container port 1 defined", async |it: Account| {
        let group = used_group(&it, TargetTypeEnum::Ip).await;
        let task = it.registered().await;
        said(it.service(&task).load_balancers(behind(&group, 1)).send().await)
    };
    container_of_another_name of container_and_port_exist: "InvalidParameterException",
        "The container other does not exist in the task definition", async |it: Account| {
            let group = used_group(&it, TargetTypeEnum::Ip).await;
            let task = it.registered().await;
            let other = LoadBalancer::builder().target_group_arn(&group).container_name("other").container_port(8501);
            said(it.service(&task).load_balancers(other.build()).send().await)
        };
    network_configuration: "InvalidParameterException", "Network Configuration must be provided", async |it: Account| {
        it.cluster().await;
        let task = it.registered().await;
        said(it.service(&task).set_network_configuration(None).send().await)
    };
    grace_with_load_balancer: "InvalidParameterException", "Health check grace period is only valid", async |it: Account| {
        it.cluster().await;
        let task = it.registered().await;
        said(it.service(&task).health_check_grace_period_seconds(60).send().await)
    };
    service_twice: "InvalidParameterException", "was not idempotent", async |it: Account| {
        let task = running(&it).await;
        said(it.service(&task).client_token("another").send().await)
    };
    service_that_drains of service_twice: "InvalidParameterException", "still Draining", async |it: Account| {
        let task = running(&it).await;
        it.delete_service().await;
        said(it.service(&task).send().await)
    };
    service_scaled_above_zero: "InvalidParameterException", "scaled above 0", async |it: Account| {
        running(&it).await;
        said(it.aws.ecs.delete_service().cluster("c").service("s").send().await)
    };
    cluster_exists: "ClusterNotFoundException", "Cluster not found", async |it: Account| {
        said(it.aws.ecs.describe_services().cluster("c").services("s").send().await)
    };
    cluster_with_services: "ClusterContainsServicesException", "Services are active", async |it: Account| {
        running(&it).await;
        said(it.aws.ecs.delete_cluster().cluster("c").send().await)
    };
    inactive_task_definition: "ClientException", "TaskDefinition is inactive", async |it: Account| {
        it.cluster().await;
        let task = it.registered().await;
        it.aws.ecs.deregister_task_definition().task_definition(&task).send().await.unwrap();
        said(it.service(&task).send().await)
    };
    revision_that_was_taken_away of inactive_task_definition: "ClientException", "TaskDefinition is inactive",
        async |it: Account| {
            let task = running(&it).await;
            it.aws.ecs.deregister_task_definition().task_definition(&task).send().await.unwrap();
            said(it.aws.ecs.update_service().cluster("c").service("s").task_definition(&task).send().await)
        };
    event_of_a_young_role of roles_propagate: "told", "", async |it: Account| {
        it.cluster().await;
        let task = it.registered().await;
        it.service(&task).send().await.unwrap();
        seconds(5).await;
        events(&it).await.contains("was unable to assume the role").then(|| seen("told")).flatten()
    };
    roles_propagate: "IN_PROGRESS", "", async |it: Account| {
        it.cluster().await;
        let task = it.registered().await;
        it.service(&task).send().await.unwrap();
        seconds(65).await;
        seen(it.rollout().await)
    };
    deployments_take_time: "IN_PROGRESS", "", async |it: Account| {
        running(&it).await;
        seen(it.rollout().await)
    };
    circuit_breaker: "FAILED", "", async |it: Account| {
        it.cluster().await;
        it.cloud.world(|world| world.images.clear());
        let task = it.registered().await;
        let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(true).build();
        let configuration = DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build();
        it.service(&task).deployment_configuration(configuration).send().await.unwrap();
        seconds(1200).await;
        seen(it.rollout().await)
    };
    services_drain: "DRAINING", "", async |it: Account| {
        running(&it).await;
        it.delete_service().await;
        seen(it.status().await)
    };
    draining_needs_its_role: "DRAINING", "", async |it: Account| {
        running(&it).await;
        it.delete_service().await;
        it.aws.iam.delete_role().role_name("execution").send().await.unwrap();
        seconds(3600).await;
        seen(it.status().await)
    };
    deployment_over: "ConflictException", "terminal state", async |it: Account| {
        running(&it).await;
        seconds(600).await;
        let deployment = newest_deployment(&it).await;
        said(it.aws.ecs.stop_service_deployment().service_deployment_arn(deployment).send().await)
    };
    open_from_the_start: "InvalidParameterException", "was not enabled when the task was run",
        async |it: Account| executed(&it, false, 600, true).await;
    interactive_sessions: "InvalidParameterException", "Interactive is the only mode",
        async |it: Account| executed(&it, true, 600, false).await;
    agents_connect: "TargetNotConnectedException", "Try again later",
        async |it: Account| executed(&it, true, 61, true).await;
    secret_keys_at_start: "TaskFailedToStart", "did not contain json key MISSING", async |it: Account| {
        told_a_secret(&it, it.aws.secrets.create_secret(), "MISSING").await
    };
    log_of_sessions: "InvalidParameterException", "Log configuration must be specified", async |it: Account| {
        it.linked_roles().await;
        let sessions = ExecuteCommandConfiguration::builder().logging(ExecuteCommandLogging::Override).build();
        let configuration = ClusterConfiguration::builder().execute_command_configuration(sessions).build();
        said(it.aws.ecs.create_cluster().cluster_name("other").configuration(configuration).send().await)
    };
    secrets_need_their_key: "TaskFailedToStart", "Access to KMS is not allowed", async |it: Account| {
        told_a_secret(&it, it.aws.secrets.create_secret().kms_key_id(KEY), "A").await
    };
    disk_that_is_not_there_yet of mount_targets_take_time: "TaskFailedToStart", "Failed to resolve", async |it: Account| {
        it.cluster().await;
        let (_, [a, ..]) = it.network().await;
        let disk = it.aws.efs.create_file_system().creation_token("t").send().await.unwrap().file_system_id;
        seconds(20).await;
        let efs = EfsVolumeConfiguration::builder().file_system_id(&disk).build().unwrap();
        let volume = Volume::builder().name("disk").efs_volume_configuration(efs).build();
        let registered = it.task().await.volumes(volume).send().await.unwrap();
        seconds(60).await;
        it.aws.efs.create_mount_target().file_system_id(&disk).subnet_id(a).send().await.unwrap();
        it.service(registered.task_definition().unwrap().task_definition_arn().unwrap()).send().await.unwrap();
        seconds(60).await;
        stop_reason(&it).await
    };
    scaling_of_a_service: "ValidationException", "ECS service doesn't exist",
        async |it: Account| scaled(&it, 1, 2).await;
    fewer_tasks_at_most_than_at_least of scaling_of_a_service: "ValidationException", "Maximum capacity cannot be less",
        async |it: Account| {
            running(&it).await;
            seconds(60).await;
            scaled(&it, 2, 1).await
        };
    scaling_needs_a_target: "ObjectNotFoundException", "No scalable target registered",
        async |it: Account| said(policy(&it).send().await);
    answers_get_lost: "no code", "", async |it: Account| {
        let number = u64::try_from(it.cloud.calls().len()).unwrap();
        it.cloud.set_faults(Faults::at(number + 1, Fault::AnswerLost));
        said(it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send().await)
    };
}

#[tokio::test(start_paused = true)]
async fn a_task_is_open_if_its_service_was_when_it_began() {
    let it = Account::lenient();
    it.cluster().await;
    let task = it.registered().await;
    it.service(&task).send().await.unwrap();
    let described = async || {
        let listed = it.aws.ecs.list_tasks().cluster("c").service_name("s").send().await.unwrap();
        let request = it.aws.ecs.describe_tasks().cluster("c").set_tasks(listed.task_arns);
        request.tasks("0123").send().await.unwrap()
    };
    seconds(600).await;
    let first = described().await;
    let first = &first.tasks()[0];
    assert!(!first.enable_execute_command());
    assert!(first.containers()[0].managed_agents().is_empty());
    it.aws.ecs.update_service().cluster("c").service("s").enable_execute_command(true).send().await.unwrap();
    seconds(600).await;
    assert_eq!(described().await.tasks()[0].task_arn(), first.task_arn(), "that begins no deployment");
    let request = it.aws.ecs.update_service().cluster("c").service("s").force_new_deployment(true);
    request.send().await.unwrap();
    seconds(600).await;
    let then = described().await;
    assert_eq!(then.failures()[0].reason(), Some("MISSING"));
    let [then] = then.tasks() else { panic!("one task replaces the other: {then:?}") };
    assert_ne!(then.task_arn(), first.task_arn());
    assert!(then.enable_execute_command());
    assert_eq!(then.containers()[0].managed_agents()[0].last_status(), Some("RUNNING"));
    assert!(then.containers()[0].runtime_id().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_running_deployment_can_be_stopped_and_its_revision_tells_the_image() {
    let it = Account::lenient();
    running(&it).await;
    let deployment = newest_deployment(&it).await;
    let request = it.aws.ecs.describe_service_deployments().service_deployment_arns(&deployment);
    let described = request.send().await.unwrap();
    let described = &described.service_deployments()[0];
    assert_eq!(described.status().unwrap().as_str(), "IN_PROGRESS");
    let revision = described.target_service_revision().unwrap().arn().unwrap();
    let revisions = it.aws.ecs.describe_service_revisions().service_revision_arns(revision).send().await.unwrap();
    assert_eq!(revisions.service_revisions()[0].container_images()[0].image_digest(), Some("sha256:1"));
    it.aws.ecs.stop_service_deployment().service_deployment_arn(&deployment).send().await.unwrap();
    assert_eq!(it.rollout().await, "FAILED");
}
