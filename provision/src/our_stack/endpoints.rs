//! Ways from private subnets to the services of AWS that tasks use, which do not lead over the internet.

use config::deployment::Deployment;
use serde_json::{Value, json};

use super::network::{HTTPS_PORT, rules_of, tcp};
use super::private::{Possible, Private};
use crate::names::Names;
use crate::resources::route_table::RouteTable;
use crate::resources::security_group::{SecurityGroup, SecurityGroupSpec};
use crate::resources::security_group_rules::{Peer, SecurityGroupRules};
use crate::resources::subnet::Subnet;
use crate::resources::vpc::Vpc;
use crate::resources::vpc_endpoint::{Reach, VpcEndpoint, VpcEndpointSpec};
use crate::stack::{Handle, Stack};

/// What a task needs of AWS: its image, its secret, and where it logs. The disk is in the network already.
pub(crate) const SERVICES: [(&str, &str); 4] =
    [("registry-api", "ecr.api"), ("registry", "ecr.dkr"), ("logs", "logs"), ("secrets", "secretsmanager")];

/// What is around the endpoints.
pub(super) struct Around<'a> {
    pub(super) vpc: Handle<Vpc>,
    pub(super) private: Option<&'a Private>,
    pub(super) possible: &'a Possible,
    pub(super) service_group: Handle<SecurityGroup>,
}

pub(super) fn add(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    around: &Around<'_>,
) -> Vec<Handle<VpcEndpoint>> {
    let group_name = names.security_group("endpoints");
    let group = SecurityGroup { name: "endpoints-group".to_owned(), group_name: group_name.clone() };
    let rules = SecurityGroupRules { name: "endpoints-group".to_owned() };
    let Some(private) = around.private.filter(|_| deployment.network.endpoints) else {
        retire(stack, around, group, rules);
        return Vec::new();
    };
    let group = stack.add("endpoints-group", group, around.vpc, move |vpc| SecurityGroupSpec {
        group_name: group_name.clone(),
        description: "Endpoints: HTTPS from the service".to_owned(),
        vpc_id: vpc.id,
        tagged: true,
    });
    let rules = stack.add("endpoints-rules", rules, (group, around.service_group), |(group, service)| {
        let from_service = tcp(HTTPS_PORT, Peer::Group(service.id), "calls of AWS from the service");
        rules_of(group.id, vec![from_service], Vec::new())
    });
    // As soon as one is there, the service's name leads to it: then it must let tasks in.
    let inputs = (around.vpc, private.subnets.clone(), group, rules);
    let interface = |(name, service): (&str, &str)| {
        let key = VpcEndpoint { name: endpoint(name) };
        let service = format!("com.amazonaws.{}.{service}", deployment.region);
        stack.add(endpoint(name), key, inputs.clone(), move |(vpc, subnets, group, ())| VpcEndpointSpec {
            vpc_id: vpc.id,
            service: service.clone(),
            reach: Reach::Interface { subnets: ids(subnets), security_groups: vec![group.id], private_dns: true },
            policy: everything(),
            state: "available".to_owned(),
            tagged: true,
        })
    };
    let mut endpoints: Vec<_> = SERVICES.into_iter().map(interface).collect();
    endpoints.push(layers(stack, &deployment.region, around.vpc, private.routes.clone()));
    endpoints
}

/// The layers of images are in S3, to which routes lead.
fn layers(stack: &mut Stack, region: &str, vpc: Handle<Vpc>, routes: Vec<Handle<RouteTable>>) -> Handle<VpcEndpoint> {
    let service = format!("com.amazonaws.{region}.s3");
    let policy = only_layers(region);
    let key = VpcEndpoint { name: endpoint("layers") };
    stack.add(endpoint("layers"), key, (vpc, routes), move |(vpc, routes)| VpcEndpointSpec {
        vpc_id: vpc.id,
        service: service.clone(),
        reach: Reach::Gateway { route_tables: super::sorted(routes.into_iter().map(|table| table.id)) },
        policy: policy.clone(),
        state: "available".to_owned(),
        tagged: true,
    })
}

/// Those that were made once, under another configuration.
fn retire(stack: &mut Stack, around: &Around<'_>, group: SecurityGroup, rules: SecurityGroupRules) {
    let group = stack.retire("endpoints-group", group, &around.vpc);
    let rules = stack.retire("endpoints-rules", rules, &group);
    for (name, _) in SERVICES {
        let stands_on = (around.vpc, around.possible.subnets.clone(), group, rules);
        stack.retire(endpoint(name), VpcEndpoint { name: endpoint(name) }, &stands_on);
    }
    let stands_on = (around.vpc, around.possible.routes.clone());
    stack.retire(endpoint("layers"), VpcEndpoint { name: endpoint("layers") }, &stands_on);
}

fn endpoint(name: &str) -> String {
    format!("{name}-endpoint")
}

fn ids(subnets: Vec<<Subnet as crate::resource::Resource>::Output>) -> Vec<String> {
    super::sorted(subnets.into_iter().map(|subnet| subnet.id))
}

/// Who may do what is for roles to say; a second list here would only have to be kept in step.
fn everything() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }],
    })
}

/// The bucket in which ECR keeps layers; no role of ours is asked there, so nothing else is let through.
fn only_layers(region: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::prod-{region}-starport-layer-bucket/*"),
        }],
    })
}
