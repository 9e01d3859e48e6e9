//! What people get who ask a load balancer, instead of AWS's API.

use super::load_balancing::{Kind, dns_names};
use super::{World, services};

/// What is wrong between people and a load balancer, for tests of what a deploy says then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Nothing.
    #[default]
    Open,
    /// A wall in between lets nothing through.
    Walled,
    /// The tasks answer with this status.
    Status(u16),
}

/// Answers with a status; nothing when no connection comes about.
pub(crate) fn status(world: &World, uri: &str) -> Option<u16> {
    let host = uri.strip_prefix("https://")?.split('/').next()?;
    let known = dns_names(world).into_iter().any(|(name, _)| name == host);
    let mut listeners = world.load_balancing.all(Kind::Listener).map(|(_, it)| it);
    let listener = listeners.find(|it| it.field("Port") == "443");
    let listener = listener.filter(|_| known && world.front_door != Way::Walled)?;
    if let Way::Status(status) = world.front_door {
        return Some(status);
    }
    let group = listener.field("DefaultActions.member.1.TargetGroupArn");
    // What load balancers answer for a group without a healthy target.
    Some(if services::is_served(world, group) { 200 } else { 503 })
}
