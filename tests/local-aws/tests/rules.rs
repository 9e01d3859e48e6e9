//! Each rule bites where it should; the whole stack shows elsewhere that none bites where it should not.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, LoadBalancerSchemeEnum, ProtocolEnum, TargetTypeEnum,
};
use local_aws::{Cloud, rules};
use provision::aws::{Aws, Owner};
use provision::guard::Access;

fn aws(cloud: &Cloud) -> Aws {
    cloud.aws(Owner { app: "rules".to_owned(), environment: "test".to_owned() }, Access::ReadWrite)
}

/// The code and the message of a refusal.
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(result: Result<T, E>) -> (String, String) {
    let error = result.expect_err("it was allowed");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

/// A network with two subnets in different zones and a third in the zone of the first.
async fn network(aws: &Aws, gateway: bool) -> (String, [String; 3]) {
    let vpc = aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    if gateway {
        let made = aws.ec2.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
        let id = made.internet_gateway_id.unwrap();
        aws.ec2.attach_internet_gateway().internet_gateway_id(id).vpc_id(&vpc).send().await.unwrap();
    }
    let mut subnets = Vec::new();
    for (index, zone) in ["a", "c", "a"].into_iter().enumerate() {
        let request = aws.ec2.create_subnet().vpc_id(&vpc).cidr_block(format!("10.1.{index}.0/24"));
        let answer = request.availability_zone(format!("{}{zone}", local_aws::REGION)).send().await.unwrap();
        subnets.push(answer.subnet.unwrap().subnet_id.unwrap());
    }
    (vpc, subnets.try_into().unwrap())
}

async fn linked_roles(aws: &Aws) {
    for service in ["ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"] {
        aws.iam.create_service_linked_role().aws_service_name(service).send().await.unwrap();
    }
}

/// A load balancer in a good network.
async fn load_balancer(aws: &Aws) -> (String, String) {
    linked_roles(aws).await;
    let (vpc, [a, c, _]) = network(aws, true).await;
    let made = aws.elb.create_load_balancer().name("edge").subnets(a).subnets(c).send().await.unwrap();
    (vpc, made.load_balancers()[0].load_balancer_arn().unwrap().to_owned())
}

fn all_but(name: &str) -> Cloud {
    let rules: Vec<_> = rules::all().into_iter().filter(|rule| rule.name != name).collect();
    assert_eq!(rules.len() + 1, rules::all().len(), "there is no rule {name}");
    Cloud::new(rules)
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_needs_two_zones_and_one_subnet_in_each() {
    let aws = aws(&Cloud::default());
    linked_roles(&aws).await;
    let (_, [a, c, also_a]) = network(&aws, true).await;
    let create = |name: &str, subnets: &[&String]| {
        let subnets = subnets.iter().map(|id| (*id).clone()).collect();
        aws.elb.create_load_balancer().name(name).set_subnets(Some(subnets)).send()
    };
    assert_eq!(refused(create("one", &[&a]).await).0, "ValidationError");
    assert_eq!(refused(create("three", &[&a, &c, &also_a]).await).0, "InvalidConfigurationRequest");
    create("two", &[&a, &c]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_needs_a_gateway_and_a_linked_role_and_a_proper_name() {
    let aws = aws(&Cloud::default());
    let (_, [a, c, _]) = network(&aws, false).await;
    let create = |name: &str| aws.elb.create_load_balancer().name(name).subnets(&a).subnets(&c);
    assert_eq!(refused(create("edge").scheme(LoadBalancerSchemeEnum::Internal).send().await).0, "AccessDenied");
    linked_roles(&aws).await;
    assert_eq!(refused(create("edge").send().await).0, "InvalidSubnet");
    for name in ["under_score", "-edge", "internal-x", "x2345678901234567890123456789012x"] {
        assert_eq!(refused(create(name).scheme(LoadBalancerSchemeEnum::Internal).send().await).0, "ValidationError");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_load_balancer_again_is_the_same_one_and_another_is_refused() {
    let aws = aws(&Cloud::default());
    linked_roles(&aws).await;
    let (_, [a, c, _]) = network(&aws, true).await;
    let create = || aws.elb.create_load_balancer().name("edge").subnets(&a).subnets(&c);
    let first = create().send().await.unwrap();
    let again = create().send().await.unwrap();
    assert_eq!(first.load_balancers()[0].load_balancer_arn(), again.load_balancers()[0].load_balancer_arn());
    let other = create().scheme(LoadBalancerSchemeEnum::Internal).send().await;
    assert_eq!(refused(other).0, "DuplicateLoadBalancerName");
}

#[tokio::test(start_paused = true)]
async fn a_listener_needs_a_certificate_a_known_policy_and_a_free_port() {
    let aws = aws(&Cloud::default());
    let (vpc, edge) = load_balancer(&aws).await;
    let group = aws.elb.create_target_group().name("page").vpc_id(&vpc).port(1).send().await.unwrap();
    let group = group.target_groups()[0].target_group_arn().unwrap().to_owned();
    let action = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(&group).build();
    let create = || {
        let request = aws.elb.create_listener().load_balancer_arn(&edge).port(443).protocol(ProtocolEnum::Https);
        request.default_actions(action.clone())
    };
    assert_eq!(refused(create().send().await).0, "ValidationError");
    let certificate = Certificate::builder().certificate_arn("arn:aws:acm:x").build();
    let create = || create().certificates(certificate.clone());
    assert_eq!(refused(create().ssl_policy("Nope").send().await).0, "SSLPolicyNotFound");
    create().send().await.unwrap();
    assert_eq!(refused(create().send().await).0, "DuplicateListener");
}

#[tokio::test(start_paused = true)]
async fn a_service_needs_a_target_group_that_a_load_balancer_uses() {
    for (cloud, bites) in [(Cloud::default(), true), (all_but("target_group_on_a_listener"), false)] {
        let aws = aws(&cloud);
        let (vpc, _) = load_balancer(&aws).await;
        let request = aws.elb.create_target_group().name("page").vpc_id(&vpc).port(1).target_type(TargetTypeEnum::Ip);
        let group = request.send().await.unwrap();
        let balancer = aws_sdk_ecs::types::LoadBalancer::builder()
            .target_group_arn(group.target_groups()[0].target_group_arn().unwrap())
            .container_name("app")
            .container_port(1);
        let vpc = aws_sdk_ecs::types::AwsVpcConfiguration::builder().subnets("s").build().unwrap();
        let network = aws_sdk_ecs::types::NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
        let request = aws.ecs.create_service().service_name("s").task_definition("t").load_balancers(balancer.build());
        let result = request.network_configuration(network).send().await;
        if bites {
            let (code, message) = refused(result);
            assert_eq!(code, "InvalidParameterException");
            assert!(message.contains("does not have an associated load balancer"), "{message}");
        } else {
            // Without the rule the mistake goes through: it is this rule that finds it, and no other.
            result.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_some_sizes_and_retentions_exist() {
    let aws = aws(&Cloud::default());
    let register = |cpu: &str, memory: &str| {
        let container = aws_sdk_ecs::types::ContainerDefinition::builder().name("app").image("i").build();
        aws.ecs.register_task_definition().family("f").cpu(cpu).memory(memory).container_definitions(container).send()
    };
    assert_eq!(refused(register("1024", "1024").await).1, "No Fargate configuration exists for given values.");
    assert_eq!(refused(register("1024", "2500").await).0, "ClientException");
    register("1024", "2048").await.unwrap();
    register("256", "512").await.unwrap();
    aws.logs.create_log_group().log_group_name("/g").send().await.unwrap();
    let keep = |days| aws.logs.put_retention_policy().log_group_name("/g").retention_in_days(days).send();
    assert_eq!(refused(keep(31).await).0, "InvalidParameterException");
    keep(30).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cluster_needs_the_linked_role() {
    let aws = aws(&Cloud::default());
    let (_, message) = refused(aws.ecs.create_cluster().cluster_name("c").send().await);
    assert!(message.contains("Unable to assume the service linked role"), "{message}");
    linked_roles(&aws).await;
    aws.ecs.create_cluster().cluster_name("c").send().await.unwrap();
    let again = aws.iam.create_service_linked_role().aws_service_name("ecs.amazonaws.com").send().await;
    let (code, message) = refused(again);
    assert_eq!(code, "InvalidInput");
    assert!(message.contains("has been taken in this account"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn groups_have_proper_names_and_each_rule_once_and_stay_while_they_are_named() {
    let aws = aws(&Cloud::default());
    let (vpc, _) = network(&aws, false).await;
    let create = |name: &str, about: &str| {
        aws.ec2.create_security_group().vpc_id(&vpc).group_name(name).description(about).send()
    };
    assert_eq!(refused(create("sg-x", "fine").await).0, "InvalidParameterValue");
    assert_eq!(refused(create("x", "天気").await).0, "InvalidParameterValue");
    let one = create("one", "first").await.unwrap().group_id.unwrap();
    assert_eq!(refused(create("ONE", "again").await).0, "InvalidGroup.Duplicate");
    let two = create("two", "second").await.unwrap().group_id.unwrap();
    let pair = aws_sdk_ec2::types::UserIdGroupPair::builder().group_id(&one).build();
    let rule = aws_sdk_ec2::types::IpPermission::builder().ip_protocol("tcp").from_port(1).to_port(1);
    let rule = rule.user_id_group_pairs(pair).build();
    let allow = || aws.ec2.authorize_security_group_ingress().group_id(&two).ip_permissions(rule.clone()).send();
    allow().await.unwrap();
    assert_eq!(refused(allow().await).0, "InvalidPermission.Duplicate");
    let (code, message) = refused(aws.ec2.delete_security_group().group_id(&one).send().await);
    assert_eq!((code.as_str(), message.contains("has a dependent object")), ("DependencyViolation", true));
    aws.ec2.delete_security_group().group_id(&two).send().await.unwrap();
    aws.ec2.delete_security_group().group_id(&one).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_system_is_used_when_it_is_available_once_in_a_zone_and_one_change_at_a_time() {
    let aws = aws(&Cloud::default());
    let (_, [a, c, also_a]) = network(&aws, false).await;
    let made = aws.efs.create_file_system().creation_token("t").send().await.unwrap();
    let id = made.file_system_id;
    let mount = |subnet: &str| aws.efs.create_mount_target().file_system_id(&id).subnet_id(subnet).send();
    assert_eq!(refused(mount(&a).await).0, "IncorrectFileSystemLifeCycleState");
    tokio::time::advance(std::time::Duration::from_secs(20)).await;
    mount(&a).await.unwrap();
    assert_eq!(refused(mount(&also_a).await).0, "MountTargetConflict");
    mount(&c).await.unwrap();
    let configure =
        || aws.efs.put_lifecycle_configuration().file_system_id(&id).set_lifecycle_policies(Some(Vec::new()));
    configure().send().await.unwrap();
    assert_eq!(refused(configure().send().await).0, "IncorrectFileSystemLifeCycleState");
    assert_eq!(refused(aws.efs.delete_file_system().file_system_id(&id).send().await).0, "FileSystemInUse");
}

#[tokio::test(start_paused = true)]
async fn a_network_is_held_by_what_a_deleted_load_balancer_leaves_for_minutes() {
    let cloud = Cloud::default();
    let aws = aws(&cloud);
    linked_roles(&aws).await;
    let (vpc, [a, c, _]) = network(&aws, true).await;
    let made = aws.elb.create_load_balancer().name("edge").subnets(&a).subnets(&c).send().await.unwrap();
    let arn = made.load_balancers()[0].load_balancer_arn().unwrap();
    aws.elb.delete_load_balancer().load_balancer_arn(arn).send().await.unwrap();
    let gateways = aws.ec2.describe_internet_gateways().send().await.unwrap();
    let gateway =
        gateways.internet_gateways().iter().find(|it| it.attachments().iter().any(|it| it.vpc_id() == Some(&vpc)));
    let gateway = gateway.unwrap().internet_gateway_id().unwrap();
    let detach = || aws.ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(&vpc).send();
    let (code, message) = refused(detach().await);
    assert_eq!((code.as_str(), message.contains("mapped public address")), ("DependencyViolation", true));
    assert_eq!(refused(aws.ec2.delete_subnet().subnet_id(&a).send().await).0, "DependencyViolation");
    tokio::time::advance(std::time::Duration::from_secs(300)).await;
    detach().await.unwrap();
    aws.ec2.delete_subnet().subnet_id(&a).send().await.unwrap();
}
