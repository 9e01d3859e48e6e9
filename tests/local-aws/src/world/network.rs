//! Subnets, internet gateways and routes, as far as rules ask for them; the emulator keeps the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::visibility::item_length;
use crate::REGION;
use crate::answer::Answer;
use crate::call::Call;
use crate::xml::Fields;

/// The networks of the account.
#[derive(Debug, Default)]
pub struct Network {
    /// Subnets by identifier.
    pub subnets: BTreeMap<String, Subnet>,
    /// The VPC of each attached internet gateway.
    pub gateways: BTreeMap<String, String>,
    /// The VPC of each route table that was made.
    pub tables: BTreeMap<String, String>,
    /// The subnet of each association with a route table.
    pub associations: BTreeMap<String, String>,
    /// Each table's routes by destination.
    pub routes: BTreeSet<(String, String)>,
}

/// A subnet.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// Its VPC.
    pub vpc: String,
    /// Its zone.
    pub zone: String,
}

impl Network {
    /// Whether a VPC has an internet gateway.
    pub fn has_gateway(&self, vpc: &str) -> bool {
        self.gateways.values().any(|attached| attached == vpc)
    }

    /// A route to a gateway that is gone or detached stays, and leads nowhere.
    fn show_blackholes(&self, answer: &mut Answer) {
        let (open, active) = ("<gatewayId>igw-", "<state>active</state>");
        let mut at = 0;
        while let Some(start) = answer.body[at..].find(open).map(|offset| at + offset) {
            let id = answer.body[start..].split_once('>').and_then(|(_, rest)| rest.split('<').next());
            let works = id.is_some_and(|id| self.gateways.contains_key(id));
            at = start + open.len();
            let end = answer.body[at..].find("</item>").map_or(answer.body.len(), |offset| at + offset);
            if let Some(state) = answer.body[at..end].find(active).filter(|_| !works).map(|offset| at + offset) {
                answer.body.replace_range(state..state + active.len(), "<state>blackhole</state>");
            }
        }
    }

    pub(super) fn observe(&mut self, call: &Call, answer: &mut Answer) {
        let field = |name: &str| call.text(name).to_owned();
        match call.operation.as_str() {
            "CreateSubnet" => {
                let subnet = Subnet { vpc: field("VpcId"), zone: field("AvailabilityZone") };
                self.subnets.insert(answer.element("subnetId").to_owned(), subnet);
            }
            "DeleteSubnet" => {
                self.subnets.remove(call.text("SubnetId"));
                self.associations.retain(|_, subnet| subnet != call.text("SubnetId"));
            }
            "AttachInternetGateway" => {
                self.gateways.insert(field("InternetGatewayId"), field("VpcId"));
            }
            "DetachInternetGateway" => {
                self.gateways.remove(call.text("InternetGatewayId"));
            }
            "AssociateRouteTable" => {
                self.associations.insert(answer.element("associationId").to_owned(), field("SubnetId"));
            }
            "DisassociateRouteTable" => {
                self.associations.remove(call.text("AssociationId"));
            }
            "ReplaceRouteTableAssociation" => {
                if let Some(subnet) = self.associations.remove(call.text("AssociationId")) {
                    self.associations.insert(answer.element("newAssociationId").to_owned(), subnet);
                }
            }
            "DescribeRouteTables" => self.show_blackholes(answer),
            "DescribeInternetGateways" => keep_tagged(call, answer),
            "CreateRoute" => {
                self.routes.insert((field("RouteTableId"), field("DestinationCidrBlock")));
            }
            "CreateRouteTable" => {
                self.tables.insert(answer.element("routeTableId").to_owned(), field("VpcId"));
            }
            "DeleteRouteTable" => {
                self.tables.remove(call.text("RouteTableId"));
                self.routes.retain(|(table, _)| table != call.text("RouteTableId"));
            }
            "DeleteRoute" => {
                self.routes.remove(&(field("RouteTableId"), field("DestinationCidrBlock")));
            }
            _ => (),
        }
    }
}

/// Keeps what has the tags that a call asks for, where the emulator does not look at them.
fn keep_tagged(call: &Call, answer: &mut Answer) {
    let filters = filters(call);
    let tags: Vec<_> = filters.iter().filter_map(|(name, values)| Some((name.strip_prefix("tag:")?, values))).collect();
    let has = |item: &str, key: &str, value: &str| item.contains(&format!("<key>{key}</key><value>{value}</value>"));
    let mut kept = String::new();
    let mut rest = answer.body.as_str();
    while let Some(start) = rest.find("<item>") {
        let end = start + item_length(&rest[start..]);
        kept.push_str(&rest[..start]);
        let item = &rest[start..end];
        if tags.iter().all(|(key, values)| values.iter().any(|value| has(item, key, value))) {
            kept.push_str(item);
        }
        rest = &rest[end..];
    }
    answer.body = kept + rest;
}

/// The filters of a Describe call: names and values.
pub(super) fn filters(call: &Call) -> Vec<(&str, Vec<&str>)> {
    let filters = (1..).map_while(|index| {
        let name = call.fields[format!("Filter.{index}.Name")].as_str()?;
        Some((name, call.list(&format!("Filter.{index}.Value"))))
    });
    filters.collect()
}

/// The tags of a creation, as what describes the thing shows them.
pub(super) fn tags(call: &Call) -> Fields {
    let at = |index: u32, part: &str| {
        call.fields[format!("TagSpecification.1.Tag.{index}.{part}")].as_str().map(ToOwned::to_owned)
    };
    let tags = (1..).map_while(|index| Some((index, at(index, "Key")?, at(index, "Value")?)));
    let shown = tags.flat_map(|(index, key, value)| {
        [(format!("tagSet.item.{index}.key"), key), (format!("tagSet.item.{index}.value"), value)]
    });
    shown.collect()
}

/// Whether a Describe call filters by a thing's identifier, or by tags that it has.
pub(super) fn is_meant(id: &str, tags: &Fields, call: &Call) -> bool {
    filters(call).iter().all(|(name, values)| {
        if ["flow-log-id", "vpc-endpoint-id"].contains(name) {
            return values.contains(&id);
        }
        let key = name.strip_prefix("tag:");
        let key = key.unwrap_or_else(|| panic!("the simulation must learn the filter {name} of {}", call.operation));
        (1..).map_while(|index| tags.get(&format!("tagSet.item.{index}.key")).map(|found| (index, found))).any(
            |(index, found)| found == key && values.contains(&tags[&format!("tagSet.item.{index}.value")].as_str()),
        )
    })
}

/// The zones that a new account has in Tokyo: there is no `1b`.
pub(super) fn zones() -> Answer {
    let zones = ["a", "c", "d"].map(|letter| {
        format!(
            "<item><zoneName>{REGION}{letter}</zoneName><zoneState>available</zoneState>\
             <zoneType>availability-zone</zoneType><regionName>{REGION}</regionName>\
             <optInStatus>opt-in-not-required</optInStatus></item>"
        )
    });
    Answer::xml(format!(
        "<DescribeAvailabilityZonesResponse><availabilityZoneInfo>{}</availabilityZoneInfo>\
         </DescribeAvailabilityZonesResponse>",
        zones.concat()
    ))
}
