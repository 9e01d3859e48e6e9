//! Private subnets and their way out, for who would rather pay for NAT than give tasks public addresses.
//!
//! Everything is either described or retired, so that a deploy turns it on and off on a living stack.

use config::deployment::Deployment;

use super::network::{MOST_ZONES, subnet_cidr};
use crate::resources::elastic_ip::{ElasticIp, ElasticIpSpec};
use crate::resources::internet_gateway::InternetGateway;
use crate::resources::nat_gateway::{NatGateway, NatGatewaySpec};
use crate::resources::route_table::{RouteTable, RouteTableSpec};
use crate::resources::subnet::{Subnet, SubnetSpec};
use crate::resources::vpc::Vpc;
use crate::stack::{Handle, Stack};

/// Where the blocks of the private subnets begin, behind those of the public ones.
const FIRST_BLOCK: usize = 4;

/// The network around the private subnets.
pub(super) struct Around {
    pub(super) vpc: Handle<Vpc>,
    pub(super) gateway: Handle<InternetGateway>,
    /// Those that are described and those that are retired.
    pub(super) public: Vec<Handle<Subnet>>,
    pub(super) route: Handle<RouteTable>,
}

/// Where tasks run instead of in the public subnets.
pub(super) struct Private {
    pub(super) subnets: Vec<Handle<Subnet>>,
    /// Without these nothing in the subnets reaches anything.
    pub(super) routes: Vec<Handle<RouteTable>>,
}

/// All that may be there of them, those that are retired included.
pub(super) struct Possible {
    pub(super) subnets: Vec<Handle<Subnet>>,
    pub(super) routes: Vec<Handle<RouteTable>>,
}

pub(super) fn add(stack: &mut Stack, deployment: &Deployment, around: &Around) -> (Option<Private>, Possible) {
    let gateways = deployment.network.nat_gateways;
    let zones = if gateways == 0 { 0 } else { deployment.network.zones };
    let nats: Vec<_> = (0..MOST_ZONES).map(|index| nat(stack, around, index, index < gateways)).collect();
    let subnets: Vec<_> =
        (0..MOST_ZONES).map(|index| subnet(stack, deployment, around, index, index < zones)).collect();
    let mut routes = Vec::new();
    for (index, nat) in nats.iter().enumerate() {
        let key = RouteTable { name: format!("private-routes-{}", index + 1) };
        let name = key.name.clone();
        if index >= gateways {
            routes.push(stack.retire(name, key, &(around.vpc, *nat, subnets.clone())));
            continue;
        }
        // With one gateway for all zones it serves all of them, and else each its own.
        let users: Vec<_> = subnets[..zones].iter().skip(index).step_by(gateways).copied().collect();
        routes.push(stack.add(name, key, (around.vpc, *nat, users), |(vpc, nat, subnets)| RouteTableSpec {
            vpc_id: vpc.id,
            default_gateway: nat.id,
            subnets: super::sorted(subnets.into_iter().map(|subnet| subnet.id)),
            tagged: true,
        }));
    }
    let described = Private { subnets: subnets[..zones].to_vec(), routes: routes[..gateways].to_vec() };
    ((gateways > 0).then_some(described), Possible { subnets, routes })
}

fn nat(stack: &mut Stack, around: &Around, index: usize, wanted: bool) -> Handle<NatGateway> {
    let address = ElasticIp { name: format!("nat-address-{}", index + 1) };
    let nat = NatGateway { name: format!("nat-{}", index + 1) };
    let (address_name, name) = (address.name.clone(), nat.name.clone());
    let (public, gateway) = (around.public[index], around.gateway);
    if !wanted {
        // An address that is mapped holds the network's gateway.
        let address = stack.retire(address_name, address, &gateway);
        return stack.retire(name, nat, &(address, public, gateway));
    }
    let address =
        stack.add(address_name, address, gateway, |_| ElasticIpSpec { domain: "vpc".to_owned(), tagged: true });
    stack.add(name, nat, (address, public, gateway, around.route), |(address, subnet, ..)| NatGatewaySpec {
        subnet_id: subnet.id,
        allocation_id: address.allocation_id,
        state: "available".to_owned(),
        tagged: true,
    })
}

fn subnet(stack: &mut Stack, deployment: &Deployment, around: &Around, index: usize, wanted: bool) -> Handle<Subnet> {
    let key = Subnet { name: format!("private-{}", index + 1) };
    let name = key.name.clone();
    if !wanted {
        return stack.retire(name, key, &around.vpc);
    }
    let cidr = subnet_cidr(&deployment.network.cidr, FIRST_BLOCK + index);
    stack.add(name, key, (around.vpc, around.public[index]), move |(vpc, public)| SubnetSpec {
        cidr: cidr.clone(),
        vpc_id: vpc.id,
        map_public_ip: false,
        tagged: true,
        // The zone's mount target and NAT gateway are in the public subnet.
        zone: public.zone,
    })
}
