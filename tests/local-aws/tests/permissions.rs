//! The table of permissions against what is really sent: nothing is missing in it, and nothing in it is unused.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, IpPermission, IpRange};
use aws_sdk_ecs::types::{ClusterSetting, ClusterSettingName};
use config::deployment::WebAcl;
use local_aws::Cloud;
use local_aws::commands::piped;
use local_aws::github::REPOSITORY;
use local_aws::policy::Policy;
use local_aws::runs::{Report, Runs, certificate, image_layout};
use provision::aws::{Aws, Owner};
use provision::cli::Exit;
use provision::context::Context;
use provision::front_door::FrontDoor;
use provision::guard::Access;
use provision::permissions::{Place, Who, all};
use provision::plan::Goal;
use serde_json::json;
use tempfile::TempDir;

type Operations = BTreeSet<String>;

/// An account in which a pipeline and an operator work in turn.
struct Scene {
    runs: Runs,
    email: usize,
    sent: [Operations; 4],
}

impl Scene {
    async fn new() -> Self {
        let runs = Runs::on(Cloud::default()).await.unwrap();
        let mut scene = Self { runs, email: 0, sent: Default::default() };
        scene.another_email();
        scene
    }

    fn another_email(&mut self) {
        self.email += 1;
        self.runs.deployment.alarms.as_mut().unwrap().email = Some(format!("team-{}@example.com", self.email));
    }

    /// Remembers which operations somebody sent since a moment.
    fn sent_since(&mut self, who: Who, moment: usize) {
        let sent = self.runs.cloud.calls().split_off(moment);
        let sent = sent.into_iter().map(|call| format!("{}:{}", call.service, call.operation));
        self.sent[who as usize].extend(sent);
    }

    /// From here on, calls are somebody's who may do what the policies say, and nothing else.
    fn be(&self, who: Who) {
        // Doctor tells an operator what an operator may do.
        let who = if who == Who::Doctor { Who::Operator } else { who };
        let place = Place::of(&self.runs.deployment, local_aws::ACCOUNT);
        let policy = Policy::of_all(&place.policies(who, usize::MAX));
        self.runs.cloud.world(|world| world.policy = Some(policy));
    }

    fn be_anybody(&self) {
        self.runs.cloud.world(|world| world.policy = None);
    }

    async fn run(&mut self, who: Who, goal: Goal) -> Report {
        let moment = self.runs.cloud.calls().len();
        self.be(who);
        let report = Box::pin(self.runs.run(goal)).await.unwrap();
        self.be_anybody();
        self.sent_since(who, moment);
        report
    }

    async fn deploy(&mut self, who: Who) {
        let report = self.run(who, Goal::Present).await;
        assert!(report.outcome.is_complete(), "{}", report.failures().join("\n"));
    }

    async fn destroy(&mut self, delete_data: bool) {
        let report = self.run(Who::Operator, Goal::Absent { delete_data }).await;
        assert!(report.outcome.is_complete(), "{}", report.failures().join("\n"));
    }

    async fn command(&mut self, who: Who, words: &[&str], input: &str) {
        let certificate =
            format!("edge.certificate_arn={}", self.runs.deployment.edge.certificate_arn.as_ref().unwrap());
        let moment = self.runs.cloud.calls().len();
        let words_of_it = [&["--set", &certificate], words].concat();
        self.be(who);
        let said = Box::pin(piped(&self.runs.cloud, &words_of_it, input)).await;
        self.be_anybody();
        assert_eq!(said.exit, Exit::Done, "{words:?}: {}", said.talk);
        self.sent_since(who, moment);
    }

    /// Clients that change things behind the tool's back; what they send does not count.
    fn somebody(&self) -> Aws {
        self.runs.cloud.aws(Owner { app: "somebody".to_owned(), environment: "else".to_owned() }, Access::ReadWrite)
    }

    /// A domain, private subnets with one NAT gateway and then more, a flow log, and all of it given up again.
    async fn play_the_options(&mut self) {
        let given = self.runs.deployment.edge.certificate_arn.clone();
        self.runs.answer_to_a_name();
        self.runs.deployment.network.nat_gateways = 1;
        self.runs.deployment.network.flow_logs = true;
        self.runs.deployment.network.endpoints = true;
        self.runs.cloud.world(|world| world.firewalls.web_acls.insert(WEB_ACL.to_owned()));
        self.runs.deployment.edge.web_acl = Some(WebAcl::Arn(WEB_ACL.to_owned()));
        self.runs.cloud.world(|world| world.keys.add(KEY, &["logs", "cloudwatch"]));
        self.runs.deployment.encryption.kms_key_arn = Some(KEY.to_owned());
        self.runs.deployment.encryption.disk_and_images = false;
        self.deploy(Who::Operator).await;
        // A pipeline must see all of it, or it could plan nothing where an option is on.
        let moment = self.runs.cloud.calls().len();
        self.runs.plan(Goal::Present).await.unwrap();
        self.sent_since(Who::Pipeline, moment);
        self.runs.deployment.network.nat_gateways = self.runs.deployment.network.zones;
        self.deploy(Who::Operator).await;
        self.runs.deployment.edge.domain = None;
        self.runs.deployment.edge.certificate_arn = given;
        self.runs.deployment.network.nat_gateways = 0;
        self.runs.deployment.network.flow_logs = false;
        self.runs.deployment.network.endpoints = false;
        self.runs.deployment.edge.web_acl = Some(WebAcl::None);
        self.runs.deployment.encryption.kms_key_arn = None;
        self.deploy(Who::Operator).await;
    }

    /// Somebody with a role asks about an image in the repository, an account that is to trust GitHub, and everything
    /// else.
    async fn play_the_doctor(&mut self) {
        self.runs.cloud.world(|world| world.account.take_role("/team/", "operator"));
        let image =
            self.somebody().ecs.describe_task_definition().task_definition("weather-comment-generator-staging-task");
        let image = image.send().await.unwrap().task_definition.unwrap();
        let image = image.container_definitions()[0].image().unwrap().to_owned();
        self.command(Who::Doctor, &[&["doctor"], &REPOSITORY[..], &["--image", &image]].concat(), "").await;
        // Before the first deploy there is nothing to compare with, so it asks how much room there is.
        let (cloud, whole) = (Cloud::default(), self.runs.cloud.clone());
        let certificate = certificate(&cloud).await.unwrap();
        let given = self.runs.deployment.edge.certificate_arn.replace(certificate);
        self.runs.cloud = cloud;
        self.command(Who::Doctor, &["doctor"], "").await;
        self.runs.cloud = whole;
        self.runs.deployment.edge.certificate_arn = given;
    }

    /// Every setting that can be changed in place.
    fn change_settings(&mut self) {
        let deployment = &mut self.runs.deployment;
        deployment.logs.retention_days = 90;
        deployment.scaling.max = 6;
        deployment.scaling.cpu_percent = 60;
        deployment.edge.idle_timeout_seconds = 120;
        deployment.edge.deregistration_delay_seconds = 20;
        deployment.edge.health_check_interval_seconds = 15;
        deployment.edge.ssl_policy = "ELBSecurityPolicy-TLS13-1-3-2021-06".to_owned();
        deployment.images.keep = 20;
        deployment.storage.transition_to_ia_days = Some(7);
        deployment.alarms.as_mut().unwrap().cpu_percent = 80;
    }
}

/// Changes in the network and at its edge.
async fn disturb_the_network(aws: &Aws) {
    let ec2 = &aws.ec2;
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let vpc = vpcs.vpcs()[0].vpc_id().unwrap();
    let off = AttributeBooleanValue::builder().value(false).build();
    ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_hostnames(off).send().await.unwrap();
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let on = AttributeBooleanValue::builder().value(true).build();
    let subnet = subnets.subnets()[0].subnet_id().unwrap();
    ec2.modify_subnet_attribute().subnet_id(subnet).map_public_ip_on_launch(on).send().await.unwrap();
    let groups = ec2.describe_security_groups().send().await.unwrap();
    let by_name = |part: &str| {
        let found = groups.security_groups().iter().find(|it| it.group_name().is_some_and(|name| name.contains(part)));
        found.unwrap().group_id().unwrap().to_owned()
    };
    disturb_the_rules(aws, &by_name("service")).await;
    let balancers = aws.elb.describe_load_balancers().send().await.unwrap();
    let balancer = balancers.load_balancers()[0].load_balancer_arn().unwrap();
    aws.elb.set_security_groups().load_balancer_arn(balancer).security_groups(by_name("cache")).send().await.unwrap();
    let request = aws.elb.set_ip_address_type().load_balancer_arn(balancer);
    request.ip_address_type("dualstack".into()).send().await.unwrap();
}

/// Lets the disk's door be in another group; the interfaces are any of the account, so a pipeline may not touch them.
async fn disturb_a_mount_target(aws: &Aws) {
    let groups = aws.ec2.describe_security_groups().send().await.unwrap();
    let service =
        groups.security_groups().iter().find(|it| it.group_name().is_some_and(|name| name.contains("service")));
    let targets = aws.efs.describe_file_systems().send().await.unwrap();
    let file_system = targets.file_systems()[0].file_system_id().to_owned();
    let mounts = aws.efs.describe_mount_targets().file_system_id(&file_system).send().await.unwrap();
    let mount = mounts.mount_targets()[0].mount_target_id();
    let request = aws.efs.modify_mount_target_security_groups().mount_target_id(mount);
    request.security_groups(service.unwrap().group_id().unwrap()).send().await.unwrap();
}

/// Takes a group's rules away and adds odd ones.
async fn disturb_the_rules(aws: &Aws, group: &str) {
    let of_group = Filter::builder().name("group-id").values(group).build();
    let rules = aws.ec2.describe_security_group_rules().filters(of_group).send().await.unwrap();
    let of = |egress: bool| {
        let rules = rules.security_group_rules().iter();
        let rules = rules.filter(|it| it.group_id() == Some(group) && it.is_egress() == Some(egress));
        let ids: Vec<_> = rules.filter_map(|it| it.security_group_rule_id.clone()).collect();
        assert!(!ids.is_empty());
        Some(ids)
    };
    let odd = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
    let odd = odd.ip_ranges(IpRange::builder().cidr_ip("10.9.9.0/24").build()).build();
    let ec2 = &aws.ec2;
    let request = ec2.revoke_security_group_ingress().group_id(group).set_security_group_rule_ids(of(false));
    request.send().await.unwrap();
    let request = ec2.revoke_security_group_egress().group_id(group).set_security_group_rule_ids(of(true));
    request.send().await.unwrap();
    ec2.authorize_security_group_ingress().group_id(group).ip_permissions(odd.clone()).send().await.unwrap();
    ec2.authorize_security_group_egress().group_id(group).ip_permissions(odd).send().await.unwrap();
}

/// Takes a subnet away from the route table, or the route.
async fn disturb_the_routes(aws: &Aws, subnet: bool) {
    let ec2 = &aws.ec2;
    let tables = ec2.describe_route_tables().send().await.unwrap();
    let ours = |it: &&aws_sdk_ec2::types::RouteTable| {
        it.routes().iter().any(|route| route.gateway_id().is_some_and(|id| id.starts_with("igw-")))
    };
    let table = tables.route_tables().iter().find(ours).unwrap();
    let id = table.route_table_id().unwrap();
    if subnet {
        let associations = table.associations().iter().filter(|it| it.main() != Some(true));
        let association = associations.filter_map(|it| it.route_table_association_id()).next().unwrap();
        ec2.disassociate_route_table().association_id(association).send().await.unwrap();
        return;
    }
    ec2.delete_route().route_table_id(id).destination_cidr_block("0.0.0.0/0").send().await.unwrap();
}

/// Changes in what keeps things and runs things.
async fn disturb_the_rest(aws: &Aws) {
    let repositories = aws.ecr.describe_repositories().send().await.unwrap();
    let repository = &repositories.repositories()[0];
    let name = repository.repository_name().unwrap();
    aws.ecr
        .put_image_tag_mutability()
        .repository_name(name)
        .image_tag_mutability("MUTABLE".into())
        .send()
        .await
        .unwrap();
    let mut scanning = repository.image_scanning_configuration().unwrap().clone();
    scanning.scan_on_push = false;
    let request = aws.ecr.put_image_scanning_configuration().repository_name(name);
    request.image_scanning_configuration(scanning).send().await.unwrap();
    let clusters = aws.ecs.list_clusters().send().await.unwrap();
    let insights = ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value("enabled").build();
    aws.ecs.update_cluster().cluster(&clusters.cluster_arns()[0]).settings(insights).send().await.unwrap();
    let file_systems = aws.efs.describe_file_systems().send().await.unwrap();
    let file_system = file_systems.file_systems()[0].file_system_id().to_owned();
    aws.efs.update_file_system().file_system_id(&file_system).throughput_mode("elastic".into()).send().await.unwrap();
    // A file system that is being changed takes no other change.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let backup = aws.efs.describe_backup_policy().file_system_id(&file_system).send().await.unwrap();
    let mut backup = backup.backup_policy().unwrap().clone();
    backup.status = "DISABLED".into();
    aws.efs.put_backup_policy().file_system_id(&file_system).backup_policy(backup).send().await.unwrap();
    let listeners = aws.elb.describe_load_balancers().send().await.unwrap();
    let balancer = listeners.load_balancers()[0].load_balancer_arn().unwrap();
    let listeners = aws.elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
    let listener = listeners.listeners().iter().find(|it| it.port() == Some(443)).unwrap().listener_arn().unwrap();
    let rules = aws.elb.describe_rules().listener_arn(listener).send().await.unwrap();
    let rule = rules.rules().iter().find(|it| it.is_default() != Some(true)).unwrap();
    let mut conditions = rule.conditions().to_vec();
    conditions[0].values = Some(vec!["/else".to_owned()]);
    conditions[0].path_pattern_config = None;
    let request = aws.elb.modify_rule().rule_arn(rule.rule_arn().unwrap());
    request.set_conditions(Some(conditions)).send().await.unwrap();
}

async fn disturb_the_monitoring(scene: &Scene) {
    let aws = scene.somebody();
    let topics = aws.sns.list_topics().send().await.unwrap();
    let topic = topics.topics()[0].topic_arn().unwrap();
    let open = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let request = aws.sns.set_topic_attributes().topic_arn(topic);
    request.attribute_name("Policy").attribute_value(open).send().await.unwrap();
    let dashboard = "weather-comment-generator-staging-ap-northeast-1";
    let request = aws.cloudwatch.put_dashboard().dashboard_name(dashboard).dashboard_body("{\"widgets\":[]}");
    request.send().await.unwrap();
    // One that an older version of the tool made and that is no longer wanted.
    let ours = scene.runs.cloud.aws(scene.runs.owner(), Access::ReadWrite);
    let tags = ours
        .owner
        .tags("alarms")
        .into_iter()
        .map(|(key, value)| aws_sdk_cloudwatch::types::Tag::builder().key(key).value(value).build());
    let request = aws.cloudwatch.put_metric_alarm().alarm_name("weather-comment-generator-staging/old");
    let request = request.set_tags(Some(tags.collect())).namespace("AWS/ECS").metric_name("CPUUtilization");
    let request = request.statistic("Average".into()).period(60).evaluation_periods(1).threshold(1.0);
    request.comparison_operator("GreaterThanThreshold".into()).send().await.unwrap();
    scene.runs.cloud.world(|world| world.subscriptions.confirm(&format!("team-{}@example.com", scene.email)));
}

/// One that is under way when somebody wants to go back.
async fn begin_a_deployment(aws: &Aws) {
    let clusters = aws.ecs.list_clusters().send().await.unwrap();
    let request = aws.ecs.update_service().cluster(&clusters.cluster_arns()[0]).force_new_deployment(true);
    request.service("weather-comment-generator-staging-service").send().await.unwrap();
}

/// What only an administrator of the account may write.
async fn disturb_the_roles(aws: &Aws) {
    let roles = aws.iam.list_roles().send().await.unwrap();
    let role = roles.roles().iter().find(|it| it.role_name().contains("-task-")).unwrap().role_name();
    let nothing = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let policy = aws.iam.create_policy().policy_name("odd").policy_document(&nothing).send().await.unwrap();
    let request = aws.iam.attach_role_policy().role_name(role);
    request.set_policy_arn(policy.policy.unwrap().arn).send().await.unwrap();
    aws.iam.update_role().role_name(role).description("odd").send().await.unwrap();
    aws.iam.update_assume_role_policy().role_name(role).policy_document(&nothing).send().await.unwrap();
    aws.iam.put_role_policy().role_name(role).policy_name("more").policy_document(nothing).send().await.unwrap();
    let secrets = aws.secrets.list_secrets().send().await.unwrap();
    let secret = secrets.secret_list()[0].name().unwrap();
    aws.secrets.update_secret().secret_id(secret).description("odd").send().await.unwrap();
}

const WEB_ACL: &str = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-the-company/0f1e2d3c";
const KEY: &str = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Takes our tags from what an earlier run knows to be ours.
async fn take_the_tags(aws: &Aws) {
    let keys = || Some(vec!["provision:app".to_owned()]);
    let balancers = aws.elb.describe_load_balancers().send().await.unwrap();
    let balancer = balancers.load_balancers()[0].load_balancer_arn().unwrap();
    aws.elb.remove_tags().resource_arns(balancer).set_tag_keys(keys()).send().await.unwrap();
    let repositories = aws.ecr.describe_repositories().send().await.unwrap();
    let repository = repositories.repositories()[0].repository_arn().unwrap();
    aws.ecr.untag_resource().resource_arn(repository).set_tag_keys(keys()).send().await.unwrap();
    let logs = aws.logs.describe_log_groups().send().await.unwrap();
    let log = logs.log_groups().iter().filter_map(|it| it.arn()).find(|arn| arn.contains("/service"));
    let log = log.unwrap().trim_end_matches(":*");
    aws.logs.untag_resource().resource_arn(log).set_tag_keys(keys()).send().await.unwrap();
    let vpcs = aws.ec2.describe_vpcs().send().await.unwrap();
    aws.ec2.delete_tags().resources(vpcs.vpcs()[0].vpc_id().unwrap()).send().await.unwrap();
}

const RECORD: &str = "/weather-comment-generator/staging/deployments";

async fn played() -> Scene {
    let mut scene = Scene::new().await;
    scene.deploy(Who::Operator).await;

    scene.runs.new_image("the second program").unwrap();
    scene.deploy(Who::Pipeline).await;
    scene.change_settings();
    scene.deploy(Who::Pipeline).await;
    disturb_the_network(&scene.somebody()).await;
    disturb_the_routes(&scene.somebody(), true).await;
    scene.deploy(Who::Pipeline).await;
    disturb_the_routes(&scene.somebody(), false).await;
    disturb_the_rest(&scene.somebody()).await;
    disturb_the_monitoring(&scene).await;
    scene.another_email();
    scene.deploy(Who::Pipeline).await;
    take_the_tags(&scene.somebody()).await;
    disturb_a_mount_target(&scene.somebody()).await;
    scene.deploy(Who::Operator).await;
    scene.runs.new_image("a program that ends at once").unwrap();
    let bad = scene.runs.digest();
    scene.runs.cloud.world(|world| world.broken_images.insert(bad));
    let report = scene.run(Who::Pipeline, Goal::Present).await;
    assert!(!report.outcome.is_complete());
    for words in [&["status"][..], &["outputs"], &["history"], &["logs"]] {
        scene.command(Who::Pipeline, words, "").await;
    }
    scene.command(Who::Pipeline, &["rollback", "--to", "1", "--yes"], "").await;
    begin_a_deployment(&scene.somebody()).await;
    scene.command(Who::Pipeline, &["rollback", "--to", "1", "--yes"], "").await;
    let folder = TempDir::new().unwrap();
    image_layout(folder.path(), "the third program").unwrap();
    let words = ["push", "--image-layout", folder.path().to_str().unwrap()];
    scene.command(Who::Pipeline, &words, "").await;

    // The command `deploy` ends with a request through the load balancer.
    let moment = scene.runs.cloud.calls().len();
    let reader = Context::silent(scene.runs.cloud.aws(scene.runs.owner(), Access::ReadOnly));
    let certificate = scene.runs.deployment.edge.certificate_arn.clone().unwrap();
    FrontDoor::of(&reader, "the load balancer", &certificate).await.unwrap();
    scene.sent_since(Who::Pipeline, moment);

    // Without the record of runs, nothing that an earlier one knew saves a question.
    scene.somebody().logs.delete_log_group().log_group_name(RECORD).send().await.unwrap();
    let moment = scene.runs.cloud.calls().len();
    scene.runs.plan(Goal::Present).await.unwrap();
    scene.sent_since(Who::Pipeline, moment);

    scene.runs.new_image("the fourth program").unwrap();
    disturb_the_roles(&scene.somebody()).await;
    scene.runs.deployment.network.zones = 3;
    scene.deploy(Who::Operator).await;
    scene.play_the_options().await;
    scene.command(Who::Operator, &["secrets", "set", "WXTECH_API_KEY"], "a key").await;
    scene.runs.deployment.service.exec = true;
    scene.deploy(Who::Operator).await;
    scene.command(Who::Visitor, &["exec", "--", "/app/app", "health"], "").await;
    Box::pin(scene.play_the_doctor()).await;
    scene.destroy(false).await;
    let secrets = scene.somebody().secrets;
    let kept = "weather-comment-generator/staging/api-keys";
    secrets.delete_secret().secret_id(kept).recovery_window_in_days(7).send().await.unwrap();
    scene.deploy(Who::Operator).await;
    scene.destroy(true).await;
    scene
}

/// Lines that no scene here needs, each with the reason why it is there.
const EXCEPTIONS: [(&str, &str); 2] = [
    (
        "elasticfilesystem:DescribeMountTargetSecurityGroups",
        "for the moment in which the interface of a mount target is not among the interfaces yet",
    ),
    // A subnet that somebody gave another table's routes is taken back without ever being without any.
    ("ec2:ReplaceRouteTableAssociation", "only against somebody else's change"),
];

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_in_the_table_and_what_is_in_the_table_is_sent() {
    let scene = Box::pin(played()).await;
    let [pipeline, doctor, operator, visitor] = &scene.sent;
    let lines = all();
    let of = |who: Who| -> Operations {
        let lines = lines.iter().filter(|line| line.who == who);
        let excepted = |operation: &str| EXCEPTIONS.iter().any(|(excepted, _)| *excepted == operation);
        lines.filter(|line| !excepted(line.operation)).map(|line| line.operation.to_owned()).collect()
    };
    let [for_pipeline, for_doctor, for_operator] = [Who::Pipeline, Who::Doctor, Who::Operator].map(of);
    let missing: Vec<_> = pipeline.difference(&for_pipeline).collect();
    assert!(missing.is_empty(), "a pipeline sends what provision/data/permissions.csv does not give it: {missing:?}");
    let unused: Vec<_> = for_pipeline.difference(pipeline).collect();
    assert!(unused.is_empty(), "a pipeline never sends {unused:?}; remove these lines, or play a scene that does");
    let all: Operations = for_pipeline.union(&for_operator).cloned().collect();
    let missing: Vec<_> = operator.difference(&all).collect();
    assert!(missing.is_empty(), "an operator sends what provision/data/permissions.csv does not give: {missing:?}");
    let unused: Vec<_> = for_operator.difference(operator).collect();
    assert!(unused.is_empty(), "an operator never sends {unused:?}; remove these lines, or play a scene that does");
    let all: Operations = all.union(&for_doctor).cloned().collect();
    let missing: Vec<_> = doctor.difference(&all).collect();
    assert!(missing.is_empty(), "doctor sends what provision/data/permissions.csv does not give: {missing:?}");
    let unused: Vec<_> = for_doctor.difference(doctor).collect();
    assert!(unused.is_empty(), "doctor never sends {unused:?}; remove these lines, or play a scene that does");
    assert_eq!(*visitor, of(Who::Visitor), "what a visitor sends, and what the table gives");
    assert!(visitor.contains("ecs:ExecuteCommand") && !all.contains("ecs:ExecuteCommand"));
}
