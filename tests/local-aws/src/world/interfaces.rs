//! Network interfaces: load balancers, tasks and mount targets hold them, and release them late.

use std::time::Duration;

use crate::answer::Answer;
use crate::call::Call;

/// A network interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// What AWS writes into its description, which tells whose it is.
    pub description: String,
    /// Where it is.
    pub subnet: String,
    /// Its security groups.
    pub groups: Vec<String>,
    /// Whether it has a public address, which holds the internet gateway.
    pub public: bool,
    /// When it goes, once its owner is gone.
    pub released: Option<Duration>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Interfaces {
    all: Vec<Interface>,
}

impl Interfaces {
    /// Adds one.
    pub fn add(&mut self, interface: Interface) {
        self.all.push(interface);
    }

    /// Lets those of an owner go at a time.
    pub fn release(&mut self, description: &str, at: Duration) {
        for interface in &mut self.all {
            if interface.description.contains(description) && interface.released.is_none() {
                interface.released = Some(at);
            }
        }
    }

    /// Those that are there now.
    pub fn there(&self, now: Duration) -> impl Iterator<Item = &Interface> {
        self.all.iter().filter(move |it| it.released.is_none_or(|released| released > now))
    }

    /// Answers `DescribeNetworkInterfaces` with the filters that tools use to find who holds a network.
    pub(crate) fn describe(&self, call: &Call, now: Duration) -> Answer {
        let filters = super::network::filters(call);
        let matches = |it: &Interface| {
            filters.iter().all(|(name, values)| match *name {
                "description" => values.contains(&it.description.as_str()),
                "group-id" => it.groups.iter().any(|group| values.contains(&group.as_str())),
                "subnet-id" => values.contains(&it.subnet.as_str()),
                other => panic!("the simulation must learn the filter {other} of DescribeNetworkInterfaces"),
            })
        };
        let items = self.there(now).enumerate().filter(|(_, it)| matches(it)).map(|(index, it)| {
            format!(
                "<item><networkInterfaceId>eni-{index:017x}</networkInterfaceId><subnetId>{}</subnetId>\
                 <description>{}</description><status>in-use</status></item>",
                it.subnet, it.description
            )
        });
        Answer::xml(format!(
            "<DescribeNetworkInterfacesResponse><networkInterfaceSet>{}</networkInterfaceSet>\
             </DescribeNetworkInterfacesResponse>",
            items.collect::<String>()
        ))
    }
}
