//! What answers on the internet and what protects it: what AWS was told, and what goes with the rest.

use local_aws::checks::{converges, deployed, hands, leaves_nothing};
use local_aws::world::Kind;

#[tokio::test(start_paused = true)]
async fn port_80_redirects_to_https() {
    let runs = deployed().await.unwrap();
    let redirect = runs.cloud.world(|world| {
        let (_, it) = world.load_balancing.all(Kind::Listener).find(|(_, it)| it.field("Port") == "80").unwrap();
        let of = |name: &str| it.field(&format!("DefaultActions.member.1.RedirectConfig.{name}")).to_owned();
        [of("Protocol"), of("Port"), of("Host"), of("Path"), of("Query"), of("StatusCode")]
    });
    assert_eq!(redirect, ["HTTPS", "443", "#{host}", "/#{path}", "#{query}", "HTTP_301"]);
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
    converges(&runs).await.unwrap();
    let arn = runs.cloud.world(|world| world.load_balancing.all(Kind::LoadBalancer).next().unwrap().0.clone());
    let refused = hands(&runs).elb.delete_load_balancer().load_balancer_arn(&arn).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("OperationNotPermitted"), "{refused:?}");
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn measuring_every_task_leaves_no_log() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.service.container_insights = true;
    converges(&runs).await.unwrap();
    // ECS makes it with the first measurement.
    let log = "/aws/ecs/containerinsights/weather-comment-generator-staging-cluster/performance";
    hands(&runs).logs.create_log_group().log_group_name(log).send().await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
    let left = hands(&runs).logs.describe_log_groups().log_group_name_prefix("/aws/").send().await.unwrap();
    assert_eq!(left.log_groups().len(), 0);
}
