//! What runs: the cluster, the task, the service and its scaling.

use std::collections::HashMap;

use aws_sdk_applicationautoscaling::types::{
    MetricType, PredefinedMetricSpecification, ScalableDimension, ServiceNamespace, SuspendedState,
    TargetTrackingScalingPolicyConfiguration,
};
use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, ClusterSetting, ClusterSettingName,
    Compatibility, ContainerDefinition, CpuArchitecture, DeploymentCircuitBreaker, DeploymentConfiguration,
    EfsVolumeConfiguration, KeyValuePair, LoadBalancer, NetworkConfiguration, NetworkMode, OsFamily, PropagateTags,
    Secret, TaskDefinition, TaskDefinitionField,
};

use crate::account::{Account, our_tags};
use crate::case::{Case, not_ours, repaired};

/// Registers a revision like ours, but for something, and lets nothing run it.
async fn register(account: &Account, otherwise: impl FnOnce(&mut TaskDefinition)) {
    register_tagged(account, true, otherwise).await;
}

async fn register_tagged(account: &Account, tagged: bool, otherwise: impl FnOnce(&mut TaskDefinition)) {
    let request = account.aws.ecs.describe_task_definition().task_definition(account.names.task_family());
    let found = request.include(TaskDefinitionField::Tags).send().await.unwrap();
    let mut task = found.task_definition.unwrap();
    otherwise(&mut task);
    let request = account.aws.ecs.register_task_definition().set_family(task.family).set_cpu(task.cpu);
    let request = request.set_memory(task.memory).set_network_mode(task.network_mode).set_volumes(task.volumes);
    let request = request.set_requires_compatibilities(task.requires_compatibilities);
    let request = request.set_runtime_platform(task.runtime_platform).set_task_role_arn(task.task_role_arn);
    let request = request.set_execution_role_arn(task.execution_role_arn);
    let request = request.set_container_definitions(task.container_definitions);
    request.set_tags(found.tags.filter(|_| tagged)).send().await.unwrap();
}

/// The same, with something else about the container.
async fn register_container(account: &Account, otherwise: impl FnOnce(&mut ContainerDefinition)) {
    register(account, |task| otherwise(&mut task.container_definitions.as_mut().unwrap()[0])).await;
}

/// The same, with something else about the disk.
async fn register_disk(account: &Account, otherwise: impl FnOnce(&mut EfsVolumeConfiguration)) {
    register(account, |task| {
        let disk = task.volumes.iter_mut().flatten().find_map(|it| it.efs_volume_configuration.as_mut());
        otherwise(disk.unwrap());
    })
    .await;
}

fn log_option(container: &mut ContainerDefinition, key: &str, value: &str) {
    let options = container.log_configuration.as_mut().unwrap().options.get_or_insert_with(HashMap::new);
    options.insert(key.to_owned(), value.to_owned());
}

pub(crate) const TASK: &[Case] = &[
    Case::new(&["~ task cpu", "? service"], |it| {
        Box::pin(async move { register(it, |task| task.cpu = Some("512".to_owned())).await })
    }),
    Case::new(&["~ task memory", "? service"], |it| {
        Box::pin(async move { register(it, |task| task.memory = Some("4096".to_owned())).await })
    }),
    Case::new(&["~ task architecture", "? service"], |it| {
        Box::pin(async move {
            let arm = |task: &mut TaskDefinition| {
                task.runtime_platform.as_mut().unwrap().cpu_architecture = Some(CpuArchitecture::Arm64);
            };
            register(it, arm).await;
        })
    }),
    Case::new(&["~ task operating_system", "? service"], |it| {
        Box::pin(async move {
            let windows = |task: &mut TaskDefinition| {
                task.runtime_platform.as_mut().unwrap().operating_system_family = Some(OsFamily::WindowsServer2022Core);
            };
            register(it, windows).await;
        })
    }),
    Case::new(&["~ task network_mode runs_on", "? service"], |it| {
        Box::pin(async move {
            let machines = |task: &mut TaskDefinition| {
                task.network_mode = Some(NetworkMode::Host);
                task.requires_compatibilities = Some(vec![Compatibility::Ec2]);
            };
            register(it, machines).await;
        })
    }),
    Case::new(&["~ task container.name", "? service"], |it| {
        Box::pin(async move { register_container(it, |container| container.name = Some("odd".to_owned())).await })
    }),
    Case::new(&["~ task execution_role_arn", "? service"], |it| {
        Box::pin(async move { register(it, |task| task.execution_role_arn = task.task_role_arn.clone()).await })
    }),
    Case::new(&["~ task task_role_arn", "? service"], |it| {
        Box::pin(async move { register(it, |task| task.task_role_arn = task.execution_role_arn.clone()).await })
    }),
    Case::new(&["~ task other_containers", "? service"], |it| {
        Box::pin(async move {
            let sidecar = |task: &mut TaskDefinition| {
                let containers = task.container_definitions.as_mut().unwrap();
                containers.push(ContainerDefinition::builder().name("sidecar").image("busybox").build());
            };
            register(it, sidecar).await;
        })
    }),
    Case::new(&["~ task container.image", "? service"], |it| {
        Box::pin(async move {
            register_container(it, |container| container.image = Some("busybox:latest".to_owned())).await;
        })
    }),
    Case::new(&["~ task container.command", "? service"], |it| {
        Box::pin(async move {
            register_container(it, |container| container.command = Some(vec!["sh".to_owned()])).await;
        })
    }),
    Case::new(&["~ task container.entry_point", "? service"], |it| {
        Box::pin(async move {
            register_container(it, |container| container.entry_point = Some(vec!["sh".to_owned()])).await;
        })
    }),
    Case::new(&["~ task container.user", "? service"], |it| {
        Box::pin(async move { register_container(it, |container| container.user = Some("0:0".to_owned())).await })
    }),
    Case::new(&["~ task container.read_only_root", "? service"], |it| {
        Box::pin(async move {
            register_container(it, |container| container.readonly_root_filesystem = Some(false)).await;
        })
    }),
    Case::new(&["~ task container.ports", "? service"], |it| {
        Box::pin(async move {
            let more = |container: &mut ContainerDefinition| {
                let ports = container.port_mappings.as_mut().unwrap();
                let mut more = ports[0].clone();
                more.container_port = Some(9229);
                more.host_port = Some(9229);
                ports.push(more);
            };
            register_container(it, more).await;
        })
    }),
    Case::new(&["~ task container.environment.LOG_FORMAT", "? service"], |it| {
        Box::pin(async move {
            let text = |container: &mut ContainerDefinition| {
                let format = KeyValuePair::builder().name("LOG_FORMAT").value("text").build();
                let environment = container.environment.as_mut().unwrap();
                environment.retain(|it| it.name() != Some("LOG_FORMAT"));
                environment.push(format);
            };
            register_container(it, text).await;
        })
    }),
    Case::new(&["~ task container.environment.DEBUG", "? service"], |it| {
        Box::pin(async move {
            let debug = KeyValuePair::builder().name("DEBUG").value("1").build();
            register_container(it, |container| container.environment.as_mut().unwrap().push(debug)).await;
        })
    }),
    Case::new(&["~ task container.secrets.GEMINI_API_KEY", "? service"], |it| {
        Box::pin(async move {
            let swap = |container: &mut ContainerDefinition| {
                let secrets = container.secrets.as_mut().unwrap();
                let other = secrets.iter().find(|it| it.name == "OPENAI_API_KEY").unwrap().value_from.clone();
                secrets.retain(|it| it.name != "GEMINI_API_KEY");
                secrets.push(Secret::builder().name("GEMINI_API_KEY").value_from(other).build().unwrap());
            };
            register_container(it, swap).await;
        })
    }),
    Case::new(&["~ task container.mounts.cache.path", "? service"], |it| {
        Box::pin(async move {
            let elsewhere = |container: &mut ContainerDefinition| {
                let mounts = container.mount_points.as_mut().unwrap();
                mounts.iter_mut().for_each(|it| {
                    if it.source_volume() == Some("cache") {
                        it.container_path = Some("/mnt".to_owned());
                    }
                });
            };
            register_container(it, elsewhere).await;
        })
    }),
    Case::new(&["~ task container.mounts.cache.read_only container.mounts.scratch.read_only", "? service"], |it| {
        Box::pin(async move {
            let locked = |container: &mut ContainerDefinition| {
                container.mount_points.iter_mut().flatten().for_each(|it| it.read_only = Some(true));
            };
            register_container(it, locked).await;
        })
    }),
    Case::new(
        &["~ task container.log.driver container.log.group container.log.region container.log.prefix", "? service"],
        |it| {
            Box::pin(async move {
                let elsewhere = |container: &mut ContainerDefinition| {
                    let log = container.log_configuration.as_mut().unwrap();
                    log.log_driver = aws_sdk_ecs::types::LogDriver::Splunk;
                    log.options = None;
                };
                register_container(it, elsewhere).await;
            })
        },
    ),
    Case::new(&["~ task container.log.group", "? service"], |it| {
        Box::pin(async move { register_container(it, |it| log_option(it, "awslogs-group", "/elsewhere")).await })
    }),
    Case::new(&["~ task container.log.region", "? service"], |it| {
        Box::pin(async move { register_container(it, |it| log_option(it, "awslogs-region", "us-east-1")).await })
    }),
    Case::new(&["~ task container.log.prefix", "? service"], |it| {
        Box::pin(async move { register_container(it, |it| log_option(it, "awslogs-stream-prefix", "odd")).await })
    }),
    Case::new(&["~ task container.health.command", "? service"], |it| {
        Box::pin(async move {
            let always = vec!["CMD".to_owned(), "true".to_owned()];
            register_container(it, |container| container.health_check.as_mut().unwrap().command = always).await;
        })
    }),
    Case::new(
        &[
            "~ task container.health.interval container.health.timeout container.health.retries \
                 container.health.start_period",
            "? service",
        ],
        |it| {
            Box::pin(async move {
                let slowly = |container: &mut ContainerDefinition| {
                    let health = container.health_check.as_mut().unwrap();
                    (health.interval, health.timeout) = (Some(300), Some(60));
                    (health.retries, health.start_period) = (Some(10), Some(300));
                };
                register_container(it, slowly).await;
            })
        },
    ),
    Case::new(&["~ task container.stop_timeout", "? service"], |it| {
        Box::pin(async move { register_container(it, |container| container.stop_timeout = Some(2)).await })
    }),
    Case::new(&["~ task container.init_process", "? service"], |it| {
        Box::pin(async move {
            let init = |container: &mut ContainerDefinition| {
                container.linux_parameters.as_mut().unwrap().init_process_enabled = Some(true);
            };
            register_container(it, init).await;
        })
    }),
    Case::new(&["~ task efs.file_system_id", "? service"], |it| {
        Box::pin(async move {
            register_disk(it, |disk| disk.file_system_id = "fs-0123456789abcdef0".to_owned()).await;
        })
    }),
    Case::new(&["~ task efs.access_point_id", "? service"], |it| {
        Box::pin(async move {
            let elsewhere = |disk: &mut EfsVolumeConfiguration| {
                let authorization = disk.authorization_config.as_mut().unwrap();
                authorization.access_point_id = Some("fsap-0123456789abcdef0".to_owned());
            };
            register_disk(it, elsewhere).await;
        })
    }),
    Case::new(&["~ task efs.access_point_id efs.transit_encryption efs.iam", "? service"], |it| {
        Box::pin(async move {
            let open = |disk: &mut EfsVolumeConfiguration| {
                disk.authorization_config = None;
                disk.transit_encryption = None;
            };
            register_disk(it, open).await;
        })
    }),
    // Nothing of the family can be run any more.
    Case::new(&["+ task", "? service"], |it| {
        Box::pin(async move {
            let family = it.names.task_family();
            let all = it.aws.ecs.list_task_definitions().family_prefix(family).send().await.unwrap();
            for arn in all.task_definition_arns() {
                it.aws.ecs.deregister_task_definition().task_definition(arn).send().await.unwrap();
                // AWS takes one such call a second.
                tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            }
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_task_is_changed_back() {
    repaired(&Account::deployed().await, TASK).await;
}

async fn update(account: &Account, otherwise: impl FnOnce(UpdateServiceFluentBuilder) -> UpdateServiceFluentBuilder) {
    let request = account.aws.ecs.update_service().cluster(account.names.cluster()).service(account.names.service());
    otherwise(request).send().await.unwrap();
    account.minutes(15).await;
}

/// Our network, with something else in it.
async fn move_tasks(account: &Account, otherwise: impl FnOnce(&mut AwsVpcConfiguration)) {
    let service = account.service().await;
    let mut vpc = service.network_configuration().unwrap().awsvpc_configuration().unwrap().clone();
    otherwise(&mut vpc);
    let network = NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
    update(account, |it| it.network_configuration(network)).await;
}

/// Our way of replacing tasks, with something else about it.
async fn replace_tasks(account: &Account, otherwise: impl FnOnce(&mut DeploymentConfiguration)) {
    let mut configuration = account.service().await.deployment_configuration.unwrap();
    otherwise(&mut configuration);
    update(account, |it| it.deployment_configuration(configuration)).await;
}

async fn break_circuit(account: &Account, enable: bool, rollback: bool) {
    let breaker = DeploymentCircuitBreaker::builder().enable(enable).rollback(rollback).build();
    replace_tasks(account, |it| it.deployment_circuit_breaker = Some(breaker)).await;
}

pub(crate) const SERVICE: &[Case] = &[
    // A revision that somebody registered and runs; it is like ours, but not the newest of ours.
    Case::new(&["~ service task_definition"], |it| Box::pin(async move { register(it, |_| ()).await })),
    Case::new(&["~ service task_definition"], |it| {
        Box::pin(async move {
            let first = format!("{}:1", it.names.task_family());
            let found = it.aws.ecs.describe_task_definition().task_definition(first_arn(&first)).send().await.unwrap();
            let arn = found.task_definition.unwrap().task_definition_arn;
            update(it, |service| service.set_task_definition(arn)).await;
        })
    }),
    Case::new(&["~ service subnets"], |it| {
        Box::pin(async move {
            let one = vec![it.subnet("public-1").await];
            move_tasks(it, |vpc| vpc.subnets = one).await;
        })
    }),
    Case::new(&["~ service security_groups"], |it| {
        Box::pin(async move {
            let groups = Some(vec![it.group("service-group").await, it.group("alb-group").await]);
            move_tasks(it, |vpc| vpc.security_groups = groups).await;
        })
    }),
    Case::new(&["~ service assign_public_ip"], |it| {
        Box::pin(async move { move_tasks(it, |vpc| vpc.assign_public_ip = Some(AssignPublicIp::Disabled)).await })
    }),
    Case::new(&["~ service load_balancers"], |it| {
        Box::pin(async move {
            let page = LoadBalancer::builder().container_name("app").container_port(8501);
            let page = page.target_group_arn(it.targets("page")).build();
            update(it, |service| service.load_balancers(page)).await;
        })
    }),
    Case::new(&["~ service capacity_providers"], |it| {
        Box::pin(async move {
            let spot = CapacityProviderStrategyItem::builder().capacity_provider("FARGATE_SPOT").weight(1);
            let spot = spot.build().unwrap();
            update(it, |service| service.capacity_provider_strategy(spot)).await;
        })
    }),
    Case::new(&["~ service platform_version"], |it| {
        Box::pin(async move { update(it, |service| service.platform_version("1.3.0")).await })
    }),
    Case::new(&["~ service minimum_healthy_percent"], |it| {
        Box::pin(async move { replace_tasks(it, |it| it.minimum_healthy_percent = Some(0)).await })
    }),
    Case::new(&["~ service maximum_percent"], |it| {
        Box::pin(async move { replace_tasks(it, |it| it.maximum_percent = Some(150)).await })
    }),
    Case::new(&["~ service circuit_breaker.rollback"], |it| {
        Box::pin(async move { break_circuit(it, true, false).await })
    }),
    Case::new(&["~ service circuit_breaker.enable circuit_breaker.rollback"], |it| {
        Box::pin(async move { break_circuit(it, false, false).await })
    }),
    Case::new(&["~ service health_check_grace_seconds"], |it| {
        Box::pin(async move { update(it, |service| service.health_check_grace_period_seconds(0)).await })
    }),
    Case::new(&["~ service enable_execute_command"], |it| {
        Box::pin(async move { update(it, |service| service.enable_execute_command(true)).await })
    }),
    Case::new(&["~ service propagate_tags"], |it| {
        Box::pin(async move { update(it, |service| service.propagate_tags(PropagateTags::None)).await })
    }),
    Case::new(&["~ service managed_tags"], |it| {
        Box::pin(async move { update(it, |service| service.enable_ecs_managed_tags(false)).await })
    }),
    // Scaling goes with it.
    Case::new(&["+ service", "? scaling", "? alarms"], |it| {
        Box::pin(async move {
            let request = it.aws.ecs.delete_service().cluster(it.names.cluster()).service(it.names.service());
            request.force(true).send().await.unwrap();
            it.minutes(10).await;
        })
    }),
    Case::new(&["+ cluster", "+ service", "? scaling", "? alarms"], |it| {
        Box::pin(async move {
            let request = it.aws.ecs.delete_service().cluster(it.names.cluster()).service(it.names.service());
            request.force(true).send().await.unwrap();
            it.minutes(10).await;
            it.aws.ecs.delete_cluster().cluster(it.names.cluster()).send().await.unwrap();
        })
    }),
    Case::new(&["~ cluster container_insights"], |it| {
        Box::pin(async move {
            let on = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value("enabled").build();
            it.aws.ecs.update_cluster().cluster(it.names.cluster()).settings(on).send().await.unwrap();
        })
    }),
];

/// A family and a number, as ECS takes them in place of an ARN.
fn first_arn(name: &str) -> String {
    format!("arn:aws:ecs:{}:{}:task-definition/{name}", local_aws::REGION, local_aws::ACCOUNT)
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_service_is_changed_back() {
    repaired(&Account::deployed().await, SERVICE).await;
}

/// How many tasks there are is decided by scaling, so a number that somebody sets is no difference.
#[tokio::test(start_paused = true)]
async fn the_number_of_tasks_is_left_to_scaling() {
    let account = Account::deployed().await;
    update(&account, |service| service.desired_count(3)).await;
    assert_eq!(local_aws::checks::changes(&account.runs).await.unwrap(), Vec::<String>::new());
}

fn resource_id(account: &Account) -> String {
    format!("service/{}/{}", account.names.cluster(), account.names.service())
}

async fn bounds(account: &Account, min: i32, max: i32, suspended: bool) {
    let suspended = SuspendedState::builder()
        .dynamic_scaling_out_suspended(suspended)
        .dynamic_scaling_in_suspended(suspended)
        .scheduled_scaling_suspended(suspended);
    let request = account.aws.autoscaling.register_scalable_target().service_namespace(ServiceNamespace::Ecs);
    let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).min_capacity(min);
    let request = request.max_capacity(max).suspended_state(suspended.build());
    request.resource_id(resource_id(account)).send().await.unwrap();
}

type Tracking = aws_sdk_applicationautoscaling::types::builders::TargetTrackingScalingPolicyConfigurationBuilder;

/// Our policy for the CPU, with something else about it.
async fn scale(account: &Account, otherwise: impl FnOnce(Tracking) -> Tracking) {
    scale_by(account, MetricType::EcsServiceAverageCpuUtilization, otherwise).await;
}

async fn scale_by(account: &Account, metric: MetricType, otherwise: impl FnOnce(Tracking) -> Tracking) {
    let metric = PredefinedMetricSpecification::builder().predefined_metric_type(metric).build().unwrap();
    let tracking = TargetTrackingScalingPolicyConfiguration::builder().predefined_metric_specification(metric);
    let tracking = tracking.target_value(70.0).scale_in_cooldown(300).scale_out_cooldown(60);
    let tracking = otherwise(tracking).build().unwrap();
    let request = account.aws.autoscaling.put_scaling_policy().service_namespace(ServiceNamespace::Ecs);
    let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let request = request.resource_id(resource_id(account)).policy_type("TargetTrackingScaling".into());
    let request = request.policy_name(format!("{}-cpu", account.names.service()));
    request.target_tracking_scaling_policy_configuration(tracking).send().await.unwrap();
}

async fn delete_policy(account: &Account, name: &str) {
    let request = account.aws.autoscaling.delete_scaling_policy().service_namespace(ServiceNamespace::Ecs);
    let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
    let request = request.policy_name(format!("{}-{name}", account.names.service()));
    request.resource_id(resource_id(account)).send().await.unwrap();
}

pub(crate) const SCALING: &[Case] = &[
    Case::new(&["~ scaling min"], |it| Box::pin(async move { bounds(it, 0, 4, false).await })),
    Case::new(&["~ scaling max"], |it| Box::pin(async move { bounds(it, 1, 40, false).await })),
    Case::new(&["~ scaling suspended"], |it| Box::pin(async move { bounds(it, 1, 4, true).await })),
    Case::new(&["~ scale-on-cpu target"], |it| {
        Box::pin(async move { scale(it, |policy| policy.target_value(20.0)).await })
    }),
    Case::new(&["~ scale-on-cpu metric"], |it| {
        Box::pin(async move { scale_by(it, MetricType::EcsServiceAverageMemoryUtilization, |policy| policy).await })
    }),
    Case::new(&["~ scale-on-cpu scale_in_cooldown"], |it| {
        Box::pin(async move { scale(it, |policy| policy.scale_in_cooldown(1)).await })
    }),
    Case::new(&["~ scale-on-cpu scale_out_cooldown"], |it| {
        Box::pin(async move { scale(it, |policy| policy.scale_out_cooldown(900)).await })
    }),
    Case::new(&["~ scale-on-cpu scales_in"], |it| {
        Box::pin(async move { scale(it, |policy| policy.disable_scale_in(true)).await })
    }),
    Case::new(&["+ scale-on-memory"], |it| Box::pin(async move { delete_policy(it, "memory").await })),
    // Its policies go with it.
    Case::new(&["+ scaling", "+ scale-on-cpu", "+ scale-on-memory"], |it| {
        Box::pin(async move {
            delete_policy(it, "cpu").await;
            delete_policy(it, "memory").await;
            let request = it.aws.autoscaling.deregister_scalable_target().service_namespace(ServiceNamespace::Ecs);
            let request = request.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
            request.resource_id(resource_id(it)).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_scaling_is_changed_back() {
    repaired(&Account::deployed().await, SCALING).await;
}

async fn untag(account: &Account, arn: Option<&str>) {
    let request = account.aws.ecs.untag_resource().resource_arn(arn.unwrap()).set_tag_keys(our_tags());
    request.send().await.unwrap();
}

pub(crate) const UNTAGGED: &[Case] = &[
    Case::new(&["x ECS cluster cluster"], |it| {
        Box::pin(async move { untag(it, it.service().await.cluster_arn()).await })
    }),
    Case::new(&["x ECS service service"], |it| {
        Box::pin(async move { untag(it, it.service().await.service_arn()).await })
    }),
    Case::new(&["x task definition task"], |it| Box::pin(async move { register_tagged(it, false, |_| ()).await })),
];

#[tokio::test(start_paused = true)]
async fn what_lost_its_tags_and_runs_stops_everything() {
    not_ours(Account::deployed, UNTAGGED).await;
}
