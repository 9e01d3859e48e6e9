//! Subnets, internet gateways and routes, as far as rules ask for them; the emulator keeps the rest.

use std::collections::{BTreeMap, BTreeSet};

use crate::REGION;
use crate::answer::Answer;
use crate::call::Call;

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
