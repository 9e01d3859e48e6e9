//! What answers on the internet: load balancer, targets, listeners, rules, and the name with its certificate.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, FixedResponseActionConfig, HostHeaderConditionConfig, IpAddressType,
    LoadBalancerAttribute, LoadBalancerSchemeEnum, Matcher, PathPatternConditionConfig, ProtocolEnum,
    RedirectActionConfig, RedirectActionStatusCodeEnum, RuleCondition, RulePriorityPair, Tag, TargetGroupAttribute,
    TargetTypeEnum,
};
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use local_aws::checks::changes;
use local_aws::runs::ZONE;

use crate::account::{Account, our_tags};
use crate::case::{Case, blocked, repaired};

async fn set_attribute(account: &Account, key: &str, value: &str) {
    let attribute = LoadBalancerAttribute::builder().key(key).value(value).build();
    let request = account.aws.elb.modify_load_balancer_attributes().load_balancer_arn(account.load_balancer());
    request.attributes(attribute).send().await.unwrap();
}

async fn untag(account: &Account, arn: String) {
    account.aws.elb.remove_tags().resource_arns(arn).set_tag_keys(our_tags()).send().await.unwrap();
}

fn forward(group: String) -> Action {
    Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(group).build()
}

/// The way to HTTPS, with something else in it.
fn redirect(otherwise: impl FnOnce(RedirectActionConfigBuilder) -> RedirectActionConfigBuilder) -> Action {
    let config = RedirectActionConfig::builder().protocol("HTTPS").port("443").host("#{host}").path("/#{path}");
    let config = otherwise(config.query("#{query}").status_code(RedirectActionStatusCodeEnum::Http301));
    Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(config.build()).build()
}

type RedirectActionConfigBuilder = aws_sdk_elasticloadbalancingv2::types::builders::RedirectActionConfigBuilder;

fn unavailable() -> Action {
    let answer = FixedResponseActionConfig::builder().status_code("503").build();
    Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(answer).build()
}

async fn answer_with(account: &Account, port: &str, action: Action) {
    let request = account.aws.elb.modify_listener().listener_arn(account.listener(port));
    request.default_actions(action).send().await.unwrap();
}

fn paths(values: &[&str]) -> RuleCondition {
    let values = values.iter().map(ToString::to_string).collect();
    let paths = PathPatternConditionConfig::builder().set_values(Some(values)).build();
    RuleCondition::builder().field("path-pattern").path_pattern_config(paths).build()
}

pub(crate) const LOAD_BALANCER: &[Case] = &[
    Case::new(&["~ load-balancer attributes.idle_timeout.timeout_seconds"], |it| {
        Box::pin(async move { set_attribute(it, "idle_timeout.timeout_seconds", "60").await })
    }),
    Case::new(&["~ load-balancer attributes.routing.http.drop_invalid_header_fields.enabled"], |it| {
        Box::pin(async move { set_attribute(it, "routing.http.drop_invalid_header_fields.enabled", "false").await })
    }),
    Case::new(&["~ load-balancer attributes.routing.http.desync_mitigation_mode"], |it| {
        Box::pin(async move { set_attribute(it, "routing.http.desync_mitigation_mode", "monitor").await })
    }),
    Case::new(&["~ load-balancer attributes.deletion_protection.enabled"], |it| {
        Box::pin(async move { set_attribute(it, "deletion_protection.enabled", "true").await })
    }),
    Case::new(&["~ load-balancer security_groups"], |it| {
        Box::pin(async move {
            let request = it.aws.elb.set_security_groups().load_balancer_arn(it.load_balancer());
            request.security_groups(it.group("cache-group").await).send().await.unwrap();
        })
    }),
    Case::new(&["~ load-balancer subnets"], |it| {
        Box::pin(async move {
            let request = it.aws.ec2.create_subnet().vpc_id(it.vpc().await).cidr_block("10.0.240.0/20");
            let made = request.availability_zone("ap-northeast-1d").send().await.unwrap();
            let third = made.subnet().unwrap().subnet_id().unwrap();
            it.minutes(1).await;
            let request = it.aws.elb.set_subnets().load_balancer_arn(it.load_balancer());
            request.subnets(it.subnet("public-1").await).subnets(third).send().await.unwrap();
        })
    }),
    Case::new(&["~ load-balancer ip_address_type"], |it| {
        Box::pin(async move {
            let request = it.aws.elb.set_ip_address_type().load_balancer_arn(it.load_balancer());
            request.ip_address_type(IpAddressType::Dualstack).send().await.unwrap();
        })
    }),
    Case::new(&["~ load-balancer tagged"], |it| Box::pin(async move { untag(it, it.load_balancer()).await })),
    Case::new(&["+ load-balancer", "+ https", "+ http", "+ api-paths", "? service", "? dashboard", "? alarms"], |it| {
        Box::pin(async move {
            it.aws.elb.delete_load_balancer().load_balancer_arn(it.load_balancer()).send().await.unwrap();
            it.minutes(10).await;
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_load_balancer_is_changed_back() {
    repaired(&Account::deployed().await, LOAD_BALANCER).await;
}

type TargetGroupChange =
    aws_sdk_elasticloadbalancingv2::operation::modify_target_group::builders::ModifyTargetGroupFluentBuilder;

async fn check_otherwise(account: &Account, otherwise: impl FnOnce(TargetGroupChange) -> TargetGroupChange) {
    let request = account.aws.elb.modify_target_group().target_group_arn(account.targets("page"));
    otherwise(request).send().await.unwrap();
}

pub(crate) const TARGETS: &[Case] = &[
    Case::new(&["~ page-targets health.path"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.health_check_path("/")).await })
    }),
    Case::new(&["~ page-targets health.port"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.health_check_port("9999")).await })
    }),
    Case::new(&["~ page-targets health.protocol"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.health_check_protocol(ProtocolEnum::Https)).await })
    }),
    Case::new(&["~ page-targets health.interval"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.health_check_interval_seconds(30)).await })
    }),
    Case::new(&["~ page-targets health.timeout"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.health_check_timeout_seconds(2)).await })
    }),
    Case::new(&["~ page-targets health.healthy"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.healthy_threshold_count(5)).await })
    }),
    Case::new(&["~ page-targets health.unhealthy"], |it| {
        Box::pin(async move { check_otherwise(it, |health| health.unhealthy_threshold_count(10)).await })
    }),
    Case::new(&["~ page-targets health.matcher"], |it| {
        Box::pin(async move {
            let any = Matcher::builder().http_code("200-499").build();
            check_otherwise(it, |health| health.matcher(any)).await;
        })
    }),
    Case::new(&["~ api-targets attributes.deregistration_delay.timeout_seconds"], |it| {
        Box::pin(async move {
            let delay = TargetGroupAttribute::builder().key("deregistration_delay.timeout_seconds").value("300");
            let request = it.aws.elb.modify_target_group_attributes().target_group_arn(it.targets("api"));
            request.attributes(delay.build()).send().await.unwrap();
        })
    }),
    Case::new(&["~ api-targets tagged"], |it| Box::pin(async move { untag(it, it.targets("api")).await })),
    Case::new(&["+ page-targets", "? https", "? service", "? dashboard", "? alarms"], |it| {
        Box::pin(async move {
            answer_with(it, "443", forward(it.targets("api"))).await;
            it.aws.elb.delete_target_group().target_group_arn(it.targets("page")).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_targets_is_changed_back() {
    repaired(&Account::deployed().await, TARGETS).await;
}

pub(crate) const LISTENERS: &[Case] = &[
    Case::new(&["~ https ssl_policy"], |it| {
        Box::pin(async move {
            let request = it.aws.elb.modify_listener().listener_arn(it.listener("443"));
            request.ssl_policy("ELBSecurityPolicy-2016-08").send().await.unwrap();
        })
    }),
    Case::new(&["~ https certificate_arn"], |it| {
        Box::pin(async move {
            let other = local_aws::runs::certificate(&it.runs.cloud).await.unwrap();
            let other = Certificate::builder().certificate_arn(other).build();
            let request = it.aws.elb.modify_listener().listener_arn(it.listener("443"));
            request.certificates(other).send().await.unwrap();
        })
    }),
    Case::new(&["~ https default_action.forward"], |it| {
        Box::pin(async move { answer_with(it, "443", forward(it.targets("api"))).await })
    }),
    Case::new(&["~ https default_action.other default_action.forward"], |it| {
        Box::pin(async move { answer_with(it, "443", unavailable()).await })
    }),
    Case::new(&["~ http default_action.redirect.protocol"], |it| {
        Box::pin(async move { answer_with(it, "80", redirect(|to| to.protocol("HTTP"))).await })
    }),
    Case::new(&["~ http default_action.redirect.port"], |it| {
        Box::pin(async move { answer_with(it, "80", redirect(|to| to.port("8443"))).await })
    }),
    Case::new(&["~ http default_action.redirect.target"], |it| {
        Box::pin(async move { answer_with(it, "80", redirect(|to| to.host("elsewhere.example.com"))).await })
    }),
    Case::new(&["~ http default_action.redirect.status"], |it| {
        Box::pin(async move {
            answer_with(it, "80", redirect(|to| to.status_code(RedirectActionStatusCodeEnum::Http302))).await;
        })
    }),
    Case::new(&["~ http protocol ssl_policy certificate_arn"], |it| {
        Box::pin(async move {
            let certificate = it.runs.deployment.edge.certificate_arn.clone();
            let certificate = Certificate::builder().set_certificate_arn(certificate).build();
            let request = it.aws.elb.modify_listener().listener_arn(it.listener("80")).protocol(ProtocolEnum::Https);
            let request = request.ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06").certificates(certificate);
            request.send().await.unwrap();
        })
    }),
    Case::new(&["+ http"], |it| {
        Box::pin(async move {
            it.aws.elb.delete_listener().listener_arn(it.listener("80")).send().await.unwrap();
        })
    }),
    // With it went its rule.
    Case::new(&["+ https", "+ api-paths", "? service"], |it| {
        Box::pin(async move {
            it.aws.elb.delete_listener().listener_arn(it.listener("443")).send().await.unwrap();
        })
    }),
    Case::new(&["~ api-paths paths"], |it| {
        Box::pin(async move {
            let request = it.aws.elb.modify_rule().rule_arn(it.rule()).conditions(paths(&["/api/*"]));
            request.send().await.unwrap();
        })
    }),
    // Every condition must be met, so one more keeps requests away.
    Case::new(&["~ api-paths other_conditions"], |it| {
        Box::pin(async move {
            let hosts = HostHeaderConditionConfig::builder().values("elsewhere.example.com").build();
            let host = RuleCondition::builder().field("host-header").host_header_config(hosts).build();
            let request = it.aws.elb.modify_rule().rule_arn(it.rule()).conditions(paths(&["/api", "/api/*"]));
            request.conditions(host).send().await.unwrap();
        })
    }),
    Case::new(&["~ api-paths target_group"], |it| {
        Box::pin(async move {
            it.aws.elb.modify_rule().rule_arn(it.rule()).actions(forward(it.targets("page"))).send().await.unwrap();
        })
    }),
    Case::new(&["~ api-paths target_group"], |it| {
        Box::pin(async move {
            it.aws.elb.modify_rule().rule_arn(it.rule()).actions(unavailable()).send().await.unwrap();
        })
    }),
    Case::new(&["+ api-paths", "? service"], |it| {
        Box::pin(async move {
            it.aws.elb.delete_rule().rule_arn(it.rule()).send().await.unwrap();
        })
    }),
    // At another priority it is another rule; ours is made again, and goes first.
    Case::new(&["+ api-paths", "? service"], |it| {
        Box::pin(async move {
            let elsewhere = RulePriorityPair::builder().rule_arn(it.rule()).priority(20).build();
            it.aws.elb.set_rule_priorities().rule_priorities(elsewhere).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_listeners_and_rules_is_changed_back() {
    repaired(&Account::deployed().await, LISTENERS).await;
}

fn like_ours(account: &Account, resource: &str) -> Option<Vec<Tag>> {
    let tags = account.ours().owner.tags(resource).into_iter();
    Some(tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect())
}

/// Another load balancer of our name, with our tags, and like ours but for its scheme.
async fn make_load_balancer_anew(account: &Account, scheme: LoadBalancerSchemeEnum) {
    let (elb, ours) = (&account.aws.elb, account.load_balancer());
    elb.delete_load_balancer().load_balancer_arn(ours).send().await.unwrap();
    account.minutes(10).await;
    let request = elb.create_load_balancer().name(account.names.load_balancer()).scheme(scheme);
    let request = request.subnets(account.subnet("public-1").await).subnets(account.subnet("public-2").await);
    let request = request.security_groups(account.group("alb-group").await);
    request.set_tags(like_ours(account, "load-balancer")).send().await.unwrap();
    account.minutes(10).await;
    for (key, value) in [
        ("idle_timeout.timeout_seconds", "300"),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("routing.http.desync_mitigation_mode", "defensive"),
        ("deletion_protection.enabled", "false"),
    ] {
        set_attribute(account, key, value).await;
    }
}

pub(crate) const MADE_ANEW: &[Case] = &[
    Case::new(&["! load-balancer scheme"], |it| {
        Box::pin(async move { make_load_balancer_anew(it, LoadBalancerSchemeEnum::Internal).await })
    }),
    // The name tells what cannot be changed, so somebody had to make another one under the same name.
    Case::new(
        &["! page-targets vpc_id port protocol target_type health.path health.interval health.healthy \
                 attributes.deregistration_delay.timeout_seconds"],
        |it| {
            Box::pin(async move {
                let name = it.target_group_name("page");
                answer_with(it, "443", forward(it.targets("api"))).await;
                it.aws.elb.delete_target_group().target_group_arn(it.targets("page")).send().await.unwrap();
                let vpc = it.aws.ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
                let request = it.aws.elb.create_target_group().name(name).set_vpc_id(vpc.vpc.unwrap().vpc_id);
                let request = request.port(9999).protocol(ProtocolEnum::Https).target_type(TargetTypeEnum::Instance);
                let request = request.health_check_protocol(ProtocolEnum::Http).health_check_timeout_seconds(5);
                let request = request.unhealthy_threshold_count(2).matcher(Matcher::builder().http_code("200").build());
                request.set_tags(like_ours(it, "page-targets")).send().await.unwrap();
            })
        },
    ),
];

#[tokio::test(start_paused = true)]
async fn what_was_made_otherwise_at_the_edge_is_not_touched() {
    blocked(Account::deployed, MADE_ANEW).await;
}

async fn change(account: &Account, action: ChangeAction, set: ResourceRecordSet) {
    account.minutes(1).await;
    let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let request = account.aws.route53.change_resource_record_sets().hosted_zone_id(ZONE).change_batch(batch);
    request.send().await.unwrap();
}

async fn read(account: &Account, kind: RrType) -> ResourceRecordSet {
    let answer = account.aws.route53.list_resource_record_sets().hosted_zone_id(ZONE).send().await.unwrap();
    answer.resource_record_sets.into_iter().find(|set| set.r#type == kind).unwrap()
}

pub(crate) const NAME: &[Case] = &[
    Case::new(&["~ certificate proof"], |it| {
        Box::pin(async move { change(it, ChangeAction::Delete, read(it, RrType::Cname).await).await })
    }),
    Case::new(&["~ certificate proof"], |it| {
        Box::pin(async move {
            let value = ResourceRecord::builder().value("elsewhere.example.net").build().unwrap();
            let wrong = ResourceRecordSet::builder().name(read(it, RrType::Cname).await.name).r#type(RrType::Cname);
            change(it, ChangeAction::Upsert, wrong.ttl(60).resource_records(value).build().unwrap()).await;
        })
    }),
    Case::new(&["~ record evaluate_target_health"], |it| {
        Box::pin(async move {
            let ours = read(it, RrType::A).await;
            let target = ours.alias_target().unwrap();
            let target = AliasTarget::builder().dns_name(target.dns_name()).hosted_zone_id(target.hosted_zone_id());
            let target = target.evaluate_target_health(true).build().unwrap();
            let other = ResourceRecordSet::builder().name(&ours.name).r#type(RrType::A).alias_target(target);
            change(it, ChangeAction::Upsert, other.build().unwrap()).await;
        })
    }),
    Case::new(&["+ record"], |it| {
        Box::pin(async move { change(it, ChangeAction::Delete, read(it, RrType::A).await).await })
    }),
    // Another certificate is requested; the record that proves the domain is still there.
    Case::new(&["+ certificate", "? https"], |it| {
        Box::pin(async move {
            let given = local_aws::runs::certificate(&it.runs.cloud).await.unwrap();
            let other = Certificate::builder().certificate_arn(given).build();
            let listener = it.aws.elb.modify_listener().listener_arn(it.listener("443"));
            listener.certificates(other).send().await.unwrap();
            it.minutes(2).await;
            let all = it.aws.acm.list_certificates().send().await.unwrap();
            let ours =
                all.certificate_summary_list().iter().find(|it| it.domain_name() == Some("forecast.example.com"));
            it.aws
                .acm
                .delete_certificate()
                .set_certificate_arn(ours.unwrap().certificate_arn.clone())
                .send()
                .await
                .unwrap();
        })
    }),
    // The name leads to the next one.
    Case::new(
        &["+ load-balancer", "+ https", "+ http", "+ api-paths", "? record", "? service", "? dashboard", "? alarms"],
        |it| {
            Box::pin(async move {
                it.aws.elb.delete_load_balancer().load_balancer_arn(it.load_balancer()).send().await.unwrap();
            })
        },
    ),
    // Its name on the internet is another one.
    Case::new(
        &[
            "+ https",
            "+ http",
            "+ api-paths",
            "~ record target",
            "? service",
            "~ dashboard widgets.Healthy and unhealthy targets.properties.metrics widgets.Requests and \
                 errors.properties.metrics widgets.Time to answer, seconds.properties.metrics",
            "~ alarms errors.queries.balancer.metric.dimensions.LoadBalancer \
                 errors.queries.service.metric.dimensions.LoadBalancer \
                 none-healthy-api.metric.dimensions.LoadBalancer none-healthy-page.metric.dimensions.LoadBalancer \
                 response-time.metric.dimensions.LoadBalancer unhealthy-api.metric.dimensions.LoadBalancer \
                 unhealthy-page.metric.dimensions.LoadBalancer",
        ],
        |it| Box::pin(async move { make_load_balancer_anew(it, LoadBalancerSchemeEnum::InternetFacing).await }),
    ),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_name_is_changed_back() {
    repaired(&Account::with_domain().await, NAME).await;
}

/// Records have no tags: one that leads elsewhere is somebody else's.
#[tokio::test(start_paused = true)]
async fn a_record_that_leads_elsewhere_is_not_touched() {
    let account = Account::with_domain().await;
    let value = ResourceRecord::builder().value("192.0.2.1").build().unwrap();
    let theirs = ResourceRecordSet::builder().name("forecast.example.com").r#type(RrType::A).ttl(60);
    change(&account, ChangeAction::Upsert, theirs.resource_records(value).build().unwrap()).await;
    let error = format!("{:#}", changes(&account.runs).await.unwrap_err());
    assert!(error.contains("belongs to someone else") && error.contains("hosted zone example.com"), "{error}");
}
