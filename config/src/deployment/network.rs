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
}

impl Network {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            cidr: reader.text("network.cidr", network),
            zones: reader.number("network.zones", 2..=3),
            nat_gateways: reader.number_or("network.nat_gateways", 0, 0..=3),
        }
    }

    pub(super) fn check_what_belongs_together(&self, reader: &mut Reader) {
        let Self { zones, nat_gateways, .. } = *self;
        if nat_gateways > 1 && nat_gateways != zones {
            let hint = format!("give 0, 1 for all zones, or {zones} for one in each");
            let message = format_args!("{nat_gateways} NAT gateways cannot be shared out among {zones} zones");
            reader.problem("network.nat_gateways", message, hint);
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
