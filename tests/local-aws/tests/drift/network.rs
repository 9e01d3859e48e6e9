//! The network: what is in it, what leads out of it, and what may talk to what.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, IpPermission, IpRange, Ipv6Range, ResourceType, SecurityGroupRuleRequest,
    SecurityGroupRuleUpdate, Tag, UserIdGroupPair,
};

use crate::account::{Account, TAGS, like_ours, named};
use crate::case::{Case, blocked, repaired};

fn flag(value: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(value).build()
}

/// TCP on a port with a block of addresses.
fn tcp(port: i32, cidr: &str) -> IpPermission {
    let range = IpRange::builder().cidr_ip(cidr).build();
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range).build()
}

async fn let_in(account: &Account, group: &str, permission: IpPermission) {
    let request = account.aws.ec2.authorize_security_group_ingress().group_id(account.group(group).await);
    request.ip_permissions(permission).send().await.unwrap();
}

async fn let_out(account: &Account, group: &str, permission: IpPermission) {
    let request = account.aws.ec2.authorize_security_group_egress().group_id(account.group(group).await);
    request.ip_permissions(permission).send().await.unwrap();
}

/// The first rule of a group, inward or outward.
async fn rule(account: &Account, group: &str, egress: bool) -> String {
    let of_group = Filter::builder().name("group-id").values(account.group(group).await).build();
    let rules = account.aws.ec2.describe_security_group_rules().filters(of_group).send().await.unwrap();
    let rule = rules.security_group_rules().iter().find(|it| it.is_egress() == Some(egress));
    rule.unwrap().security_group_rule_id().unwrap().to_owned()
}

/// Turns a rule of a group into another one.
async fn turn(account: &Account, group: &str, egress: bool, into: SecurityGroupRuleRequest) {
    let rule = rule(account, group, egress).await;
    let update = SecurityGroupRuleUpdate::builder().security_group_rule_id(rule).security_group_rule(into).build();
    let request = account.aws.ec2.modify_security_group_rules().group_id(account.group(group).await);
    request.security_group_rules(update).send().await.unwrap();
}

/// Takes our tags from something.
async fn untag(account: &Account, id: &str) {
    let tags = TAGS.map(|key| Tag::builder().key(key).build());
    account.aws.ec2.delete_tags().resources(id).set_tags(Some(tags.into())).send().await.unwrap();
}

/// A network of somebody's own.
async fn another_vpc(account: &Account) -> String {
    let made = account.aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    account.minutes(1).await;
    made.vpc().unwrap().vpc_id().unwrap().to_owned()
}

async fn associations(account: &Account, table: &str) -> Vec<String> {
    let table = account.route_table(table).await;
    let associations = table.associations().iter().filter(|it| it.main() != Some(true));
    associations.filter_map(|it| it.route_table_association_id.clone()).collect()
}

async fn delete_default_route(account: &Account, table: &str) {
    let id = account.route_table(table).await.route_table_id.unwrap();
    let request = account.aws.ec2.delete_route().route_table_id(id).destination_cidr_block("0.0.0.0/0");
    request.send().await.unwrap();
}

pub(crate) const CHANGED: &[Case] = &[
    Case::new(&["~ network dns_hostnames"], |it| {
        Box::pin(async move {
            let request = it.aws.ec2.modify_vpc_attribute().vpc_id(it.vpc().await);
            request.enable_dns_hostnames(flag(false)).send().await.unwrap();
        })
    }),
    Case::new(&["~ network dns_support"], |it| {
        Box::pin(async move {
            let request = it.aws.ec2.modify_vpc_attribute().vpc_id(it.vpc().await);
            request.enable_dns_support(flag(false)).send().await.unwrap();
        })
    }),
    // Everything in it is still ours, so it can only be ours, too.
    Case::new(&["~ network tagged"], |it| Box::pin(async move { untag(it, &it.vpc().await).await })),
    Case::new(&["~ public-1 map_public_ip"], |it| {
        Box::pin(async move {
            let request = it.aws.ec2.modify_subnet_attribute().subnet_id(it.subnet("public-1").await);
            request.map_public_ip_on_launch(flag(true)).send().await.unwrap();
        })
    }),
    Case::new(&["~ routes default_gateway"], |it| Box::pin(async move { delete_default_route(it, "routes").await })),
    Case::new(&["~ routes subnets"], |it| {
        Box::pin(async move {
            let association = associations(it, "routes").await.remove(0);
            it.aws.ec2.disassociate_route_table().association_id(association).send().await.unwrap();
        })
    }),
    // A subnet with somebody else's routes.
    Case::new(&["~ routes subnets"], |it| {
        Box::pin(async move {
            let table = it.aws.ec2.create_route_table().vpc_id(it.vpc().await).send().await.unwrap();
            let id = table.route_table().unwrap().route_table_id().unwrap().to_owned();
            it.minutes(1).await;
            let association = associations(it, "routes").await.remove(0);
            let request = it.aws.ec2.replace_route_table_association().association_id(association);
            request.route_table_id(id).send().await.unwrap();
        })
    }),
    Case::new(&["~ alb-rules ingress"], |it| {
        Box::pin(async move { let_in(it, "alb-group", tcp(22, "0.0.0.0/0")).await })
    }),
    // By IPv6, which this tool never asks for.
    Case::new(&["~ alb-rules ingress"], |it| {
        Box::pin(async move {
            let range = Ipv6Range::builder().cidr_ipv6("::/0").build();
            let open = IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443).ipv6_ranges(range);
            let_in(it, "alb-group", open.build()).await;
        })
    }),
    Case::new(&["~ cache-rules ingress"], |it| {
        Box::pin(async move {
            let (group, rule) = (it.group("cache-group").await, rule(it, "cache-group", false).await);
            let request = it.aws.ec2.revoke_security_group_ingress().group_id(group);
            request.security_group_rule_ids(rule).send().await.unwrap();
        })
    }),
    // The same ports and peer with another description.
    Case::new(&["~ cache-rules ingress"], |it| {
        Box::pin(async move {
            let rule = SecurityGroupRuleRequest::builder().ip_protocol("tcp").from_port(2049).to_port(2049);
            let rule = rule.referenced_group_id(it.group("service-group").await).description("nobody knows");
            turn(it, "cache-group", false, rule.build()).await;
        })
    }),
    Case::new(&["~ cache-rules ingress"], |it| {
        Box::pin(async move {
            let rule = SecurityGroupRuleRequest::builder().ip_protocol("-1").cidr_ipv4("0.0.0.0/0");
            turn(it, "cache-group", false, rule.build()).await;
        })
    }),
    Case::new(&["~ cache-rules egress"], |it| {
        Box::pin(async move {
            let pair = UserIdGroupPair::builder().group_id(it.group("alb-group").await).build();
            let out = IpPermission::builder().ip_protocol("udp").from_port(53).to_port(53).user_id_group_pairs(pair);
            let_out(it, "cache-group", out.build()).await;
        })
    }),
    Case::new(&["~ service-rules egress"], |it| {
        Box::pin(async move {
            let (group, rule) = (it.group("service-group").await, rule(it, "service-group", true).await);
            let request = it.aws.ec2.revoke_security_group_egress().group_id(group);
            request.security_group_rule_ids(rule).send().await.unwrap();
        })
    }),
    Case::new(&["~ default-group ingress"], |it| {
        Box::pin(async move { let_in(it, "default-group", tcp(22, "10.9.0.0/16")).await })
    }),
    Case::new(&["~ default-group egress"], |it| {
        Box::pin(async move { let_out(it, "default-group", tcp(443, "0.0.0.0/0")).await })
    }),
    // Its tags only say that it was emptied, so it is emptied again.
    Case::new(&["+ default-group"], |it| {
        Box::pin(async move {
            let_in(it, "default-group", tcp(22, "10.9.0.0/16")).await;
            untag(it, &it.group("default-group").await).await;
        })
    }),
    Case::new(&["+ routes", "? load-balancer", "? service"], |it| {
        Box::pin(async move {
            for association in associations(it, "routes").await {
                it.aws.ec2.disassociate_route_table().association_id(association).send().await.unwrap();
            }
            delete_default_route(it, "routes").await;
            let id = it.route_table("routes").await.route_table_id.unwrap();
            it.aws.ec2.delete_route_table().route_table_id(id).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_in_the_network_is_changed_back() {
    repaired(&Account::deployed().await, CHANGED).await;
}

pub(crate) const BEHIND_NAT: &[Case] = &[
    Case::new(&["~ private-1 map_public_ip"], |it| {
        Box::pin(async move {
            let request = it.aws.ec2.modify_subnet_attribute().subnet_id(it.subnet("private-1").await);
            request.map_public_ip_on_launch(flag(true)).send().await.unwrap();
        })
    }),
    Case::new(&["~ private-routes-1 default_gateway"], |it| {
        Box::pin(async move { delete_default_route(it, "private-routes-1").await })
    }),
    Case::new(&["~ private-routes-1 default_gateway"], |it| {
        Box::pin(async move {
            let (id, gateway) = (it.route_table("private-routes-1").await.route_table_id.unwrap(), it.gateway().await);
            let request = it.aws.ec2.replace_route().route_table_id(id).destination_cidr_block("0.0.0.0/0");
            request.gateway_id(gateway).send().await.unwrap();
        })
    }),
    Case::new(&["~ private-routes-1 subnets"], |it| {
        Box::pin(async move {
            let association = associations(it, "private-routes-1").await.remove(0);
            it.aws.ec2.disassociate_route_table().association_id(association).send().await.unwrap();
        })
    }),
    // While it goes it is still listed, and holds its address.
    Case::new(&["+ nat-1", "? private-routes-1"], |it| {
        Box::pin(async move {
            it.aws.ec2.delete_nat_gateway().nat_gateway_id(it.nat().await).send().await.unwrap();
        })
    }),
    Case::new(&["+ nat-1", "? private-routes-1"], |it| {
        Box::pin(async move {
            it.aws.ec2.delete_nat_gateway().nat_gateway_id(it.nat().await).send().await.unwrap();
            it.minutes(10).await;
        })
    }),
    Case::new(&["+ nat-address-1", "+ nat-1", "? private-routes-1"], |it| {
        Box::pin(async move {
            it.aws.ec2.delete_nat_gateway().nat_gateway_id(it.nat().await).send().await.unwrap();
            it.minutes(10).await;
            it.aws.ec2.release_address().allocation_id(it.address().await).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_in_private_subnets_is_changed_back() {
    repaired(&Account::with_nat().await, BEHIND_NAT).await;
}

/// Makes a network that looks like ours.
async fn our_vpc(account: &Account, cidr: &str) -> String {
    let tags = like_ours(account, "network", ResourceType::Vpc);
    let made = account.aws.ec2.create_vpc().cidr_block(cidr).tag_specifications(tags).send().await.unwrap();
    account.minutes(1).await;
    made.vpc().unwrap().vpc_id().unwrap().to_owned()
}

async fn make_subnet(account: &Account, vpc: &str, cidr: &str) {
    let tags = like_ours(account, "public-1", ResourceType::Subnet);
    let request = account.aws.ec2.create_subnet().vpc_id(vpc).cidr_block(cidr).tag_specifications(tags);
    request.availability_zone("ap-northeast-1a").send().await.unwrap();
    account.minutes(1).await;
}

async fn make_group(account: &Account, vpc: &str, name: &str, description: &str) {
    let tags = like_ours(account, "alb-group", ResourceType::SecurityGroup);
    let request = account.aws.ec2.create_security_group().vpc_id(vpc).group_name(name).description(description);
    request.tag_specifications(tags).send().await.unwrap();
    account.minutes(1).await;
}

const ABOUT: &str = "Load balancer: HTTPS from the internet";

pub(crate) const MADE_OTHERWISE: &[Case] = &[
    Case::new(&["! network cidr dns_hostnames"], |it| Box::pin(async move { drop(our_vpc(it, "10.9.0.0/16").await) })),
    Case::new(&["! public-1 cidr"], |it| {
        Box::pin(async move {
            let vpc = our_vpc(it, "10.0.0.0/16").await;
            make_subnet(it, &vpc, "10.0.240.0/20").await;
        })
    }),
    Case::new(&["! public-1 vpc_id"], |it| {
        Box::pin(async move {
            our_vpc(it, "10.0.0.0/16").await;
            make_subnet(it, &another_vpc(it).await, "10.0.0.0/20").await;
        })
    }),
    Case::new(&["! alb-group group_name"], |it| {
        Box::pin(async move {
            let vpc = our_vpc(it, "10.0.0.0/16").await;
            make_group(it, &vpc, "odd", ABOUT).await;
        })
    }),
    Case::new(&["! alb-group description"], |it| {
        Box::pin(async move {
            let vpc = our_vpc(it, "10.0.0.0/16").await;
            make_group(it, &vpc, &it.names.security_group("alb"), "odd").await;
        })
    }),
    Case::new(&["! alb-group vpc_id"], |it| {
        Box::pin(async move {
            our_vpc(it, "10.0.0.0/16").await;
            make_group(it, &another_vpc(it).await, &it.names.security_group("alb"), ABOUT).await;
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_was_made_otherwise_in_a_network_is_not_touched() {
    blocked(Account::empty, MADE_OTHERWISE).await;
}

pub(crate) const MADE_ANEW: &[Case] = &[Case::new(&["! routes vpc_id default_gateway subnets"], |it| {
    Box::pin(async move {
        for association in associations(it, "routes").await {
            it.aws.ec2.disassociate_route_table().association_id(association).send().await.unwrap();
        }
        let id = it.route_table("routes").await.route_table_id.unwrap();
        it.aws.ec2.delete_route_table().route_table_id(id).send().await.unwrap();
        let tags = like_ours(it, "routes", ResourceType::RouteTable);
        let request = it.aws.ec2.create_route_table().vpc_id(another_vpc(it).await).tag_specifications(tags);
        request.send().await.unwrap();
        it.minutes(1).await;
    })
})];

#[tokio::test(start_paused = true)]
async fn routes_of_another_network_are_not_touched() {
    blocked(Account::deployed, MADE_ANEW).await;
}

pub(crate) const MADE_ANEW_BEHIND_NAT: &[Case] = &[Case::new(&["! nat-1 subnet_id allocation_id"], |it| {
    Box::pin(async move {
        it.aws.ec2.delete_nat_gateway().nat_gateway_id(it.nat().await).send().await.unwrap();
        it.minutes(10).await;
        let address = it.aws.ec2.allocate_address().domain("vpc".into()).send().await.unwrap();
        let request = it.aws.ec2.create_nat_gateway().subnet_id(it.subnet("public-2").await);
        let tags = like_ours(it, "nat-1", ResourceType::Natgateway);
        let request = request.set_allocation_id(address.allocation_id).tag_specifications(tags);
        request.send().await.unwrap();
        it.minutes(10).await;
    })
})];

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_elsewhere_is_not_touched() {
    blocked(Account::with_nat, MADE_ANEW_BEHIND_NAT).await;
}

/// AWS lets a gateway go only when nothing in its network has a public address.
async fn leave_the_internet(account: &Account) {
    let balancer = account.load_balancer();
    account.aws.elb.delete_load_balancer().load_balancer_arn(balancer).send().await.unwrap();
    let request = account.aws.ecs.delete_service().cluster(account.names.cluster());
    request.service(account.names.service()).force(true).send().await.unwrap();
    account.minutes(20).await;
    let request = account.aws.ec2.detach_internet_gateway().internet_gateway_id(account.gateway().await);
    request.vpc_id(account.vpc().await).send().await.unwrap();
}

pub(crate) const GATEWAY: &[Case] = &[
    Case::new(
        &[
            "~ internet vpc_id",
            "+ load-balancer",
            "+ https",
            "+ http",
            "+ api-paths",
            "+ service",
            "? scaling",
            "? dashboard",
            "? alarms",
        ],
        |it| Box::pin(async move { leave_the_internet(it).await }),
    ),
    Case::new(
        &[
            "+ internet",
            "? routes",
            "+ load-balancer",
            "+ https",
            "+ http",
            "+ api-paths",
            "+ service",
            "? scaling",
            "? dashboard",
            "? alarms",
        ],
        |it| {
            Box::pin(async move {
                leave_the_internet(it).await;
                let request = it.aws.ec2.delete_internet_gateway().internet_gateway_id(it.gateway().await);
                request.send().await.unwrap();
            })
        },
    ),
];

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_detached_or_gone_comes_back() {
    repaired(&Account::deployed().await, GATEWAY).await;
}

/// What AWS lets nobody delete while it is in use.
#[tokio::test(start_paused = true)]
async fn what_is_in_use_cannot_be_taken_away() {
    let account = Account::deployed().await;
    let ec2 = &account.aws.ec2;
    let subnet = ec2.delete_subnet().subnet_id(account.subnet("public-1").await).send().await;
    let group = ec2.delete_security_group().group_id(account.group("cache-group").await).send().await;
    let (gateway, vpc) = (account.gateway().await, account.vpc().await);
    let detached = ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(&vpc).send().await;
    let network = ec2.delete_vpc().vpc_id(vpc).send().await;
    let refusals = [
        format!("{:?}", subnet.unwrap_err()),
        format!("{:?}", group.unwrap_err()),
        format!("{:?}", detached.unwrap_err()),
        format!("{:?}", network.unwrap_err()),
    ];
    for refusal in refusals {
        assert!(refusal.contains("DependencyViolation"), "{refusal}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_of_a_kind_are_told_with_what_to_do() {
    let account = Account::deployed().await;
    make_group(&account, &account.vpc().await, "a copy", ABOUT).await;
    let error = format!("{:#}", local_aws::checks::changes(&account.runs).await.unwrap_err());
    assert!(error.contains("found 2 of security group alb-group"), "{error}");
    assert!(error.contains("delete the one that is not in use"), "{error}");
    assert_eq!(
        account
            .aws
            .ec2
            .describe_security_groups()
            .filters(named("alb-group"))
            .send()
            .await
            .unwrap()
            .security_groups()
            .len(),
        2
    );
}
