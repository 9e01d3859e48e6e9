//! An account, and quick ways to what a mistake needs around it.

use std::time::Duration;

use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder;
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, Compatibility, ContainerDefinition, NetworkConfiguration, NetworkMode, PortMapping,
};
use aws_sdk_elasticloadbalancingv2::operation::create_listener::builders::CreateListenerFluentBuilder;
use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, Certificate, ProtocolEnum, TargetTypeEnum};
use local_aws::runs::certificate;
use local_aws::{Cloud, rules};
use provision::aws::{Aws, Owner};
use provision::guard::Access;

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
/// A key of the account's own.
pub(crate) const KEY: &str = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// The image of every task here, which is in the account.
pub(crate) const IMAGE: &str = "registry/app@sha256:1";

pub(crate) struct Account {
    pub(crate) cloud: Cloud,
    pub(crate) aws: Aws,
}

pub(crate) async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

impl Account {
    pub(crate) fn on(cloud: Cloud) -> Self {
        let owner = Owner { app: "rules".to_owned(), environment: "test".to_owned() };
        let aws = cloud.aws(owner, Access::ReadWrite);
        cloud.world(|world| world.images.insert("sha256:1".to_owned()));
        Self { cloud, aws }
    }

    /// An account that takes also what AWS's service models do not know.
    pub(crate) fn lenient() -> Self {
        Self::on(Cloud::new(rules::all().into_iter().filter(|it| it.name != rules::MODEL).collect()))
    }

    pub(crate) async fn linked_roles(&self) {
        for service in ["ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"] {
            self.aws.iam.create_service_linked_role().aws_service_name(service).send().await.unwrap();
        }
        seconds(10).await;
    }

    pub(crate) async fn vpc(&self) -> String {
        let made = self.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap();
        seconds(2).await;
        made.vpc.unwrap().vpc_id.unwrap()
    }

    pub(crate) async fn subnet(&self, vpc: &str, third: u8, zone: &str) -> String {
        let request = self.aws.ec2.create_subnet().vpc_id(vpc).cidr_block(format!("10.1.{third}.0/24"));
        let made = request.availability_zone(format!("{}{zone}", local_aws::REGION)).send().await.unwrap();
        seconds(2).await;
        made.subnet.unwrap().subnet_id.unwrap()
    }

    pub(crate) async fn gateway(&self, vpc: &str) -> String {
        let made = self.aws.ec2.create_internet_gateway().send().await.unwrap();
        let id = made.internet_gateway.unwrap().internet_gateway_id.unwrap();
        seconds(2).await;
        self.aws.ec2.attach_internet_gateway().internet_gateway_id(&id).vpc_id(vpc).send().await.unwrap();
        id
    }

    /// A network with two subnets in different zones and a third in the zone of the first.
    pub(crate) async fn network(&self) -> (String, [String; 3]) {
        let vpc = self.vpc().await;
        let subnets =
            [self.subnet(&vpc, 0, "a").await, self.subnet(&vpc, 1, "c").await, self.subnet(&vpc, 2, "a").await];
        (vpc, subnets)
    }

    /// A load balancer in a good network: the network, its gateway, a subnet, and the load balancer.
    pub(crate) async fn load_balancer(&self) -> (String, String, String, String) {
        self.linked_roles().await;
        let (vpc, [a, c, _]) = self.network().await;
        let gateway = self.gateway(&vpc).await;
        let made = self.aws.elb.create_load_balancer().name("edge").subnets(&a).subnets(c).send().await.unwrap();
        (vpc, gateway, a, made.load_balancers()[0].load_balancer_arn().unwrap().to_owned())
    }

    pub(crate) async fn target_group(&self, vpc: &str, kind: TargetTypeEnum) -> String {
        let request = self.aws.elb.create_target_group().name("page").vpc_id(vpc).port(8501).target_type(kind);
        let made = request.protocol(ProtocolEnum::Http).send().await.unwrap();
        made.target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    /// An HTTPS listener without a certificate.
    pub(crate) fn https(&self, edge: &str, group: &str) -> CreateListenerFluentBuilder {
        let action = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(group).build();
        let request = self.aws.elb.create_listener().load_balancer_arn(edge).port(443).protocol(ProtocolEnum::Https);
        request.default_actions(action)
    }

    pub(crate) async fn certificate(&self) -> (String, Certificate) {
        let arn = certificate(&self.cloud).await.unwrap();
        let certificate = Certificate::builder().certificate_arn(&arn).build();
        (arn, certificate)
    }

    /// A load balancer with an HTTPS listener that is ready to be created.
    pub(crate) async fn listener(&self) -> CreateListenerFluentBuilder {
        let (vpc, _, _, edge) = self.load_balancer().await;
        let group = self.target_group(&vpc, TargetTypeEnum::Ip).await;
        self.https(&edge, &group)
    }

    pub(crate) async fn role(&self, name: &str, trust: &str) -> String {
        let made = self.aws.iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
        made.role.unwrap().arn
    }

    /// A good task definition that is ready to be registered.
    pub(crate) async fn task(&self) -> RegisterTaskDefinitionFluentBuilder {
        let role = self.role("execution", TRUST).await;
        self.task_of(&role, container().build())
    }

    pub(crate) fn task_of(&self, role: &str, container: ContainerDefinition) -> RegisterTaskDefinitionFluentBuilder {
        let request = self.aws.ecs.register_task_definition().family("f").cpu("1024").memory("2048");
        let request = request.network_mode(NetworkMode::Awsvpc).requires_compatibilities(Compatibility::Fargate);
        request.execution_role_arn(role).container_definitions(container)
    }

    pub(crate) async fn registered(&self) -> String {
        let registered = self.task().await.send().await.unwrap();
        registered.task_definition.unwrap().task_definition_arn.unwrap()
    }

    pub(crate) async fn cluster(&self) {
        self.linked_roles().await;
        self.aws.ecs.create_cluster().cluster_name("c").send().await.unwrap();
    }

    /// A service without a load balancer that is ready to be created.
    pub(crate) fn service(&self, task: &str) -> CreateServiceFluentBuilder {
        let vpc = AwsVpcConfiguration::builder().subnets("subnet-1").build().unwrap();
        let network = NetworkConfiguration::builder().awsvpc_configuration(vpc).build();
        let request = self.aws.ecs.create_service().cluster("c").service_name("s").task_definition(task);
        request.desired_count(1).network_configuration(network)
    }

    /// What the newest deployment of the service is at.
    pub(crate) async fn rollout(&self) -> String {
        let described = self.aws.ecs.describe_services().cluster("c").services("s").send().await.unwrap();
        described.services()[0].deployments()[0].rollout_state().unwrap().as_str().to_owned()
    }

    pub(crate) async fn status(&self) -> String {
        let described = self.aws.ecs.describe_services().cluster("c").services("s").send().await.unwrap();
        described.services()[0].status().unwrap().to_owned()
    }

    pub(crate) async fn delete_service(&self) {
        self.aws.ecs.delete_service().cluster("c").service("s").force(true).send().await.unwrap();
    }
}

/// A good container.
pub(crate) fn container() -> aws_sdk_ecs::types::builders::ContainerDefinitionBuilder {
    let port = PortMapping::builder().container_port(8501).build();
    ContainerDefinition::builder().name("app").image(IMAGE).port_mappings(port)
}
