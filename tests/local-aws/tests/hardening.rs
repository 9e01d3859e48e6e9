//! What makes a stack harder and costs money: begun with it, its price, what AWS was told, and errors with advice. What
//! a plan says of it is shown in `configuration`, and that it is repaired in `drift`.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use aws_sdk_ec2::types::VpcEndpoint;
use aws_sdk_ecs::types::ClusterField;
use config::deployment::WebAcl;
use local_aws::Cloud;
use local_aws::checks::{converges, deployed, hands, leaves_nothing, repaired};
use local_aws::matrix::{Case, Scene, play, undisturbed};
use local_aws::runs::Runs;
use local_aws::world::Kind;
use provision::cost::difference;
use provision::our_stack::OurStack;
use provision::plan::Goal;

/// An account to which a stack was deployed with an option from the beginning; nothing is left to do then.
async fn begun_with(option: impl FnOnce(&mut Runs)) -> Runs {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    option(&mut runs);
    converges(&runs).await.unwrap();
    runs
}

/// What a deploy would add to the bill of a month.
async fn price(runs: &Runs) -> f64 {
    let ours = OurStack::new(&runs.deployment, runs.image.clone());
    let planned = runs.prepare(Goal::Present).await.unwrap();
    let difference = difference(&runs.deployment, &ours.stack, &planned.world, &planned.plan).unwrap();
    difference.then_usd - difference.now_usd
}

/// The names of the log groups that begin like this.
async fn log_groups(runs: &Runs, prefix: &str) -> Vec<String> {
    let answer = hands(runs).logs.describe_log_groups().log_group_name_prefix(prefix).send().await.unwrap();
    answer.log_groups().iter().filter_map(|it| it.log_group_name.clone()).collect()
}

const FLOW_LOGS: &str = "/weather-comment-generator/staging/flow-logs";

#[tokio::test(start_paused = true)]
async fn a_stack_with_a_flow_log_is_made_and_removed_as_a_whole() {
    let runs = begun_with(|runs| runs.deployment.network.flow_logs = true).await;
    assert_eq!(log_groups(&runs, FLOW_LOGS).await, [FLOW_LOGS]);
    let logs = hands(&runs).logs.describe_log_groups().log_group_name_prefix(FLOW_LOGS).send().await.unwrap();
    assert_eq!(logs.log_groups()[0].retention_in_days(), Some(runs.deployment.logs.retention_days));
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flow_log_has_its_price_and_can_be_taken_up_again() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.network.flow_logs = true;
    assert!(price(&runs).await > 1.0);
    converges(&runs).await.unwrap();
    runs.deployment.network.flow_logs = false;
    assert!(price(&runs).await < -1.0);
    converges(&runs).await.unwrap();
    assert!(log_groups(&runs, FLOW_LOGS).await.is_empty());
    // EC2 remembers the token of the one that is gone.
    runs.deployment.network.flow_logs = true;
    converges(&runs).await.unwrap();
    runs.deployment.network.flow_logs = false;
    leaves_nothing(&runs, &[]).await.unwrap();
}

const KEY: &str = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SERVICE_LOG: &str = "/weather-comment-generator/staging/service";
const SECRET: &str = "weather-comment-generator/staging/api-keys";

/// Makes the key, with a policy that lets these services use it, and asks for it.
fn with_key(runs: &mut Runs, services: &[&str]) {
    runs.cloud.world(|world| world.keys.add(KEY, services));
    runs.deployment.encryption.kms_key_arn = Some(KEY.to_owned());
}

/// With which keys the log, the secret, the topic, the images and the disk are encrypted, if with none of AWS's own.
async fn keys(runs: &Runs) -> [Option<String>; 5] {
    let aws = hands(runs);
    let topic = "arn:aws:sns:ap-northeast-1:123456789012:weather-comment-generator-staging-alarms";
    let topic = aws.sns.get_topic_attributes().topic_arn(topic).send().await.unwrap();
    let topic = topic.attributes().unwrap().get("KmsMasterKeyId").filter(|key| !key.is_empty()).cloned();
    let repositories = aws.ecr.describe_repositories().send().await.unwrap();
    let images = repositories.repositories()[0].encryption_configuration().and_then(|it| it.kms_key.clone());
    let file_systems = aws.efs.describe_file_systems().send().await.unwrap();
    let disk = file_systems.file_systems()[0].kms_key_id.clone().filter(|key| key == KEY);
    runs.cloud.world(|world| {
        let of = |service, name| world.keys.of(service, name).map(ToOwned::to_owned);
        [of("logs", SERVICE_LOG), of("secretsmanager", SECRET), topic.clone(), images.clone(), disk.clone()]
    })
}

fn own() -> Option<String> {
    Some(KEY.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_stack_with_a_key_of_its_own_is_made_and_removed_as_a_whole() {
    let mut runs = begun_with(|runs| {
        runs.deployment.network.flow_logs = true;
        with_key(runs, &["logs", "cloudwatch"]);
    })
    .await;
    assert_eq!(keys(&runs).await, [own(), own(), own(), own(), own()]);
    assert_eq!(runs.cloud.world(|world| world.keys.of("logs", FLOW_LOGS).map(ToOwned::to_owned)), own());
    // What can be encrypted otherwise is, and what keeps its key is left alone.
    runs.deployment.encryption.kms_key_arn = None;
    assert!(price(&runs).await < -1.0);
    converges(&runs).await.unwrap();
    assert_eq!(keys(&runs).await, [None, None, None, own(), own()]);
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_is_given_to_a_living_stack_where_that_loses_nothing() {
    let mut runs = deployed().await.unwrap();
    with_key(&mut runs, &["logs", "cloudwatch"]);
    assert!(runs.deploy().await.is_err(), "nothing is changed while something is in the way");
    assert_eq!(keys(&runs).await, [None, None, None, None, None]);
    runs.deployment.encryption.disk_and_images = false;
    assert!(price(&runs).await > 1.0);
    converges(&runs).await.unwrap();
    assert_eq!(keys(&runs).await, [own(), own(), own(), None, None]);
    // A new task reads the secret with the key.
    runs.new_image("another program").unwrap();
    converges(&runs).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_logs_may_not_use_is_explained() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.encryption.disk_and_images = false;
    with_key(&mut runs, &["cloudwatch"]);
    let report = runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    assert!(failures.contains("CloudWatch Logs may not use the key: add to its policy"), "{failures}");
    // Once it may, the next deploy goes on.
    with_key(&mut runs, &["logs", "cloudwatch"]);
    converges(&runs).await.unwrap();
}

/// The endpoint of a name in the stack.
async fn endpoint(runs: &Runs, name: &str) -> VpcEndpoint {
    let all = hands(runs).ec2.describe_vpc_endpoints().send().await.unwrap().vpc_endpoints.unwrap();
    all.into_iter().find(|it| it.tags().iter().any(|tag| tag.value() == Some(name))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stack_with_endpoints_is_made_widened_and_removed_as_a_whole() {
    let mut runs = begun_with(|runs| {
        runs.deployment.network.nat_gateways = 1;
        runs.deployment.network.endpoints = true;
    })
    .await;
    let logs = endpoint(&runs, "logs-endpoint").await;
    assert_eq!((logs.private_dns_enabled(), logs.subnet_ids().len(), logs.groups().len()), (Some(true), 2, 1));
    assert_eq!(logs.service_name(), Some("com.amazonaws.ap-northeast-1.logs"));
    let layers = endpoint(&runs, "layers-endpoint").await;
    assert!(layers.policy_document().unwrap().contains("prod-ap-northeast-1-starport-layer-bucket"));
    assert_eq!((layers.route_table_ids().len(), layers.subnet_ids().len()), (1, 0));
    runs.deployment.network.zones = 3;
    converges(&runs).await.unwrap();
    assert_eq!(endpoint(&runs, "logs-endpoint").await.subnet_ids().len(), 3);
    runs.deployment.network.zones = 2;
    runs.deployment.network.nat_gateways = 2;
    converges(&runs).await.unwrap();
    assert_eq!(endpoint(&runs, "logs-endpoint").await.subnet_ids().len(), 2);
    assert_eq!(endpoint(&runs, "layers-endpoint").await.route_table_ids().len(), 2);
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn endpoints_have_their_price_and_go_together_with_their_subnets() {
    let mut runs = begun_with(|runs| runs.deployment.network.nat_gateways = 1).await;
    runs.deployment.network.endpoints = true;
    assert!((price(&runs).await - 81.81).abs() < 0.01);
    converges(&runs).await.unwrap();
    runs.deployment.network.endpoints = false;
    assert!((price(&runs).await + 81.81).abs() < 0.01);
    runs.deployment.network.nat_gateways = 0;
    converges(&runs).await.unwrap();
    leaves_nothing(&runs, &[]).await.unwrap();
}

const EXEC_LOG: &str = "/weather-comment-generator/staging/exec";
const CLUSTER: &str = "weather-comment-generator-staging-cluster";

/// How the cluster writes sessions down: by which rule, where, with which key, and whether that is insisted upon.
async fn sessions(runs: &Runs) -> (String, Option<String>, Option<String>, bool) {
    let request = hands(runs).ecs.describe_clusters().clusters(CLUSTER).include(ClusterField::Configurations);
    let answer = request.send().await.unwrap();
    let found = answer.clusters()[0].configuration().unwrap().execute_command_configuration().unwrap();
    let log = found.log_configuration();
    let group = log.and_then(|log| log.cloud_watch_log_group_name.clone());
    let insists = log.is_some_and(|log| log.cloud_watch_encryption_enabled);
    (found.logging().unwrap().as_str().to_owned(), group, found.kms_key_id.clone(), insists)
}

/// What the role of the task may do while it can be entered.
fn exec_policy(runs: &Runs) -> Option<String> {
    runs.cloud.world(|world| {
        let mut roles = world.roles.iter().filter(|(name, _)| name.contains("-task-"));
        roles.find_map(|(_, role)| role.policies.get("exec").cloned())
    })
}

#[tokio::test(start_paused = true)]
async fn sessions_in_tasks_are_written_down_with_the_key_and_without_it() {
    let mut runs = begun_with(|runs| runs.deployment.service.exec = true).await;
    assert_eq!(sessions(&runs).await, ("OVERRIDE".to_owned(), Some(EXEC_LOG.to_owned()), None, false));
    let policy = exec_policy(&runs).unwrap();
    assert!(policy.contains("logs:PutLogEvents") && policy.contains(EXEC_LOG) && !policy.contains("kms:"), "{policy}");
    runs.deployment.encryption.disk_and_images = false;
    with_key(&mut runs, &["logs", "cloudwatch"]);
    converges(&runs).await.unwrap();
    assert_eq!(sessions(&runs).await, ("OVERRIDE".to_owned(), Some(EXEC_LOG.to_owned()), own(), true));
    assert_eq!(runs.cloud.world(|world| world.keys.of("logs", EXEC_LOG).map(ToOwned::to_owned)), own());
    assert!(exec_policy(&runs).unwrap().contains("kms:Decrypt"));
    runs.deployment.service.exec = false;
    assert!(price(&runs).await < -0.05);
    converges(&runs).await.unwrap();
    assert_eq!(sessions(&runs).await, ("DEFAULT".to_owned(), None, None, false));
    assert!(log_groups(&runs, EXEC_LOG).await.is_empty() && exec_policy(&runs).is_none());
    leaves_nothing(&runs, &[]).await.unwrap();
}

const BUCKET: &str = "logs-of-the-company";

/// Whether requests are written down, into which bucket, and under which names.
fn access_logs(runs: &Runs) -> [String; 3] {
    runs.cloud.world(|world| {
        let (_, edge) = world.load_balancing.all(Kind::LoadBalancer).next().unwrap();
        ["enabled", "bucket", "prefix"].map(|name| edge.attribute(&format!("access_logs.s3.{name}")).to_owned())
    })
}

fn with_bucket(runs: &mut Runs) {
    runs.cloud.world(|world| world.log_buckets.insert(BUCKET.to_owned()));
    runs.deployment.edge.access_logs_bucket = Some(BUCKET.to_owned());
}

#[tokio::test(start_paused = true)]
async fn requests_are_written_into_a_bucket_and_no_longer_by_the_same_load_balancer() {
    let runs = begun_with(with_bucket).await;
    assert_eq!(access_logs(&runs), ["true", BUCKET, "weather-comment-generator/staging"]);
    leaves_nothing(&runs, &[]).await.unwrap();

    let mut runs = deployed().await.unwrap();
    let arn = runs.cloud.world(|world| world.load_balancing.all(Kind::LoadBalancer).next().unwrap().0.clone());
    with_bucket(&mut runs);
    assert!(price(&runs).await > 0.02);
    converges(&runs).await.unwrap();
    // What somebody associates with the load balancer stays: it is never another one.
    let now = runs.cloud.world(|world| world.load_balancing.all(Kind::LoadBalancer).next().unwrap().0.clone());
    assert_eq!(now, arn);
    runs.deployment.edge.access_logs_bucket = None;
    converges(&runs).await.unwrap();
    assert_eq!(access_logs(&runs)[0], "false");
    leaves_nothing(&runs, &[]).await.unwrap();
}

const WEB_ACL: &str = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-the-company/0f1e2d3c";
const ANOTHER: &str = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-somebody-else/1a2b3c4d";

fn with_firewall(runs: &mut Runs) {
    runs.cloud.world(|world| world.firewalls.web_acls.extend([WEB_ACL, ANOTHER].map(ToOwned::to_owned)));
    runs.deployment.edge.web_acl = Some(WebAcl::Arn(WEB_ACL.to_owned()));
}

/// What stands before the one load balancer, and its ARN.
fn firewall(runs: &Runs) -> (Option<String>, String) {
    runs.cloud.world(|world| {
        let arn = world.load_balancing.all(Kind::LoadBalancer).next().unwrap().0.clone();
        (world.firewalls.of(&arn).map(ToOwned::to_owned), arn)
    })
}

#[tokio::test(start_paused = true)]
async fn a_firewall_is_there_from_the_beginning_and_has_its_price() {
    let runs = begun_with(with_firewall).await;
    assert_eq!(firewall(&runs).0.as_deref(), Some(WEB_ACL));
    leaves_nothing(&runs, &[]).await.unwrap();

    let mut runs = deployed().await.unwrap();
    with_firewall(&mut runs);
    assert!(price(&runs).await > 5.0);
    converges(&runs).await.unwrap();
    runs.deployment.edge.web_acl = Some(WebAcl::None);
    assert!(price(&runs).await < -5.0);
    converges(&runs).await.unwrap();
    assert_eq!(firewall(&runs).0, None);
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_firewall_of_somebody_else_stays_until_it_is_asked_for() {
    let mut runs = deployed().await.unwrap();
    with_firewall(&mut runs);
    let (_, balancer) = firewall(&runs);
    let waf = hands(&runs).waf;
    waf.associate_web_acl().resource_arn(&balancer).web_acl_arn(ANOTHER).send().await.unwrap();
    runs.deployment.edge.web_acl = None;
    let before = runs.cloud.calls().len();
    repaired(&runs, &[]).await.unwrap();
    let asked = runs.cloud.calls().split_off(before).into_iter().filter(|call| call.service == "wafv2").count();
    assert_eq!((firewall(&runs).0.as_deref(), asked), (Some(ANOTHER), 0));
    // It goes with the load balancer.
    leaves_nothing(&runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_firewall_that_is_not_there_is_named_with_what_it_must_be() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.edge.web_acl = Some(WebAcl::Arn(WEB_ACL.to_owned()));
    let report = runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    assert!(failures.contains(&format!("WAF needs {WEB_ACL} to exist, in this region")), "{failures}");
    assert!(failures.contains("WAFNonexistentItemException"), "{failures}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_does_not_let_the_load_balancer_in_is_explained_with_what_to_write() {
    let mut runs = deployed().await.unwrap();
    runs.deployment.edge.access_logs_bucket = Some(BUCKET.to_owned());
    let report = runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    for part in [
        "add this statement to the bucket's policy",
        r#""Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"}"#,
        "arn:aws:s3:::logs-of-the-company/weather-comment-generator/staging/AWSLogs/123456789012/*",
        "InvalidConfigurationRequest: Access Denied for bucket",
    ] {
        assert!(failures.contains(part), "{part} is missing from {failures}");
    }
    with_bucket(&mut runs);
    converges(&runs).await.unwrap();
}

/// Lets every few of the calls of these operations go wrong, in all ways one after the other.
async fn survives(scene: Scene, operations: &[&str], step: usize) {
    let calm = undisturbed(scene).await.unwrap();
    let called = |case: &Case| {
        let call = &calm.calls[usize::try_from(case.call).unwrap() - 1];
        operations.contains(&call.operation.as_str())
    };
    let cases: Vec<_> = calm.cases().filter(called).step_by(step).collect();
    assert!(cases.len() > 5, "{} cases are too few", cases.len());
    for case in cases {
        play(case, &calm).await.unwrap_or_else(|error| panic!("{case}: {error:#}"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_on_survives_failures() {
    // A prime, so that every fault comes to every kind of call.
    survives(
        Scene::Harden,
        &["CreateFlowLogs", "CreateVpcEndpoint", "AssociateKmsKey", "UpdateCluster", "AssociateWebACL"],
        11,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_off_survives_failures() {
    let operations = ["DeleteFlowLogs", "DeleteVpcEndpoints", "DisassociateKmsKey", "ModifyLoadBalancerAttributes"];
    survives(Scene::Soften, &operations, 11).await;
    survives(Scene::Soften, &["DisassociateWebACL", "GetWebACLForResource"], 5).await;
}
