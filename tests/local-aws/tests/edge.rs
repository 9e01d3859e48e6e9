//! What answers on the internet and what protects it: options on a living stack, and changes behind the tool's back.

use aws_sdk_ecs::types::{ClusterSetting, ClusterSettingName};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerAttribute;
use local_aws::checks::{converges, deployed, hands, leaves_nothing, repaired};
use local_aws::runs::Runs;
use local_aws::world::Kind;

fn listener(runs: &Runs, port: &str) -> Option<String> {
    runs.cloud.world(|world| {
        let mut listeners = world.load_balancing.all(Kind::Listener);
        listeners.find(|(_, it)| it.field("Port") == port).map(|(arn, _)| arn.clone())
    })
}

#[tokio::test(start_paused = true)]
async fn port_80_redirects_to_https_and_can_be_switched_off_and_on() {
    let mut runs = deployed().await.unwrap();
    let redirect = runs.cloud.world(|world| {
        let (_, it) = world.load_balancing.all(Kind::Listener).find(|(_, it)| it.field("Port") == "80").unwrap();
        let of = |name: &str| it.field(&format!("DefaultActions.member.1.RedirectConfig.{name}")).to_owned();
        [of("Protocol"), of("Port"), of("Host"), of("Path"), of("Query"), of("StatusCode")]
    });
    assert_eq!(redirect, ["HTTPS", "443", "#{host}", "/#{path}", "#{query}", "HTTP_301"]);
    runs.deployment.edge.redirect_http = false;
    repaired(&runs, &["~ alb-rules ingress", "- http"]).await.unwrap();
    assert_eq!(listener(&runs, "80"), None);
    runs.deployment.edge.redirect_http = true;
    repaired(&runs, &["~ alb-rules ingress", "+ http"]).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_switched_off_and_not_yet_deleted_goes_with_the_rest() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.edge.redirect_http = false;
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_default_group_of_the_network_lets_nothing_through() {
    let runs = deployed().await.unwrap();
    runs.cloud.world(|world| {
        let ours = world.network.subnets.values().next().unwrap().vpc.clone();
        let mut groups = world.security_groups.all.iter();
        let (_, group) = groups.find(|(_, it)| it.name == "default" && it.vpc == ours).unwrap();
        assert!(group.rules.is_empty(), "{group:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn the_disk_says_itself_who_may_mount_it() {
    let runs = deployed().await.unwrap();
    let aws = hands(&runs);
    let id = runs.cloud.world(|world| world.file_systems.keys().next().unwrap().clone());
    let read = aws.efs.describe_file_system_policy().file_system_id(&id).send().await.unwrap().policy.unwrap();
    for part in ["aws:SecureTransport", "elasticfilesystem:AccessedViaMountTarget", "elasticfilesystem:AccessPointArn"]
    {
        assert!(read.contains(part), "{part} is missing from {read}");
    }
    assert!(read.contains("staging-task-"), "the role of the task is not named in {read}");
}

#[tokio::test(start_paused = true)]
async fn protection_from_deletion_is_lifted_by_destroy_and_by_nobody_else() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.edge.deletion_protection = true;
    repaired(&runs, &["~ load-balancer attributes.deletion_protection.enabled"]).await.unwrap();
    let arn = runs.cloud.world(|world| world.load_balancing.all(Kind::LoadBalancer).next().unwrap().0.clone());
    let refused = hands(&runs).elb.delete_load_balancer().load_balancer_arn(&arn).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("OperationNotPermitted"), "{refused:?}");
    let off = LoadBalancerAttribute::builder().key("deletion_protection.enabled").value("false").build();
    let request = hands(&runs).elb.modify_load_balancer_attributes().load_balancer_arn(&arn);
    request.attributes(off).send().await.unwrap();
    repaired(&runs, &["~ load-balancer attributes.deletion_protection.enabled"]).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn commands_in_tasks_can_be_allowed_and_forbidden() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.service.exec = true;
    let task = "~ task container.read_only_root container.init_process";
    let expected = ["+ exec-log", "? task-role", task, "? cluster", "? service"];
    repaired(&runs, &expected).await.unwrap();
    let (cluster, service) = ("weather-comment-generator-staging-cluster", "weather-comment-generator-staging-service");
    let request = hands(&runs).ecs.update_service().cluster(cluster).service(service);
    request.enable_execute_command(false).send().await.unwrap();
    repaired(&runs, &["~ service enable_execute_command"]).await.unwrap();
    runs.deployment.service.exec = false;
    converges(&runs).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn measuring_every_task_is_switched_on_and_off_and_leaves_no_log() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.service.container_insights = true;
    repaired(&runs, &["~ cluster container_insights"]).await.unwrap();
    let cluster = "weather-comment-generator-staging-cluster";
    let setting = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value("disabled").build();
    hands(&runs).ecs.update_cluster().cluster(cluster).settings(setting).send().await.unwrap();
    repaired(&runs, &["~ cluster container_insights"]).await.unwrap();
    // ECS makes it with the first measurement.
    let log = format!("/aws/ecs/containerinsights/{cluster}/performance");
    hands(&runs).logs.create_log_group().log_group_name(&log).send().await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
    let left = hands(&runs).logs.describe_log_groups().log_group_name_prefix("/aws/").send().await.unwrap();
    assert_eq!(left.log_groups().len(), 0);
}
