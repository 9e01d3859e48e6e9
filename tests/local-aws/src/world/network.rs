//! Subnets, internet gateways and routes, as far as rules ask for them; the emulator keeps the rest.

use std::collections::{BTreeMap, BTreeSet};

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

    pub(super) fn observe(&mut self, call: &Call, answer: &Answer) {
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

/// Whether a thing has all the tags that a Describe call filters by.
pub(super) fn is_tagged(thing: &Fields, call: &Call) -> bool {
    filters(call).iter().all(|(name, values)| {
        let key = name.strip_prefix("tag:");
        let key = key.unwrap_or_else(|| panic!("the simulation must learn the filter {name} of {}", call.operation));
        (1..).map_while(|index| thing.get(&format!("tagSet.item.{index}.key")).map(|found| (index, found))).any(
            |(index, found)| found == key && values.contains(&thing[&format!("tagSet.item.{index}.value")].as_str()),
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
