//! The network and its edge: two public subnets, three security groups, one load balancer.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use config::deployment::{Deployment, WebAcl};

use super::domain::AnyCertificate;
use super::endpoints;
use super::private::{self, Around, Private};
use super::{API_PORT, PAGE_PORT};
use crate::names::Names;
use crate::resources::availability_zones::AvailabilityZones;
use crate::resources::default_security_group::{DefaultSecurityGroup, DefaultSecurityGroupSpec};
use crate::resources::internet_gateway::{InternetGateway, InternetGatewaySpec};
use crate::resources::listener::{DefaultAction, Listener, ListenerSpec, Redirect};
use crate::resources::listener_rule::{ListenerRule, ListenerRuleSpec};
use crate::resources::load_balancer::{
    ACCESS_LOGS, ACCESS_LOGS_BUCKET, ACCESS_LOGS_PREFIX, DELETION_PROTECTION, LoadBalancer, LoadBalancerSpec,
};
use crate::resources::old_target_groups::OldTargetGroups;
use crate::resources::route_table::{RouteTable, RouteTableSpec};
use crate::resources::security_group::{SecurityGroup, SecurityGroupSpec};
use crate::resources::security_group_rules::{Peer, Rule, SecurityGroupRules, SecurityGroupRulesSpec};
use crate::resources::service_linked_role::ServiceLinkedRole;
use crate::resources::subnet::{Subnet, SubnetSpec};
use crate::resources::target_group::{Health, TargetGroup, TargetGroupSpec};
use crate::resources::vpc::{Vpc, VpcSpec};
use crate::resources::vpc_endpoint::VpcEndpoint;
use crate::resources::web_acl_association::{WebAclAssociation, WebAclAssociationSpec};
use crate::stack::{Handle, Stack};

/// The port of NFS, which EFS speaks.
const NFS_PORT: i32 = 2049;
/// Where browsers call.
pub(super) const HTTPS_PORT: i32 = 443;
const HTTP_PORT: i32 = 80;

/// Where things run and what may talk to what.
pub(super) struct Network {
    pub(super) vpc: Handle<Vpc>,
    gateway: Handle<InternetGateway>,
    /// Where the load balancer and the disk are, and the tasks, if they are nowhere else.
    pub(super) subnets: Vec<Handle<Subnet>>,
    /// Those of zones that are not used any more.
    pub(super) retired_subnets: Vec<Handle<Subnet>>,
    /// Where the tasks are, if they have no public addresses.
    pub(super) private: Option<Private>,
    pub(super) route: Handle<RouteTable>,
    load_balancer_group: Handle<SecurityGroup>,
    pub(super) service_group: Handle<SecurityGroup>,
    pub(super) file_system_group: Handle<SecurityGroup>,
    pub(super) rules: Vec<Handle<SecurityGroupRules>>,
    /// The ways to AWS that do not lead over the internet, if there are any.
    pub(super) endpoints: Vec<Handle<VpcEndpoint>>,
}

/// In how many zones a network may be, so that it is known what there may have been.
pub(super) const MOST_ZONES: usize = 3;

pub(super) fn subnet_name(index: usize) -> String {
    format!("public-{}", index + 1)
}

pub(super) fn add(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    zones: Handle<AvailabilityZones>,
) -> Network {
    let cidr = deployment.network.cidr.clone();
    let vpc = stack.add("network", Vpc { name: "network".to_owned() }, (), move |()| VpcSpec {
        cidr: cidr.clone(),
        // EFS is mounted by name, which needs both.
        dns_hostnames: true,
        dns_support: true,
        tagged: true,
    });
    let gateway = stack.add("internet", InternetGateway { name: "internet".to_owned() }, vpc, |vpc| {
        InternetGatewaySpec { vpc_id: vpc.id }
    });
    let subnets: Vec<_> = (0..deployment.network.zones)
        .map(|index| {
            let cidr = subnet_cidr(&deployment.network.cidr, index);
            let name = subnet_name(index);
            stack.add(name.clone(), Subnet { name }, (vpc, zones), move |(vpc, zones)| SubnetSpec {
                cidr: cidr.clone(),
                vpc_id: vpc.id,
                // Tasks ask for an address themselves; nothing else here should get one by accident.
                map_public_ip: false,
                tagged: true,
                zone: zones[index % zones.len()].clone(),
            })
        })
        .collect();
    let retired_subnets: Vec<_> = (deployment.network.zones..MOST_ZONES)
        .map(|index| stack.retire(subnet_name(index), Subnet { name: subnet_name(index) }, &vpc))
        .collect();
    let route_inputs = (vpc, gateway, subnets.clone());
    let route =
        stack.add("routes", RouteTable { name: "routes".to_owned() }, route_inputs, |(vpc, gateway, subnets)| {
            RouteTableSpec {
                vpc_id: vpc.id,
                default_gateway: gateway.id,
                subnets: super::sorted(subnets.into_iter().map(|subnet| subnet.id)),
                tagged: true,
            }
        });
    let public = [subnets.clone(), retired_subnets.clone()].concat();
    let (private, possible) = private::add(stack, deployment, &Around { vpc, gateway, public, route });
    let key = DefaultSecurityGroup { name: "default-group".to_owned() };
    stack.add("default-group", key, vpc, |vpc| DefaultSecurityGroupSpec {
        ingress: Vec::new(),
        egress: Vec::new(),
        vpc_id: vpc.id,
    });
    let mut group = |name: &str, description: &'static str| {
        let group_name = names.security_group(name);
        let key = SecurityGroup { name: format!("{name}-group"), group_name: group_name.clone() };
        stack.add(format!("{name}-group"), key, vpc, move |vpc| SecurityGroupSpec {
            group_name: group_name.clone(),
            description: description.to_owned(),
            vpc_id: vpc.id,
            tagged: true,
        })
    };
    let load_balancer_group = group("alb", "Load balancer: HTTPS from the internet");
    let service_group = group("service", "Service: page and API from the load balancer");
    let file_system_group = group("cache", "File system: NFS from the service");
    let rules = rules(stack, deployment, load_balancer_group, service_group, file_system_group);
    let around = endpoints::Around { vpc, private: private.as_ref(), possible: &possible, service_group };
    let endpoints = endpoints::add(stack, deployment, names, &around);
    Network {
        vpc,
        gateway,
        subnets,
        retired_subnets,
        private,
        route,
        load_balancer_group,
        service_group,
        file_system_group,
        rules,
        endpoints,
    }
}

/// The groups name each other in their rules, so the rules come after all groups.
fn rules(
    stack: &mut Stack,
    deployment: &Deployment,
    load_balancer: Handle<SecurityGroup>,
    service: Handle<SecurityGroup>,
    file_system: Handle<SecurityGroup>,
) -> Vec<Handle<SecurityGroupRules>> {
    let ports = [(PAGE_PORT, "page"), (API_PORT, "API")];
    let mut from_internet = vec![(HTTPS_PORT, "HTTPS from the internet")];
    from_internet.extend(deployment.edge.redirect_http.then_some((HTTP_PORT, "HTTP, to be sent to HTTPS")));
    let cidrs = deployment.edge.ingress_cidrs.clone();
    let key = |name: &str| SecurityGroupRules { name: format!("{name}-group") };
    let of_load_balancer =
        stack.add("alb-rules", key("alb"), (load_balancer, service), move |(load_balancer, service)| {
            let from_internet = from_internet
                .iter()
                .flat_map(|(port, what)| cidrs.iter().map(|cidr| tcp(*port, Peer::Cidr(cidr.clone()), what)));
            let to_service =
                ports.map(|(port, what)| tcp(port, Peer::Group(service.id.clone()), &format!("{what} of the service")));
            rules_of(load_balancer.id, from_internet.collect(), to_service.into())
        });
    let inputs = (service, load_balancer, file_system);
    let of_service =
        stack.add("service-rules", key("service"), inputs, move |(service, load_balancer, file_system)| {
            let from_load_balancer = ports.map(|(port, what)| {
                tcp(port, Peer::Group(load_balancer.id.clone()), &format!("{what} from the load balancer"))
            });
            let out = vec![
                tcp(HTTPS_PORT, Peer::Cidr("0.0.0.0/0".to_owned()), "AWS, weather and language models"),
                tcp(NFS_PORT, Peer::Group(file_system.id), "the shared disk"),
            ];
            rules_of(service.id, from_load_balancer.into(), out)
        });
    let of_file_system = stack.add("cache-rules", key("cache"), (file_system, service), |(file_system, service)| {
        rules_of(file_system.id, vec![tcp(NFS_PORT, Peer::Group(service.id), "NFS from the service")], Vec::new())
    });
    vec![of_load_balancer, of_service, of_file_system]
}

pub(super) fn rules_of(group_id: String, mut ingress: Vec<Rule>, mut egress: Vec<Rule>) -> SecurityGroupRulesSpec {
    ingress.sort();
    egress.sort();
    SecurityGroupRulesSpec { group_id, ingress, egress }
}

pub(super) fn tcp(port: i32, peer: Peer, description: &str) -> Rule {
    Rule { protocol: "tcp".to_owned(), from_port: port, to_port: port, peer, description: description.to_owned() }
}

/// What answers on the internet.
pub(super) struct Edge {
    pub(super) load_balancer: Handle<LoadBalancer>,
    pub(super) page: Handle<TargetGroup>,
    pub(super) api: Handle<TargetGroup>,
    pub(super) listener: Handle<Listener>,
    pub(super) rule: Handle<ListenerRule>,
}

pub(super) fn add_edge(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    network: &Network,
    certificate: AnyCertificate,
    linked_role: Handle<ServiceLinkedRole>,
) -> Edge {
    let key = LoadBalancer { name: names.load_balancer(), resource: "load-balancer".to_owned() };
    // An internet-facing load balancer is refused in a network without a gateway.
    let inputs = (network.subnets.clone(), network.load_balancer_group, network.gateway, network.route, linked_role);
    let attributes = load_balancer_attributes(deployment, names);
    let load_balancer = stack.add("load-balancer", key, inputs, move |(subnets, group, ..)| LoadBalancerSpec {
        state: "active".to_owned(),
        subnets: super::sorted(subnets.into_iter().map(|subnet| subnet.id)),
        security_groups: vec![group.id],
        scheme: "internet-facing".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        tagged: true,
        attributes: attributes.clone(),
    });
    let page = target_group(stack, deployment, names, network.vpc, "page", PAGE_PORT);
    let api = target_group(stack, deployment, names, network.vpc, "api", API_PORT);
    retire_target_groups(stack, names);

    let key = Listener { load_balancer_name: names.load_balancer(), port: HTTPS_PORT };
    let ssl_policy = deployment.edge.ssl_policy.clone();
    let listener =
        stack.add("https", key, (load_balancer, certificate, page), move |(to, certificate, page)| ListenerSpec {
            protocol: "HTTPS".to_owned(),
            ssl_policy: Some(ssl_policy.clone()),
            certificate_arn: Some(certificate),
            default_action: DefaultAction::Forward(page.arn),
            load_balancer_arn: to.arn,
        });
    redirect(stack, deployment, names, load_balancer);
    firewall(stack, deployment, names, load_balancer);
    let key = ListenerRule { load_balancer_name: names.load_balancer(), port: HTTPS_PORT, priority: 10 };
    let rule = stack.add("api-paths", key, (listener, api), |(listener, api)| ListenerRuleSpec {
        // `/api/*` alone does not match `/api`.
        paths: vec!["/api".to_owned(), "/api/*".to_owned()],
        target_group: api.arn,
        other_conditions: Vec::new(),
        listener_arn: listener.arn,
    });
    Edge { load_balancer, page, api, listener, rule }
}

/// Whoever comes without encryption is sent to the same address with it.
fn redirect(stack: &mut Stack, deployment: &Deployment, names: &Names, load_balancer: Handle<LoadBalancer>) {
    let key = Listener { load_balancer_name: names.load_balancer(), port: HTTP_PORT };
    if !deployment.edge.redirect_http {
        stack.retire("http", key, &load_balancer);
        return;
    }
    stack.add("http", key, load_balancer, |load_balancer| ListenerSpec {
        protocol: "HTTP".to_owned(),
        ssl_policy: None,
        certificate_arn: None,
        default_action: DefaultAction::Redirect(Redirect::to_https()),
        load_balancer_arn: load_balancer.arn,
    });
}

/// Associations have no tags that would tell ours from others, so without a word of the configuration there is nothing
/// to compare and nothing to remove.
fn firewall(stack: &mut Stack, deployment: &Deployment, names: &Names, load_balancer: Handle<LoadBalancer>) {
    let key = WebAclAssociation { load_balancer_name: names.load_balancer() };
    let web_acl = match deployment.edge.web_acl.clone() {
        None => return,
        Some(WebAcl::None) => None,
        Some(WebAcl::Arn(web_acl)) => Some(web_acl),
    };
    stack.add("firewall", key, load_balancer, move |load_balancer| WebAclAssociationSpec {
        web_acl: web_acl.clone(),
        load_balancer_arn: load_balancer.arn,
    });
}

fn load_balancer_attributes(deployment: &Deployment, names: &Names) -> BTreeMap<String, String> {
    let bucket = deployment.edge.access_logs_bucket.iter();
    let logs =
        bucket.flat_map(|bucket| [(ACCESS_LOGS_BUCKET, bucket.clone()), (ACCESS_LOGS_PREFIX, names.access_logs())]);
    let others = [
        // Above the longest silence of a progress stream.
        ("idle_timeout.timeout_seconds", deployment.edge.idle_timeout_seconds.to_string()),
        ("routing.http.drop_invalid_header_fields.enabled", "true".to_owned()),
        ("routing.http.desync_mitigation_mode", "defensive".to_owned()),
        (DELETION_PROTECTION, deployment.edge.deletion_protection.to_string()),
        (ACCESS_LOGS, deployment.edge.access_logs_bucket.is_some().to_string()),
    ];
    others.into_iter().chain(logs).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What cannot change in place about a target group is a part of its name.
fn target_group_name(names: &Names, kind: &str, port: i32) -> String {
    names.target_group(kind, &format!("{port}/HTTP/ip"))
}

/// Those of other names: the described ones took their place.
fn retire_target_groups(stack: &mut Stack, names: &Names) {
    let groups = [("page", PAGE_PORT), ("api", API_PORT)].map(|(kind, port)| {
        (names.target_groups(kind).trim_end_matches('?').to_owned(), target_group_name(names, kind, port))
    });
    // The name says what stays, because a later version may let something else stay.
    let stay = groups.each_ref().map(|(_, stays)| stays.rsplit('-').next().unwrap_or_default());
    stack.retire(format!("all-but-{}", stay.join("-")), OldTargetGroups { groups: groups.clone().into() }, &());
}

fn target_group(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    vpc: Handle<Vpc>,
    kind: &str,
    port: i32,
) -> Handle<TargetGroup> {
    let name = target_group_name(names, kind, port);
    let delay = deployment.edge.deregistration_delay_seconds.to_string();
    let interval = i32::from(deployment.edge.health_check_interval_seconds);
    let resource = format!("{kind}-targets");
    stack.add(resource.clone(), TargetGroup { name, resource }, vpc, move |vpc| TargetGroupSpec {
        vpc_id: vpc.id,
        port,
        protocol: "HTTP".to_owned(),
        target_type: "ip".to_owned(),
        health: Health {
            path: "/health/ready".to_owned(),
            protocol: "HTTP".to_owned(),
            interval,
            // AWS wants it below the interval.
            timeout: (interval - 1).min(5),
            healthy: 2,
            unhealthy: 2,
            matcher: "200".to_owned(),
            port: "traffic-port".to_owned(),
        },
        tagged: true,
        // The default of 300 s would be part of every deploy and every destroy.
        attributes: [("deregistration_delay.timeout_seconds".to_owned(), delay.clone())].into(),
    })
}

/// The block of addresses of one subnet: a sixteenth of the network, but no smaller than a /27,
/// the least that a load balancer accepts. The configuration has been checked to leave room.
pub(super) fn subnet_cidr(network: &str, index: usize) -> String {
    let (address, prefix) = network.split_once('/').expect("the configuration checks the block");
    let address: Ipv4Addr = address.parse().expect("the configuration checks the address");
    let prefix: u32 = prefix.parse().expect("the configuration checks the prefix");
    let prefix = (prefix + 4).min(27);
    let index = u32::try_from(index).expect("there are few zones");
    format!("{}/{prefix}", Ipv4Addr::from(u32::from(address) + (index << (32 - prefix))))
}

#[cfg(test)]
mod tests {
    use super::subnet_cidr;

    #[test]
    fn subnets_stand_side_by_side_in_the_network() {
        assert_eq!(subnet_cidr("10.0.0.0/16", 0), "10.0.0.0/20");
        assert_eq!(subnet_cidr("10.0.0.0/16", 1), "10.0.16.0/20");
        assert_eq!(subnet_cidr("10.1.2.0/24", 1), "10.1.2.32/27");
        assert_eq!(subnet_cidr("10.1.2.0/24", 6), "10.1.2.192/27");
    }
}
