//! `[network]`: the block of addresses and how it is divided.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::{Check, wrong};
use crate::reader::Reader;

/// The network.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// The block of addresses.
    pub cidr: String,
    /// In how many availability zones.
    pub zones: usize,
    /// How many NAT gateways: none, and tasks have public addresses; or one for all zones, or one in each, and tasks
    /// run in private subnets.
    pub nat_gateways: usize,
    /// Whether every connection in the network is written down.
    pub flow_logs: bool,
    /// Whether private subnets reach AWS by endpoints, and not over the internet.
    pub endpoints: bool,
}

impl Network {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            cidr: reader.text("network.cidr", network),
            zones: reader.number("network.zones", 2..=3),
            nat_gateways: reader.number_or("network.nat_gateways", 0, 0..=3),
            flow_logs: reader.flag_or("network.flow_logs", false),
            endpoints: reader.flag_or("network.endpoints", false),
        }
    }

    pub(super) fn check_what_belongs_together(&self, reader: &mut Reader) {
        let Self { zones, nat_gateways, .. } = *self;
        if nat_gateways > 1 && nat_gateways != zones {
            let hint = format!("give 0, 1 for all zones, or {zones} for one in each");
            let message = format_args!("{nat_gateways} NAT gateways cannot be shared out among {zones} zones");
            reader.problem("network.nat_gateways", message, hint);
        }
        if self.endpoints && nat_gateways == 0 {
            let hint = "set network.nat_gateways to 1 or more; endpoints lead to AWS alone, and forecasts and language \
                        models are on the internet, so they need NAT beside them";
            reader.problem("network.endpoints", "are for private subnets, and there are none", hint);
        }
    }
}

pub(super) fn cidr(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (address, prefix) = text.split_once('/')?;
    Some((address.parse().ok()?, prefix.parse().ok().filter(|prefix| *prefix <= 32)?))
}

fn network(text: &str) -> Check {
    let Some((address, prefix)) = cidr(text) else {
        return wrong(format!("{text:?} is not a block of addresses"), "for example 10.0.0.0/16");
    };
    if !(16..=24).contains(&prefix) {
        return wrong(
            format!("/{prefix} is too large or too small"),
            "choose /16 to /24, so that subnets fit a load balancer",
        );
    }
    // AWS would quietly use the canonical block, and every later plan would see a difference.
    let canonical = Ipv4Addr::from(u32::from(address) & (u32::MAX << (32 - prefix)));
    if canonical == address {
        return Ok(());
    }
    wrong(format!("{text} does not begin where its block begins"), &format!("write {canonical}/{prefix}"))
}
