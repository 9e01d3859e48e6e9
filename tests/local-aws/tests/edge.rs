//! What answers on the internet and what protects it: options on a living stack, and changes behind the tool's back.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::time::Duration;

use aws_sdk_ec2::types::{IpPermission, IpRange};
use aws_sdk_ecs::types::{ClusterSetting, ClusterSettingName};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, LoadBalancerAttribute, RedirectActionConfig, RedirectActionStatusCodeEnum,
};
use local_aws::Cloud;
use local_aws::census::{Census, census};
use local_aws::runs::Runs;
use local_aws::world::Kind;
use provision::aws::{Aws, Owner};
use provision::guard::Access;
use provision::plan::{Action as Planned, Goal};

async fn deployed() -> Runs {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    runs.deploy().await.unwrap();
    runs
}

/// Somebody else's hands in the account.
fn hands(runs: &Runs) -> Aws {
    runs.cloud.aws(Owner { app: "hands".to_owned(), environment: "test".to_owned() }, Access::ReadWrite)
}

/// What a deploy would change: kind, name and fields.
async fn changes(runs: &Runs) -> Vec<String> {
    let plan = runs.plan(Goal::Present).await.unwrap();
    let lines = plan.steps.into_iter().filter_map(|step| match step.action {
        Planned::Keep | Planned::Retain => None,
        Planned::Update { changes } => {
            let fields: Vec<_> = changes.iter().map(|change| change.path.clone()).collect();
            Some(format!("~ {} {}", step.name, fields.join(" ")))
        }
        Planned::Create { .. } => Some(format!("+ {}", step.name)),
        Planned::Delete => Some(format!("- {}", step.name)),
        Planned::Recheck => Some(format!("? {}", step.name)),
        Planned::Blocked { .. } => Some(format!("! {}", step.name)),
    });
    lines.collect()
}

/// Deploys what was changed in the configuration, or behind the tool's back; then nothing is left to do.
async fn repaired(runs: &Runs, expected: &[&str]) {
    assert_eq!(changes(runs).await, expected);
    runs.deploy().await.unwrap();
    assert_eq!(changes(runs).await, Vec::<String>::new());
}

async fn counted(runs: &Runs) -> Census {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    census(&runs.cloud).await.unwrap();
    census(&runs.cloud).await.unwrap()
}

/// Destroys everything, and compares the account with one in which nothing ever was.
async fn leaves_nothing(runs: &Runs) {
    runs.destroy().await.unwrap();
    let mut fresh = counted(&Runs::on(Cloud::default()).await.unwrap()).await;
    let mut left = counted(runs).await;
    // The record of runs outlives the stack.
    fresh.remove("log groups");
    left.remove("log groups");
    assert_eq!(left, fresh);
}

fn listener(runs: &Runs, port: &str) -> Option<String> {
    runs.cloud.world(|world| {
        let mut listeners = world.load_balancing.all(Kind::Listener);
        listeners.find(|(_, it)| it.field("Port") == port).map(|(arn, _)| arn.clone())
    })
}

#[tokio::test(start_paused = true)]
async fn port_80_redirects_to_https_and_can_be_switched_off_and_on() {
    let mut runs = deployed().await;
    let redirect = runs.cloud.world(|world| {
        let (_, it) = world.load_balancing.all(Kind::Listener).find(|(_, it)| it.field("Port") == "80").unwrap();
        let of = |name: &str| it.field(&format!("DefaultActions.member.1.RedirectConfig.{name}")).to_owned();
        [of("Protocol"), of("Port"), of("Host"), of("Path"), of("Query"), of("StatusCode")]
    });
    assert_eq!(redirect, ["HTTPS", "443", "#{host}", "/#{path}", "#{query}", "HTTP_301"]);
    runs.deployment.edge.redirect_http = false;
    repaired(&runs, &["~ alb-rules ingress", "- http"]).await;
    assert_eq!(listener(&runs, "80"), None);
    runs.deployment.edge.redirect_http = true;
    repaired(&runs, &["~ alb-rules ingress", "+ http"]).await;
    leaves_nothing(&runs).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_switched_off_and_not_yet_deleted_goes_with_the_rest() {
    let mut runs = deployed().await;
    runs.deployment.edge.redirect_http = false;
    leaves_nothing(&runs).await;
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_was_changed_is_changed_back() {
    let runs = deployed().await;
    let aws = hands(&runs);
    let http = listener(&runs, "80").unwrap();
    let redirect = RedirectActionConfig::builder().protocol("HTTPS").port("8443").host("#{host}").path("/#{path}");
    let redirect = redirect.query("#{query}").status_code(RedirectActionStatusCodeEnum::Http302).build();
    let action = Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect).build();
    aws.elb.modify_listener().listener_arn(&http).default_actions(action).send().await.unwrap();
    repaired(&runs, &["~ http default_action.redirect.port default_action.redirect.status"]).await;
    aws.elb.delete_listener().listener_arn(&http).send().await.unwrap();
    repaired(&runs, &["+ http"]).await;
    let https = listener(&runs, "443").unwrap();
    let policy = "ELBSecurityPolicy-TLS13-1-3-2021-06";
    aws.elb.modify_listener().listener_arn(&https).ssl_policy(policy).send().await.unwrap();
    repaired(&runs, &["~ https ssl_policy"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_default_group_of_the_network_lets_nothing_through() {
    let runs = deployed().await;
    let group = runs.cloud.world(|world| {
        let ours = world.network.subnets.values().next().unwrap().vpc.clone();
        let mut groups = world.security_groups.all.iter();
        let (id, group) = groups.find(|(_, it)| it.name == "default" && it.vpc == ours).unwrap();
        assert!(group.rules.is_empty(), "{group:?}");
        id.clone()
    });
    let open = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let open = open.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
    let request = hands(&runs).ec2.authorize_security_group_ingress().group_id(&group);
    request.ip_permissions(open.clone()).send().await.unwrap();
    repaired(&runs, &["~ default-group ingress"]).await;
    let request = hands(&runs).ec2.authorize_security_group_egress().group_id(&group);
    request.ip_permissions(open).send().await.unwrap();
    repaired(&runs, &["~ default-group egress"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_disk_says_itself_who_may_mount_it() {
    let runs = deployed().await;
    let aws = hands(&runs);
    let id = runs.cloud.world(|world| world.file_systems.keys().next().unwrap().clone());
    let read = aws.efs.describe_file_system_policy().file_system_id(&id).send().await.unwrap().policy.unwrap();
    for part in ["aws:SecureTransport", "elasticfilesystem:AccessedViaMountTarget", "elasticfilesystem:AccessPointArn"]
    {
        assert!(read.contains(part), "{part} is missing from {read}");
    }
    assert!(read.contains("staging-task-"), "the role of the task is not named in {read}");
    let open = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": "elasticfilesystem:ClientMount"}]}"#;
    aws.efs.put_file_system_policy().file_system_id(&id).policy(open).send().await.unwrap();
    repaired(&runs, &["~ cache-policy policy.Statement"]).await;
    aws.efs.delete_file_system_policy().file_system_id(&id).send().await.unwrap();
    repaired(&runs, &["+ cache-policy", "? service"]).await;
}

#[tokio::test(start_paused = true)]
async fn protection_from_deletion_is_lifted_by_destroy_and_by_nobody_else() {
    let mut runs = deployed().await;
    runs.deployment.edge.deletion_protection = true;
    repaired(&runs, &["~ load-balancer attributes.deletion_protection.enabled"]).await;
    let arn = runs.cloud.world(|world| world.load_balancing.all(Kind::LoadBalancer).next().unwrap().0.clone());
    let refused = hands(&runs).elb.delete_load_balancer().load_balancer_arn(&arn).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("OperationNotPermitted"), "{refused:?}");
    let off = LoadBalancerAttribute::builder().key("deletion_protection.enabled").value("false").build();
    let request = hands(&runs).elb.modify_load_balancer_attributes().load_balancer_arn(&arn);
    request.attributes(off).send().await.unwrap();
    repaired(&runs, &["~ load-balancer attributes.deletion_protection.enabled"]).await;
    leaves_nothing(&runs).await;
}

#[tokio::test(start_paused = true)]
async fn commands_in_tasks_can_be_allowed_and_forbidden() {
    let mut runs = deployed().await;
    runs.deployment.service.exec = true;
    let task = "~ task container.read_only_root container.init_process";
    assert_eq!(changes(&runs).await, ["~ task-role policies.exec", task, "? service"]);
    runs.deploy().await.unwrap();
    assert_eq!(changes(&runs).await, Vec::<String>::new());
    let (cluster, service) = ("weather-comment-generator-staging-cluster", "weather-comment-generator-staging-service");
    let request = hands(&runs).ecs.update_service().cluster(cluster).service(service);
    request.enable_execute_command(false).send().await.unwrap();
    repaired(&runs, &["~ service enable_execute_command"]).await;
    runs.deployment.service.exec = false;
    runs.deploy().await.unwrap();
    assert_eq!(changes(&runs).await, Vec::<String>::new());
    leaves_nothing(&runs).await;
}

#[tokio::test(start_paused = true)]
async fn measuring_every_task_is_switched_on_and_off_and_leaves_no_log() {
    let mut runs = deployed().await;
    runs.deployment.service.container_insights = true;
    repaired(&runs, &["~ cluster container_insights"]).await;
    let cluster = "weather-comment-generator-staging-cluster";
    let setting = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value("disabled").build();
    hands(&runs).ecs.update_cluster().cluster(cluster).settings(setting).send().await.unwrap();
    repaired(&runs, &["~ cluster container_insights"]).await;
    // ECS makes it with the first measurement.
    let log = format!("/aws/ecs/containerinsights/{cluster}/performance");
    hands(&runs).logs.create_log_group().log_group_name(&log).send().await.unwrap();
    leaves_nothing(&runs).await;
    let left = hands(&runs).logs.describe_log_groups().log_group_name_prefix("/aws/").send().await.unwrap();
    assert_eq!(left.log_groups().len(), 0);
}
