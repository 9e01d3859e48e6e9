//! Endpoints: with addresses, which come and go slowly, or with routes, which are there at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::interfaces::NewInterface;
use super::{World, network};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::xml::{self, Fields};

/// From created to available.
const CREATING: Duration = Duration::from_secs(90);
/// From deleted to gone.
const DELETING: Duration = Duration::from_secs(60);
/// From being gone to the release of its interfaces.
const RELEASE: Duration = Duration::from_secs(20);

/// The lists of an endpoint: as they are asked for, and as they are shown.
const LISTS: [(&str, &str); 3] =
    [("SubnetId", "subnetIdSet.item"), ("SecurityGroupId", "groupSet.item"), ("RouteTableId", "routeTableIdSet.item")];

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its network.
    pub vpc: String,
    /// The service that it leads to.
    pub service: String,
    /// Whether it has addresses, and not routes.
    pub has_addresses: bool,
    /// Whether the public name of the service leads to it.
    pub private_dns: bool,
    /// Subnets, security groups and route tables, by the name of their field.
    lists: BTreeMap<&'static str, Vec<String>>,
    policy: String,
    tags: Fields,
    created: Duration,
    gone: Option<Duration>,
}

impl Endpoint {
    /// Whether it is not gone yet.
    pub fn is_there(&self, now: Duration) -> bool {
        self.gone.is_none_or(|gone| now < gone)
    }

    /// One of its lists, as `SubnetId`.
    pub fn list(&self, name: &str) -> &[String] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }
}

/// All of them by identifier.
#[derive(Debug, Default)]
pub struct Endpoints {
    /// The endpoints, those that are gone included.
    pub all: BTreeMap<String, Endpoint>,
    /// What was made for each token, and stays the answer to it.
    tokens: BTreeMap<String, String>,
}

impl Endpoints {
    /// Whether something was made for a token before.
    pub fn knows_token(&self, token: &str) -> bool {
        self.tokens.contains_key(token)
    }

    /// Those that are there.
    pub fn there(&self, now: Duration) -> impl Iterator<Item = &Endpoint> {
        self.all.values().filter(move |it| it.is_there(now))
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    Some(match call.operation.as_str() {
        "CreateVpcEndpoint" => Ok(create(world, call)),
        "DescribeVpcEndpoints" => Ok(describe(world, call)),
        "ModifyVpcEndpoint" => modify(world, call),
        "DeleteVpcEndpoints" => delete(world, call),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let token = call.text("ClientToken").to_owned();
    let id = match world.endpoints.tokens.get(&token) {
        Some(known) => known.clone(),
        None => new(world, call),
    };
    // Without a token of ours, each request has one of its own.
    let token = if token.is_empty() { id.clone() } else { token };
    world.endpoints.tokens.insert(token, id.clone());
    Answer::xml(format!(
        "<CreateVpcEndpointResponse><vpcEndpoint>{}</vpcEndpoint></CreateVpcEndpointResponse>",
        xml::elements(&shown(world, &id))
    ))
}

fn new(world: &mut World, call: &Call) -> String {
    let id = format!("vpce-{:017x}", world.endpoints.all.len() + 1);
    let of = |list: &str| call.list(list).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>();
    let endpoint = Endpoint {
        vpc: call.text("VpcId").to_owned(),
        service: call.text("ServiceName").to_owned(),
        has_addresses: call.text("VpcEndpointType") == "Interface",
        private_dns: call.text("PrivateDnsEnabled") == "true",
        lists: LISTS.iter().map(|(asked, _)| (*asked, of(asked))).collect(),
        policy: call.text("PolicyDocument").to_owned(),
        tags: network::tags(call),
        created: world.now,
        gone: None,
    };
    world.endpoints.all.insert(id.clone(), endpoint);
    for subnet in of("SubnetId") {
        add_interface(world, &id, subnet);
    }
    id
}

/// What AWS writes into the description of an endpoint's interface.
fn interface_description(id: &str) -> String {
    format!("VPC Endpoint Interface {id}")
}

fn add_interface(world: &mut World, id: &str, subnet: String) {
    let groups = world.endpoints.all[id].list("SecurityGroupId").to_vec();
    world.interfaces.add(NewInterface { description: interface_description(id), subnet, groups, public: false });
}

fn shown(world: &World, id: &str) -> Fields {
    let endpoint = &world.endpoints.all[id];
    let pending = world.now < endpoint.created + CREATING && endpoint.has_addresses;
    let state = match (endpoint.gone, pending && world.holds("endpoints_take_time")) {
        (Some(_), _) => "deleting",
        (None, true) => "pending",
        (None, false) => "available",
    };
    let mut fields = endpoint.tags.clone();
    let mut put = |key: &str, value: &str| fields.insert(key.to_owned(), value.to_owned());
    put("vpcEndpointId", id);
    put("vpcEndpointType", if endpoint.has_addresses { "Interface" } else { "Gateway" });
    put("vpcId", &endpoint.vpc);
    put("serviceName", &endpoint.service);
    put("state", state);
    put("policyDocument", &endpoint.policy);
    put("privateDnsEnabled", &endpoint.private_dns.to_string());
    for (name, list) in LISTS {
        let part = if name == "SecurityGroupId" { ".groupId" } else { "" };
        for (index, member) in endpoint.list(name).iter().enumerate() {
            put(&format!("{list}.{index}{part}"), member);
        }
    }
    fields
}

fn describe(world: &World, call: &Call) -> Answer {
    let there = world.endpoints.all.iter().filter(|(_, it)| it.is_there(world.now));
    let found = there.filter(|(id, it)| network::is_meant(id, &it.tags, call));
    let items = found.map(|(id, _)| format!("<item>{}</item>", xml::elements(&shown(world, id))));
    Answer::xml(format!(
        "<DescribeVpcEndpointsResponse><vpcEndpointSet>{}</vpcEndpointSet></DescribeVpcEndpointsResponse>",
        items.collect::<String>()
    ))
}

fn missing(id: &str) -> Refusal {
    Refusal::new("InvalidVpcEndpointId.NotFound", format!("The Vpc Endpoint Id '{id}' does not exist"))
}

fn modify(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let id = call.text("VpcEndpointId").to_owned();
    let now = world.now;
    let endpoint = world.endpoints.all.get_mut(&id).filter(|it| it.is_there(now)).ok_or_else(|| missing(&id))?;
    for (name, _) in LISTS {
        let list = endpoint.lists.entry(name).or_default();
        list.retain(|it| !call.list(&format!("Remove{name}")).contains(&it.as_str()));
        list.extend(call.list(&format!("Add{name}")).into_iter().map(ToOwned::to_owned));
    }
    if let Some(policy) = call.fields["PolicyDocument"].as_str() {
        endpoint.policy = policy.to_owned();
    }
    if let Some(named) = call.fields["PrivateDnsEnabled"].as_str() {
        endpoint.private_dns = named == "true";
    }
    let groups = endpoint.list("SecurityGroupId").to_vec();
    world.interfaces.regroup(&id, &groups);
    for subnet in call.list("AddSubnetId") {
        add_interface(world, &id, subnet.to_owned());
    }
    for subnet in call.list("RemoveSubnetId") {
        world.interfaces.release_in(&interface_description(&id), subnet, now);
    }
    Ok(Answer::xml("<ModifyVpcEndpointResponse><return>true</return></ModifyVpcEndpointResponse>"))
}

fn delete(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let now = world.now;
    let takes_time = world.holds("endpoints_take_time");
    let release = if world.holds("interfaces_linger") { RELEASE } else { Duration::ZERO };
    for id in call.list("VpcEndpointId") {
        let endpoint = world.endpoints.all.get_mut(id).filter(|it| it.is_there(now)).ok_or_else(|| missing(id))?;
        let gone = if takes_time && endpoint.has_addresses { now + DELETING } else { now };
        endpoint.gone.get_or_insert(gone);
        world.interfaces.release(&interface_description(id), gone + release);
    }
    Ok(Answer::xml("<DeleteVpcEndpointsResponse><unsuccessful/></DeleteVpcEndpointsResponse>"))
}
