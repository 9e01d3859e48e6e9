//! Network interfaces: load balancers, tasks and mount targets hold them, and release them late.

use std::time::Duration;

use crate::answer::Answer;
use crate::call::Call;
use crate::world::Network;

/// A network interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The identifier.
    pub id: String,
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

/// What is known of a new interface.
#[derive(Clone, Debug)]
pub struct NewInterface {
    /// See [`Interface`].
    pub description: String,
    /// See [`Interface`].
    pub subnet: String,
    /// See [`Interface`].
    pub groups: Vec<String>,
    /// See [`Interface`].
    pub public: bool,
}

impl Interfaces {
    /// Adds one, and gives its identifier.
    pub fn add(&mut self, new: NewInterface) -> String {
        let id = format!("eni-{:017x}", self.all.len() + 1);
        let NewInterface { description, subnet, groups, public } = new;
        self.all.push(Interface { id: id.clone(), description, subnet, groups, public, released: None });
        id
    }

    /// Gives those of an owner other security groups.
    pub fn regroup(&mut self, description: &str, groups: &[String]) {
        for interface in self.all.iter_mut().filter(|it| it.description.contains(description)) {
            interface.groups = groups.to_vec();
        }
    }

    /// Lets those of an owner go at a time.
    pub fn release(&mut self, description: &str, at: Duration) {
        for interface in &mut self.all {
            if interface.description.contains(description) && interface.released.is_none() {
                interface.released = Some(at);
            }
        }
    }

    /// Lets that of an owner in one subnet go at a time.
    pub fn release_in(&mut self, description: &str, subnet: &str, at: Duration) {
        let ours = |it: &&mut Interface| it.description == description && it.subnet == subnet && it.released.is_none();
        for interface in self.all.iter_mut().filter(ours) {
            interface.released = Some(at);
        }
    }

    /// Those that are there now.
    pub fn there(&self, now: Duration) -> impl Iterator<Item = &Interface> {
        self.all.iter().filter(move |it| it.released.is_none_or(|released| released > now))
    }

    /// Answers `DescribeNetworkInterfaces` with the filters that tools use to find who holds a network.
    pub(crate) fn describe(&self, call: &Call, network: &Network, now: Duration) -> Answer {
        let filters = super::network::filters(call);
        let matches = |it: &Interface| {
            filters.iter().all(|(name, values)| match *name {
                "description" => values.contains(&it.description.as_str()),
                "group-id" => it.groups.iter().any(|group| values.contains(&group.as_str())),
                "vpc-id" => network.subnets.get(&it.subnet).is_some_and(|it| values.contains(&it.vpc.as_str())),
                "subnet-id" => values.contains(&it.subnet.as_str()),
                other => panic!("the simulation must learn the filter {other} of DescribeNetworkInterfaces"),
            })
        };
        let items = self.there(now).filter(|it| matches(it)).map(|it| {
            let groups = it.groups.iter().map(|id| format!("<item><groupId>{id}</groupId></item>"));
            format!(
                "<item><networkInterfaceId>{}</networkInterfaceId><subnetId>{}</subnetId>\
                 <description>{}</description><status>in-use</status><groupSet>{}</groupSet></item>",
                it.id,
                it.subnet,
                it.description,
                groups.collect::<String>()
            )
        });
        Answer::xml(format!(
            "<DescribeNetworkInterfacesResponse><networkInterfaceSet>{}</networkInterfaceSet>\
             </DescribeNetworkInterfacesResponse>",
            items.collect::<String>()
        ))
    }
}
