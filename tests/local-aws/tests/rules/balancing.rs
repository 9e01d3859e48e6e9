//! Load balancers, target groups, listeners and rules.

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, Certificate, RuleCondition};
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerAttribute, LoadBalancerSchemeEnum, TargetTypeEnum};

use crate::account::{Account, seconds};
use crate::harness::{Said, probes, said, seen};

const WEB_ACL: &str = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-somebody/1f2e3d4c";

async fn in_subnets(it: Account, which: &[usize]) -> Said {
    it.linked_roles().await;
    let (vpc, subnets) = it.network().await;
    it.gateway(&vpc).await;
    let subnets = which.iter().map(|index| subnets[*index].clone()).collect();
    said(it.aws.elb.create_load_balancer().name("edge").set_subnets(Some(subnets)).send().await)
}

async fn named(it: Account, name: &str) -> Said {
    it.linked_roles().await;
    let (vpc, [a, c, _]) = it.network().await;
    it.gateway(&vpc).await;
    said(it.aws.elb.create_load_balancer().name(name).subnets(a).subnets(c).send().await)
}

async fn rule(it: &Account, listener: &str, group: &str, path: &str) -> Said {
    let action = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(group).build();
    let condition = RuleCondition::builder().field("path-pattern").values(path).build();
    let request = it.aws.elb.create_rule().listener_arn(listener).priority(10).actions(action);
    said(request.conditions(condition).send().await)
}

probes! {
    bucket_for_access_logs: "InvalidConfigurationRequest", "Access Denied for bucket: logs", async |it: Account| {
        let (.., edge) = it.load_balancer().await;
        let attribute = |key: &str, value: &str| LoadBalancerAttribute::builder().key(key).value(value).build();
        let request = it.aws.elb.modify_load_balancer_attributes().load_balancer_arn(edge);
        let request = request.attributes(attribute("access_logs.s3.enabled", "true"));
        said(request.attributes(attribute("access_logs.s3.bucket", "logs")).send().await)
    };
    firewall_knows_both: "WAFNonexistentItemException", "resource doesn", async |it: Account| {
        let (.., edge) = it.load_balancer().await;
        seconds(180).await;
        said(it.aws.waf.associate_web_acl().resource_arn(edge).web_acl_arn(WEB_ACL).send().await)
    };
    firewall_hears_late: "WAFUnavailableEntityException", "Retry your request", async |it: Account| {
        it.cloud.world(|world| world.firewalls.web_acls.insert(WEB_ACL.to_owned()));
        let (.., edge) = it.load_balancer().await;
        seconds(121).await;
        said(it.aws.waf.associate_web_acl().resource_arn(edge).web_acl_arn(WEB_ACL).send().await)
    };
    two_zones: "ValidationError", "At least two subnets in two different Availability Zones",
        async |it: Account| in_subnets(it, &[0]).await;
    one_subnet_a_zone: "InvalidConfigurationRequest", "multiple subnets in the same Availability Zone",
        async |it: Account| in_subnets(it, &[0, 1, 2]).await;
    internet_gateway_first: "InvalidSubnet", "has no internet gateway", async |it: Account| {
        it.linked_roles().await;
        let (_, [a, c, _]) = it.network().await;
        said(it.aws.elb.create_load_balancer().name("edge").subnets(a).subnets(c).send().await)
    };
    load_balancer_name: "ValidationError", "can only contain characters that are alphanumeric",
        async |it: Account| named(it, "a_b").await;
    long_name of load_balancer_name: "ValidationError", "cannot be longer than '32'",
        async |it: Account| named(it, "a-name-of-thirty-three-characters").await;
    name_with_a_hyphen_at_its_end of load_balancer_name: "ValidationError", "cannot begin or end with a hyphen",
        async |it: Account| named(it, "edge-").await;
    name_of_an_internal_one of load_balancer_name: "ValidationError", "cannot begin with 'internal-'",
        async |it: Account| named(it, "internal-edge").await;
    target_group_name of load_balancer_name: "ValidationError", "target group name 'a_b' can only contain",
        async |it: Account| {
            let vpc = it.vpc().await;
            said(it.aws.elb.create_target_group().name("a_b").vpc_id(&vpc).port(1).send().await)
        };
    same_load_balancer: "DuplicateLoadBalancerName", "different settings", async |it: Account| {
        it.linked_roles().await;
        let (vpc, [a, c, _]) = it.network().await;
        it.gateway(&vpc).await;
        let create = || it.aws.elb.create_load_balancer().name("edge").subnets(&a).subnets(&c);
        let first = create().send().await.unwrap();
        let again = create().send().await.unwrap();
        assert_eq!(first.load_balancers()[0].load_balancer_arn(), again.load_balancers()[0].load_balancer_arn());
        said(create().scheme(LoadBalancerSchemeEnum::Internal).send().await)
    };
    same_target_group: "DuplicateTargetGroupName", "different settings", async |it: Account| {
        let vpc = it.vpc().await;
        let first = it.target_group(&vpc, TargetTypeEnum::Ip).await;
        assert_eq!(it.target_group(&vpc, TargetTypeEnum::Ip).await, first);
        said(it.aws.elb.create_target_group().name("page").vpc_id(&vpc).port(1).send().await)
    };
    load_balancers_provision: "provisioning", "", async |it: Account| {
        it.load_balancer().await;
        let described = it.aws.elb.describe_load_balancers().send().await.unwrap();
        seen(described.load_balancers()[0].state().unwrap().code().unwrap().as_str())
    };
    certificate_for_https: "ValidationError", "A certificate must be specified for HTTPS listeners",
        async |it: Account| said(it.listener().await.send().await);
    certificate_issued: "UnsupportedCertificate", "must have a fully-qualified domain name", async |it: Account| {
        let request = it.aws.acm.request_certificate().domain_name("a.example.com");
        let arn = request.validation_method("DNS".into()).send().await.unwrap().certificate_arn.unwrap();
        let certificate = Certificate::builder().certificate_arn(arn).build();
        said(it.listener().await.certificates(certificate).send().await)
    };
    certificate_issued_on_a_change of certificate_issued: "UnsupportedCertificate", "a supported signature",
        async |it: Account| {
            let (_, certificate) = it.certificate().await;
            let made = it.listener().await.certificates(certificate).send().await.unwrap();
            let request = it.aws.acm.request_certificate().domain_name("a.example.com");
            let arn = request.validation_method("DNS".into()).send().await.unwrap().certificate_arn.unwrap();
            let pending = Certificate::builder().certificate_arn(arn).build();
            let listener = made.listeners()[0].listener_arn().unwrap();
            said(it.aws.elb.modify_listener().listener_arn(listener).certificates(pending).send().await)
        };
    certificate_exists: "CertificateNotFound", "not found", async |it: Account| {
        let elsewhere = "arn:aws:acm:us-east-1:123456789012:certificate/1";
        let certificate = Certificate::builder().certificate_arn(elsewhere).build();
        said(it.listener().await.certificates(certificate).send().await)
    };
    certificate_validation: "PENDING_VALIDATION", "", async |it: Account| {
        let request = it.aws.acm.request_certificate().domain_name("a.example.com");
        let arn = request.validation_method("DNS".into()).send().await.unwrap().certificate_arn.unwrap();
        let described = it.aws.acm.describe_certificate().certificate_arn(arn).send().await.unwrap();
        seen(described.certificate.unwrap().status.unwrap().as_str())
    };
    certificate_in_use: "ResourceInUseException", "is in use", async |it: Account| {
        let (arn, certificate) = it.certificate().await;
        it.listener().await.certificates(certificate).send().await.unwrap();
        said(it.aws.acm.delete_certificate().certificate_arn(arn).send().await)
    };
    known_tls_policy: "SSLPolicyNotFound", "not found", async |it: Account| {
        let (_, certificate) = it.certificate().await;
        said(it.listener().await.certificates(certificate).ssl_policy("Nope").send().await)
    };
    one_listener_a_port: "DuplicateListener", "already exists on this port", async |it: Account| {
        let (_, certificate) = it.certificate().await;
        let listener = it.listener().await.certificates(certificate);
        listener.clone().send().await.unwrap();
        said(listener.ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06").send().await)
    };
    priority_in_use: "PriorityInUse", "is currently in use", async |it: Account| {
        let (_, certificate) = it.certificate().await;
        let made = it.listener().await.certificates(certificate).send().await.unwrap();
        let listener = &made.listeners()[0];
        let group = listener.default_actions()[0].target_group_arn().unwrap();
        let arn = listener.listener_arn().unwrap();
        assert_eq!(rule(&it, arn, group, "/api").await, None);
        rule(&it, arn, group, "/other").await
    };
    protected_from_deletion: "OperationNotPermitted", "deletion protection is enabled", async |it: Account| {
        let (.., edge) = it.load_balancer().await;
        let on = LoadBalancerAttribute::builder().key("deletion_protection.enabled").value("true").build();
        let request = it.aws.elb.modify_load_balancer_attributes().load_balancer_arn(&edge);
        request.attributes(on).send().await.unwrap();
        said(it.aws.elb.delete_load_balancer().load_balancer_arn(edge).send().await)
    };
}
