//! What is off by default: flow log, endpoints, access logs, firewall, a key of one's own, and the log of sessions.

use aws_sdk_ec2::operation::create_vpc_endpoint::builders::CreateVpcEndpointFluentBuilder;
use aws_sdk_ec2::operation::modify_vpc_endpoint::builders::ModifyVpcEndpointFluentBuilder;
use aws_sdk_ec2::types::{
    FlowLog, FlowLogsResourceType, IpPermission, IpRange, ResourceType, TagSpecification, TrafficType, VpcEndpoint,
    VpcEndpointType,
};
use aws_sdk_ecs::types::{
    ClusterConfiguration, ExecuteCommandConfiguration, ExecuteCommandLogConfiguration, ExecuteCommandLogging,
};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerAttribute;
use config::deployment::WebAcl;
use local_aws::checks::leaves_nothing;
use local_aws::matrix::{BUCKET, OWN_KEY};

use crate::account::Account;
use crate::case::{Case, blocked, repaired};

/// The endpoint of a name in the stack.
async fn endpoint(account: &Account, name: &str) -> VpcEndpoint {
    let all = account.aws.ec2.describe_vpc_endpoints().send().await.unwrap().vpc_endpoints.unwrap();
    all.into_iter().find(|it| it.tags().iter().any(|tag| tag.value() == Some(name))).unwrap()
}

async fn change(
    account: &Account,
    name: &str,
    how: impl FnOnce(ModifyVpcEndpointFluentBuilder, VpcEndpoint) -> ModifyVpcEndpointFluentBuilder,
) {
    let found = endpoint(account, name).await;
    let request = account.aws.ec2.modify_vpc_endpoint().set_vpc_endpoint_id(found.vpc_endpoint_id.clone());
    how(request, found).send().await.unwrap();
}

pub(crate) const ENDPOINTS: &[Case] = &[
    Case::new(&["~ logs-endpoint reach.interface.private_dns"], |it| {
        Box::pin(change(it, "logs-endpoint", |request, _| request.private_dns_enabled(false)))
    }),
    Case::new(&["~ logs-endpoint reach.interface.subnets"], |it| {
        Box::pin(change(it, "logs-endpoint", |request, found| request.remove_subnet_ids(&found.subnet_ids()[0])))
    }),
    Case::new(&["~ logs-endpoint reach.interface.security_groups"], |it| {
        Box::pin(async move {
            let other = it.group("alb-group").await;
            change(it, "logs-endpoint", |request, found| {
                let own = found.groups()[0].group_id.clone().map(|id| vec![id]);
                request.add_security_group_ids(other).set_remove_security_group_ids(own)
            })
            .await;
        })
    }),
    Case::new(&["~ logs-endpoint policy.Statement"], |it| {
        let nothing = r#"{"Version": "2012-10-17", "Statement": []}"#;
        Box::pin(change(it, "logs-endpoint", move |request, _| request.policy_document(nothing)))
    }),
    Case::new(&["~ layers-endpoint reach.gateway.route_tables"], |it| {
        Box::pin(change(it, "layers-endpoint", |request, found| {
            request.remove_route_table_ids(&found.route_table_ids()[0])
        }))
    }),
    // One that is going still has the name of its service.
    Case::new(&["+ logs-endpoint", "? service"], |it| {
        Box::pin(async move {
            let id = endpoint(it, "logs-endpoint").await.vpc_endpoint_id.unwrap();
            it.aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
        })
    }),
    Case::new(&["+ layers-endpoint", "? service"], |it| {
        Box::pin(async move {
            let id = endpoint(it, "layers-endpoint").await.vpc_endpoint_id.unwrap();
            it.aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
        })
    }),
    Case::new(&["~ endpoints-rules ingress"], |it| {
        Box::pin(async move {
            let open = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22);
            let open = open.ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
            let group = it.group("endpoints-group").await;
            it.aws.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(open).send().await.unwrap();
        })
    }),
];

/// Takes the flow log away.
async fn without_flow_log(account: &Account) -> FlowLog {
    let found = account.aws.ec2.describe_flow_logs().send().await.unwrap().flow_logs.unwrap().remove(0);
    let id = found.flow_log_id.clone().unwrap();
    account.aws.ec2.delete_flow_logs().flow_log_ids(id).send().await.unwrap();
    found
}

/// Puts another flow log in the place of ours, with our tags: of the same network or another one, into any log group.
async fn another_flow_log(account: &Account, network: Option<String>, group: Option<&str>, role: Option<String>) {
    let found = without_flow_log(account).await;
    let tags = TagSpecification::builder().resource_type(ResourceType::VpcFlowLog).set_tags(found.tags.clone()).build();
    let request = account.aws.ec2.create_flow_logs().resource_type(FlowLogsResourceType::Vpc);
    let request = request.traffic_type(TrafficType::Reject).max_aggregation_interval(60).tag_specifications(tags);
    let request = request.set_resource_ids(network.or(found.resource_id).map(|id| vec![id]));
    let request = request.set_deliver_logs_permission_arn(role.or(found.deliver_logs_permission_arn));
    request.set_log_group_name(group.map(ToOwned::to_owned).or(found.log_group_name)).send().await.unwrap();
}

const SERVICE_LOG: &str = "/weather-comment-generator/staging/service";

pub(crate) const FLOW_LOG: &[Case] = &[
    Case::new(&["+ flow-log"], |it| Box::pin(async move { drop(without_flow_log(it).await) })),
    Case::new(&["~ flow-log traffic aggregation_seconds"], |it| Box::pin(another_flow_log(it, None, None, None))),
    Case::new(&["~ flow-log traffic aggregation_seconds log_group"], |it| {
        Box::pin(another_flow_log(it, None, Some(SERVICE_LOG), None))
    }),
    Case::new(&["~ flow-log vpc_id traffic aggregation_seconds"], |it| {
        Box::pin(async move {
            let made = it.aws.ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
            it.minutes(1).await;
            another_flow_log(it, made.vpc.unwrap().vpc_id, None, None).await;
        })
    }),
    Case::new(&["~ flow-log traffic aggregation_seconds role_arn"], |it| {
        Box::pin(async move {
            let role = another_role(it).await;
            another_flow_log(it, None, None, Some(role)).await;
        })
    }),
    // The lines are lost; what writes them and by which role is not.
    Case::new(&["+ flow-log-group", "? flow-log-role", "? flow-log"], |it| {
        Box::pin(async move {
            it.aws.logs.delete_log_group().log_group_name(it.names.flow_logs()).send().await.unwrap();
        })
    }),
    Case::new(&["~ flow-log-group retention_days kms_key"], |it| {
        Box::pin(async move {
            let group = it.names.flow_logs();
            it.aws.logs.disassociate_kms_key().log_group_name(&group).send().await.unwrap();
            it.aws.logs.put_retention_policy().log_group_name(group).retention_in_days(1).send().await.unwrap();
        })
    }),
    Case::new(&["~ flow-log-role trust.Statement.Condition"], |it| {
        Box::pin(async move {
            let request = it.aws.iam.update_assume_role_policy().role_name(it.names.role("flow-log"));
            request.policy_document(ANY_FLOW_LOG).send().await.unwrap();
        })
    }),
    Case::new(&["~ flow-log-role policies.write"], |it| Box::pin(without_policy(it, "flow-log", "write"))),
    Case::new(&["+ flow-log-role", "? flow-log"], |it| {
        Box::pin(async move {
            without_policy(it, "flow-log", "write").await;
            it.aws.iam.delete_role().role_name(it.names.role("flow-log")).send().await.unwrap();
        })
    }),
];

/// Lets flow logs of every account take a role.
const ANY_FLOW_LOG: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}}]}"#;

async fn without_policy(account: &Account, role: &str, policy: &str) {
    let request = account.aws.iam.delete_role_policy().role_name(account.names.role(role));
    request.policy_name(policy).send().await.unwrap();
}

/// A role that flow logs may take, which is not ours.
async fn another_role(account: &Account) -> String {
    let request = account.aws.iam.create_role().role_name("of-somebody").assume_role_policy_document(ANY_FLOW_LOG);
    let role = request.send().await.unwrap().role.unwrap();
    account.minutes(1).await;
    role.arn
}

/// Deletes an endpoint, for another one with its tags.
async fn instead_of(account: &Account, name: &str) -> CreateVpcEndpointFluentBuilder {
    let old = endpoint(account, name).await;
    let id = old.vpc_endpoint_id.unwrap();
    account.aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
    account.minutes(5).await;
    let tags = TagSpecification::builder().resource_type(ResourceType::VpcEndpoint).set_tags(old.tags).build();
    account.aws.ec2.create_vpc_endpoint().policy_document(old.policy_document.unwrap()).tag_specifications(tags)
}

pub(crate) const MADE_OTHERWISE: &[Case] = &[
    // In another network and of another service; AWS changes neither.
    Case::new(&["! layers-endpoint vpc_id service reach.gateway.route_tables"], |it| {
        Box::pin(async move {
            let made = it.aws.ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap().vpc.unwrap();
            let request = instead_of(it, "layers-endpoint").await.vpc_endpoint_type(VpcEndpointType::Gateway);
            let request = request.service_name("com.amazonaws.ap-northeast-1.dynamodb").set_vpc_id(made.vpc_id);
            request.send().await.unwrap();
        })
    }),
    // With addresses, which cost money, in place of routes.
    Case::new(&["! layers-endpoint reach.interface reach.gateway"], |it| {
        Box::pin(async move {
            let (network, subnet) = (it.vpc().await, it.subnet("private-1").await);
            let group = it.group("endpoints-group").await;
            let request = instead_of(it, "layers-endpoint").await.vpc_endpoint_type(VpcEndpointType::Interface);
            let request = request.service_name("com.amazonaws.ap-northeast-1.s3").vpc_id(network);
            request.subnet_ids(subnet).security_group_ids(group).send().await.unwrap();
            it.minutes(5).await;
        })
    }),
    Case::new(&["! repository scan_on_push lifecycle_policy kms_key"], |it| {
        Box::pin(async move {
            let (ecr, name) = (&it.aws.ecr, it.names.repository());
            let found = ecr.describe_repositories().repository_names(&name).send().await.unwrap();
            let request = ecr.list_tags_for_resource().set_resource_arn(found.repositories()[0].repository_arn.clone());
            let tags = request.send().await.unwrap().tags;
            ecr.delete_repository().repository_name(&name).force(true).send().await.unwrap();
            let request = ecr.create_repository().repository_name(name).set_tags(tags);
            request.image_tag_mutability("IMMUTABLE".into()).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_was_made_otherwise_or_without_the_key_is_not_touched() {
    blocked(Account::hardened, MADE_OTHERWISE).await;
}

/// Before the first deploy, somebody made it with AWS's own key.
pub(crate) const MADE_BEFORE: &[Case] = &[Case::new(&["! cache kms_key transition_to_ia backup"], |it| {
    Box::pin(async move {
        let tags = it.ours().owner.tags("cache").into_iter();
        let tag = |(key, value)| aws_sdk_efs::types::Tag::builder().key(key).value(value).build().unwrap();
        let request = it.aws.efs.create_file_system().creation_token(it.names.file_system()).encrypted(true);
        request.set_tags(Some(tags.map(tag).collect())).send().await.unwrap();
        it.minutes(1).await;
    })
})];

#[tokio::test(start_paused = true)]
async fn a_disk_that_was_made_without_the_key_is_not_touched() {
    blocked(Account::to_be_hardened, MADE_BEFORE).await;
}

pub(crate) const ACCESS_LOGS: &[Case] = &[
    Case::new(&["~ load-balancer attributes.access_logs.s3.prefix"], |it| {
        Box::pin(write(it, "access_logs.s3.prefix", "elsewhere"))
    }),
    Case::new(&["~ load-balancer attributes.access_logs.s3.bucket"], |it| {
        Box::pin(async move {
            it.runs.cloud.world(|world| world.log_buckets.insert("another-bucket".to_owned()));
            write(it, "access_logs.s3.bucket", "another-bucket").await;
        })
    }),
    // AWS shows no bucket while nothing is written.
    Case::new(
        &[
            "~ load-balancer attributes.access_logs.s3.enabled attributes.access_logs.s3.bucket attributes.access_logs.s3.prefix",
        ],
        |it| Box::pin(write(it, "access_logs.s3.enabled", "false")),
    ),
];

async fn write(account: &Account, key: &str, value: &str) {
    let attribute = LoadBalancerAttribute::builder().key(key).value(value).build();
    let request = account.aws.elb.modify_load_balancer_attributes().load_balancer_arn(account.load_balancer());
    let request = request.attributes(attribute);
    // AWS tries the bucket whenever something is said of it.
    let enabled = LoadBalancerAttribute::builder().key("access_logs.s3.bucket").value(BUCKET).build();
    let request = if key.ends_with("prefix") { request.attributes(enabled) } else { request };
    request.send().await.unwrap();
}

const ANOTHER_WEB_ACL: &str = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-somebody-else/1a2b3c4d";

async fn another_firewall(account: &Account) {
    account.runs.cloud.world(|world| world.firewalls.web_acls.insert(ANOTHER_WEB_ACL.to_owned()));
    let request = account.aws.waf.associate_web_acl().resource_arn(account.load_balancer());
    request.web_acl_arn(ANOTHER_WEB_ACL).send().await.unwrap();
}

pub(crate) const FIREWALL: &[Case] = &[
    Case::new(&["~ firewall web_acl"], |it| {
        Box::pin(async move {
            it.aws.waf.disassociate_web_acl().resource_arn(it.load_balancer()).send().await.unwrap();
        })
    }),
    Case::new(&["~ firewall web_acl"], |it| Box::pin(another_firewall(it))),
    // The next load balancer begins without.
    Case::new(
        &["+ load-balancer", "+ https", "+ http", "+ firewall", "+ api-paths", "? service", "? dashboard", "? alarms"],
        |it| {
            Box::pin(async move {
                it.aws.elb.delete_load_balancer().load_balancer_arn(it.load_balancer()).send().await.unwrap();
                it.minutes(10).await;
            })
        },
    ),
];

/// Where there is to be none, another one is taken off again.
pub(crate) const NO_FIREWALL: &[Case] = &[Case::new(&["~ firewall web_acl"], |it| Box::pin(another_firewall(it)))];

const ANOTHER_KEY: &str = "arn:aws:kms:ap-northeast-1:123456789012:key/5678abcd-12ab-34cd-56ef-1234567890ab";

pub(crate) const KEY: &[Case] = &[
    Case::new(&["~ api-keys kms_key", "~ service-log kms_key"], |it| {
        Box::pin(async move {
            it.runs.cloud.world(|world| world.keys.add(ANOTHER_KEY, &["logs"]));
            let request = it.aws.secrets.update_secret().secret_id(it.names.secret());
            request.kms_key_id(ANOTHER_KEY).send().await.unwrap();
            let request = it.aws.logs.associate_kms_key().log_group_name(it.names.log_group());
            request.kms_key_id(ANOTHER_KEY).send().await.unwrap();
        })
    }),
    Case::new(&["~ service-log kms_key"], |it| {
        Box::pin(async move {
            it.aws.logs.disassociate_kms_key().log_group_name(it.names.log_group()).send().await.unwrap();
        })
    }),
    Case::new(&["~ api-keys kms_key"], |it| {
        Box::pin(async move {
            let request = it.aws.secrets.update_secret().secret_id(it.names.secret());
            request.kms_key_id("").send().await.unwrap();
        })
    }),
    Case::new(&["~ alarm-topic kms_key"], |it| {
        Box::pin(async move {
            let request = it.aws.sns.set_topic_attributes().topic_arn(it.topic()).attribute_name("KmsMasterKeyId");
            request.attribute_value("alias/aws/sns").send().await.unwrap();
        })
    }),
    Case::new(&["~ execution-role policies.decrypt"], |it| Box::pin(without_policy(it, "execution", "decrypt"))),
];

const EXEC_LOG: &str = "/weather-comment-generator/staging/exec";

async fn tell(account: &Account, sessions: ExecuteCommandConfiguration) {
    let configuration = ClusterConfiguration::builder().execute_command_configuration(sessions).build();
    let request = account.aws.ecs.update_cluster().cluster(account.names.cluster());
    request.configuration(configuration).send().await.unwrap();
}

async fn tell_where(account: &Account, group: &str, encrypted: bool, key: Option<&str>) {
    let log = ExecuteCommandLogConfiguration::builder().cloud_watch_log_group_name(group);
    let log = log.cloud_watch_encryption_enabled(encrypted).build();
    let sessions = ExecuteCommandConfiguration::builder().logging(ExecuteCommandLogging::Override);
    tell(account, sessions.set_kms_key_id(key.map(ToOwned::to_owned)).log_configuration(log).build()).await;
}

pub(crate) const SESSIONS: &[Case] = &[
    Case::new(&["~ cluster sessions.log_group sessions.encrypted_log sessions.kms_key"], |it| {
        Box::pin(tell(it, ExecuteCommandConfiguration::builder().logging(ExecuteCommandLogging::None).build()))
    }),
    Case::new(&["~ cluster sessions"], |it| {
        Box::pin(tell(it, ExecuteCommandConfiguration::builder().logging(ExecuteCommandLogging::Default).build()))
    }),
    Case::new(&["~ cluster sessions.log_group"], |it| Box::pin(tell_where(it, SERVICE_LOG, true, Some(OWN_KEY)))),
    Case::new(&["~ cluster sessions.encrypted_log sessions.kms_key"], |it| {
        Box::pin(tell_where(it, EXEC_LOG, false, None))
    }),
    // What people do in tasks is copied to somebody.
    Case::new(&["~ cluster sessions.bucket"], |it| {
        Box::pin(async move {
            let log = ExecuteCommandLogConfiguration::builder().cloud_watch_log_group_name(EXEC_LOG);
            let log = log.cloud_watch_encryption_enabled(true).s3_bucket_name("of-somebody").build();
            let sessions = ExecuteCommandConfiguration::builder().logging(ExecuteCommandLogging::Override);
            tell(it, sessions.kms_key_id(OWN_KEY).log_configuration(log).build()).await;
        })
    }),
    Case::new(&["~ exec-log retention_days kms_key"], |it| {
        Box::pin(async move {
            it.aws.logs.disassociate_kms_key().log_group_name(EXEC_LOG).send().await.unwrap();
            it.aws.logs.put_retention_policy().log_group_name(EXEC_LOG).retention_in_days(1).send().await.unwrap();
        })
    }),
    Case::new(&["~ task-role policies.exec"], |it| Box::pin(without_policy(it, "task", "exec"))),
    Case::new(&["+ exec-log", "? task-role", "? cluster"], |it| {
        Box::pin(async move {
            it.aws.logs.delete_log_group().log_group_name(EXEC_LOG).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_endpoints_is_changed_back() {
    repaired(&Account::hardened().await, ENDPOINTS).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_flow_log_is_changed_back() {
    repaired(&Account::hardened().await, FLOW_LOG).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_access_logs_and_firewall_is_changed_back() {
    let account = Account::hardened().await;
    repaired(&account, ACCESS_LOGS).await;
    repaired(&account, FIREWALL).await;
    let without = Account::with(|runs| runs.deployment.edge.web_acl = Some(WebAcl::None)).await;
    repaired(&without, NO_FIREWALL).await;
}

#[tokio::test(start_paused = true)]
async fn another_key_is_changed_back() {
    let account = Account::hardened().await;
    repaired(&account, KEY).await;
    leaves_nothing(&account.runs, &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_log_of_sessions_is_changed_back() {
    repaired(&Account::hardened().await, SESSIONS).await;
}
