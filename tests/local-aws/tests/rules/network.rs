//! Networks, security groups, and what EC2 shows of them when.

use aws_sdk_ec2::operation::create_flow_logs::builders::CreateFlowLogsFluentBuilder;
use aws_sdk_ec2::operation::create_vpc_endpoint::builders::CreateVpcEndpointFluentBuilder;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, FlowLogsResourceType, IpPermission, IpRange, TrafficType, UserIdGroupPair, VpcEndpointType,
};

use crate::account::{Account, TRUST, seconds};
use crate::harness::{Said, probes, said, seen};

async fn group(it: &Account, vpc: &str, name: &str) -> String {
    let made = it.aws.ec2.create_security_group().vpc_id(vpc).group_name(name).description("d").send().await.unwrap();
    seconds(2).await;
    made.group_id.unwrap()
}

/// A load balancer that is gone, whose addresses are not: the network, its gateway, and a subnet.
async fn after_a_load_balancer(it: &Account) -> (String, String, String) {
    let (vpc, gateway, subnet, edge) = it.load_balancer().await;
    it.aws.elb.delete_load_balancer().load_balancer_arn(edge).send().await.unwrap();
    (vpc, gateway, subnet)
}

async fn allow(it: &Account, group: &str) -> Said {
    let range = IpRange::builder().cidr_ip("10.0.0.0/8").build();
    let rule = IpPermission::builder().ip_protocol("tcp").from_port(1).to_port(1).ip_ranges(range).build();
    said(it.aws.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(rule).send().await)
}

/// A flow log of a network that is ready to be created.
fn flow_log(it: &Account, vpc: &str, role: &str) -> CreateFlowLogsFluentBuilder {
    let request = it.aws.ec2.create_flow_logs().resource_type(FlowLogsResourceType::Vpc).resource_ids(vpc);
    request.traffic_type(TrafficType::All).log_group_name("/flows").deliver_logs_permission_arn(role)
}

/// A role that may write flow logs.
async fn flow_log_role(it: &Account) -> String {
    it.role("writer", &TRUST.replace("ecs-tasks", "vpc-flow-logs")).await
}

/// An endpoint with addresses that is ready to be created.
fn endpoint(it: &Account, vpc: &str, subnets: &[&String]) -> CreateVpcEndpointFluentBuilder {
    let request = it.aws.ec2.create_vpc_endpoint().vpc_id(vpc).vpc_endpoint_type(VpcEndpointType::Interface);
    let subnets = subnets.iter().map(ToString::to_string).collect();
    request.service_name(LOGS).private_dns_enabled(true).set_subnet_ids(Some(subnets))
}

const LOGS: &str = "com.amazonaws.ap-northeast-1.logs";

probes! {
    endpoint_names_conflict: "InvalidParameter", "there is already a conflicting DNS domain", async |it: Account| {
        let (vpc, [a, c, _]) = it.network().await;
        endpoint(&it, &vpc, &[&a]).send().await.unwrap();
        said(endpoint(&it, &vpc, &[&c]).send().await)
    };
    one_endpoint_subnet_a_zone: "DuplicateSubnetsInSameZone", "another VPC endpoint subnet", async |it: Account| {
        let (vpc, [a, _, also_a]) = it.network().await;
        said(endpoint(&it, &vpc, &[&a, &also_a]).send().await)
    };
    one_gateway_endpoint_a_table: "RouteAlreadyExists", "already has a route", async |it: Account| {
        let vpc = it.vpc().await;
        let table = it.aws.ec2.create_route_table().vpc_id(&vpc).send().await.unwrap().route_table.unwrap();
        let service = LOGS.replace("logs", "s3");
        let request = it.aws.ec2.create_vpc_endpoint().vpc_id(vpc).vpc_endpoint_type(VpcEndpointType::Gateway);
        let request = request.service_name(service).set_route_table_ids(table.route_table_id.map(|id| vec![id]));
        request.clone().send().await.unwrap();
        said(request.send().await)
    };
    endpoints_take_time: "pending", "", async |it: Account| {
        let (vpc, [a, ..]) = it.network().await;
        endpoint(&it, &vpc, &[&a]).send().await.unwrap();
        seconds(10).await;
        let described = it.aws.ec2.describe_vpc_endpoints().send().await.unwrap();
        described.vpc_endpoints()[0].state().and_then(|state| seen(state.as_str()))
    };
    flow_log_twice: "FlowLogAlreadyExists", "the same configuration", async |it: Account| {
        let (vpc, role) = (it.vpc().await, flow_log_role(&it).await);
        seconds(10).await;
        flow_log(&it, &vpc, &role).send().await.unwrap();
        said(flow_log(&it, &vpc, &role).send().await)
    };
    role_of_a_flow_log: "InvalidParameter", "Unable to assume given IAM role", async |it: Account| {
        let vpc = it.vpc().await;
        let role = it.role("tasks", TRUST).await;
        seconds(10).await;
        said(flow_log(&it, &vpc, &role).send().await)
    };
    group_in_use: "DependencyViolation", "has a dependent object", async |it: Account| {
        let vpc = it.vpc().await;
        let (named, naming) = (group(&it, &vpc, "one").await, group(&it, &vpc, "two").await);
        let pair = UserIdGroupPair::builder().group_id(&named).build();
        let rule = IpPermission::builder().ip_protocol("tcp").from_port(1).to_port(1).user_id_group_pairs(pair);
        let request = it.aws.ec2.authorize_security_group_ingress().group_id(naming).ip_permissions(rule.build());
        request.send().await.unwrap();
        said(it.aws.ec2.delete_security_group().group_id(named).send().await)
    };
    group_names: "InvalidParameterValue", "may not start with sg-", async |it: Account| {
        let vpc = it.vpc().await;
        said(it.aws.ec2.create_security_group().vpc_id(vpc).group_name("sg-x").description("d").send().await)
    };
    group_description of group_names: "InvalidParameterValue", "for parameter GroupDescription is invalid",
        async |it: Account| {
            let vpc = it.vpc().await;
            said(it.aws.ec2.create_security_group().vpc_id(vpc).group_name("x").description("é").send().await)
        };
    group_twice of group_names: "InvalidGroup.Duplicate", "'One' already exists for VPC", async |it: Account| {
        let vpc = it.vpc().await;
        group(&it, &vpc, "one").await;
        said(it.aws.ec2.create_security_group().vpc_id(vpc).group_name("One").description("d").send().await)
    };
    group_on_an_interface of group_in_use: "DependencyViolation", "has a dependent object", async |it: Account| {
        it.linked_roles().await;
        let (vpc, [a, c, _]) = it.network().await;
        it.gateway(&vpc).await;
        let group = group(&it, &vpc, "one").await;
        let request = it.aws.elb.create_load_balancer().name("edge").subnets(a).subnets(c).security_groups(&group);
        let edge = request.send().await.unwrap().load_balancers()[0].load_balancer_arn().unwrap().to_owned();
        it.aws.elb.delete_load_balancer().load_balancer_arn(edge).send().await.unwrap();
        said(it.aws.ec2.delete_security_group().group_id(group).send().await)
    };
    duplicate_rule: "InvalidPermission.Duplicate", "already exists", async |it: Account| {
        let vpc = it.vpc().await;
        let group = group(&it, &vpc, "one").await;
        assert_eq!(allow(&it, &group).await, None);
        allow(&it, &group).await
    };
    associated_once: "Resource.AlreadyAssociated", "is already attached", async |it: Account| {
        let vpc = it.vpc().await;
        let gateway = it.gateway(&vpc).await;
        said(it.aws.ec2.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await)
    };
    attached_gateway: "DependencyViolation", "has dependencies and cannot be deleted", async |it: Account| {
        let vpc = it.vpc().await;
        let gateway = it.gateway(&vpc).await;
        said(it.aws.ec2.delete_internet_gateway().internet_gateway_id(gateway).send().await)
    };
    subnet_in_use: "DependencyViolation", "has dependencies and cannot be deleted", async |it: Account| {
        let (_, _, subnet) = after_a_load_balancer(&it).await;
        said(it.aws.ec2.delete_subnet().subnet_id(subnet).send().await)
    };
    mapped_addresses: "DependencyViolation", "has some mapped public address(es)", async |it: Account| {
        let (vpc, gateway, _) = after_a_load_balancer(&it).await;
        said(it.aws.ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await)
    };
    interfaces_linger: "lingers", "", async |it: Account| {
        after_a_load_balancer(&it).await;
        let described = it.aws.ec2.describe_network_interfaces().send().await.unwrap();
        (!described.network_interfaces().is_empty()).then(|| seen("lingers")).flatten()
    };
    network_in_use: "DependencyViolation", "has dependencies and cannot be deleted", async |it: Account| {
        let vpc = it.vpc().await;
        group(&it, &vpc, "one").await;
        said(it.aws.ec2.delete_vpc().vpc_id(vpc).send().await)
    };
    not_visible_yet: "InvalidVpcID.NotFound", "does not exist", async |it: Account| {
        let made = it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap();
        let on = AttributeBooleanValue::builder().value(true).build();
        let request = it.aws.ec2.modify_vpc_attribute().vpc_id(made.vpc.unwrap().vpc_id.unwrap());
        said(request.enable_dns_support(on).send().await)
    };
    subnet_not_visible_yet of not_visible_yet: "InvalidSubnetID.NotFound", "does not exist", async |it: Account| {
        let vpc = it.vpc().await;
        let made = it.aws.ec2.create_subnet().vpc_id(vpc).cidr_block("10.1.0.0/24").send().await.unwrap();
        let on = AttributeBooleanValue::builder().value(true).build();
        let request = it.aws.ec2.modify_subnet_attribute().subnet_id(made.subnet.unwrap().subnet_id.unwrap());
        said(request.map_public_ip_on_launch(on).send().await)
    };
    gateway_not_visible_yet of not_visible_yet: "InvalidInternetGatewayID.NotFound", "does not exist",
        async |it: Account| {
            let vpc = it.vpc().await;
            let made = it.aws.ec2.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
            let request = it.aws.ec2.attach_internet_gateway().set_internet_gateway_id(made.internet_gateway_id);
            said(request.vpc_id(vpc).send().await)
        };
    table_not_visible_yet of not_visible_yet: "InvalidRouteTableID.NotFound", "does not exist", async |it: Account| {
        let vpc = it.vpc().await;
        let gateway = it.gateway(&vpc).await;
        let made = it.aws.ec2.create_route_table().vpc_id(vpc).send().await.unwrap().route_table.unwrap();
        let request = it.aws.ec2.create_route().set_route_table_id(made.route_table_id).gateway_id(gateway);
        said(request.destination_cidr_block("0.0.0.0/0").send().await)
    };
    group_not_visible_yet of not_visible_yet: "InvalidGroup.NotFound", "does not exist", async |it: Account| {
        let vpc = it.vpc().await;
        let request = it.aws.ec2.create_security_group().vpc_id(vpc).group_name("one").description("d");
        let made = request.send().await.unwrap().group_id.unwrap();
        allow(&it, &made).await
    };
    read_your_write_gap: "hidden", "", async |it: Account| {
        let made = it.aws.ec2.create_vpc().cidr_block("10.1.0.0/16").send().await.unwrap();
        let id = made.vpc.unwrap().vpc_id;
        let listed = async || {
            let described = it.aws.ec2.describe_vpcs().send().await.unwrap();
            described.vpcs().iter().any(|vpc| vpc.vpc_id == id)
        };
        let at_once = listed().await;
        seconds(2).await;
        assert!(listed().await, "it never shows");
        (!at_once).then(|| seen("hidden")).flatten()
    };
    stale_attributes: "stale", "", async |it: Account| {
        let vpc = it.vpc().await;
        let subnet = it.subnet(&vpc, 1, "a").await;
        let gives_addresses = async || {
            let described = it.aws.ec2.describe_subnets().send().await.unwrap();
            let found = described.subnets().iter().find(|it| it.subnet_id() == Some(&subnet));
            found.unwrap().map_public_ip_on_launch().unwrap_or_default()
        };
        assert!(!gives_addresses().await);
        let on = AttributeBooleanValue::builder().value(true).build();
        let request = it.aws.ec2.modify_subnet_attribute().subnet_id(&subnet).map_public_ip_on_launch(on);
        request.send().await.unwrap();
        let at_once = gives_addresses().await;
        seconds(2).await;
        assert!(gives_addresses().await, "it never shows");
        (!at_once).then(|| seen("stale")).flatten()
    };
    nat_gateways_take_time: "Gateway.NotAttached", "", async |it: Account| {
        let vpc = it.vpc().await;
        let subnet = it.subnet(&vpc, 1, "a").await;
        let address = it.aws.ec2.allocate_address().domain("vpc".into()).send().await.unwrap();
        let request = it.aws.ec2.create_nat_gateway().subnet_id(subnet);
        request.set_allocation_id(address.allocation_id).send().await.unwrap();
        seconds(100).await;
        let described = it.aws.ec2.describe_nat_gateways().send().await.unwrap();
        described.nat_gateways()[0].failure_code().and_then(seen)
    };
}
