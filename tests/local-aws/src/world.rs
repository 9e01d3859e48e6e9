//! What the account holds beyond what the emulator remembers: who uses what, and since when.
//!
//! Everything here is learnt from calls that succeeded. Life cycles are a matter of age: nothing has to run for a
//! file system to become available, somebody only has to look at it late enough.

mod efs;
mod forgotten;
mod interfaces;
mod load_balancing;
mod monitoring;
mod network;
mod security_groups;
mod services;
mod subscriptions;
mod task_definitions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::Call;

pub use efs::{FileSystem, MountTarget};
pub use interfaces::{Interface, Interfaces, NewInterface};
pub(crate) use load_balancing::settings;
pub use load_balancing::{Kind, LoadBalancing, Thing};
pub use monitoring::Monitoring;
pub use network::{Network, Subnet};
pub(crate) use security_groups::asked as asked_rules;
pub use security_groups::{Rule as SecurityGroupRule, SecurityGroup, SecurityGroups};
pub use services::{Service, Services};
pub use subscriptions::{Subscription, Subscriptions};
pub use task_definitions::TaskDefinitions;

/// The account.
#[derive(Debug, Default)]
pub struct World {
    /// The time of the call that is being answered.
    pub now: Duration,
    /// Subnets, gateways and routes.
    pub network: Network,
    /// Security groups.
    pub security_groups: SecurityGroups,
    /// Network interfaces, and who made them.
    pub interfaces: Interfaces,
    /// Load balancers, target groups, listeners, rules.
    pub load_balancing: LoadBalancing,
    /// File systems by identifier.
    pub file_systems: BTreeMap<String, FileSystem>,
    /// Mount targets by identifier.
    pub mount_targets: BTreeMap<String, MountTarget>,
    /// The client token of each access point.
    pub access_point_tokens: BTreeMap<String, String>,
    /// ECS services, which the emulator would never start.
    pub services: Services,
    /// Roles by name, with the time of their last change.
    pub roles: BTreeMap<String, Duration>,
    /// Alarms and dashboards.
    pub monitoring: Monitoring,
    /// Who is told.
    pub subscriptions: Subscriptions,
    forgotten: forgotten::Forgotten,
    /// Task definitions.
    pub task_definitions: TaskDefinitions,
    /// Digests of images that were pushed.
    pub images: BTreeSet<String>,
    /// Digests of images whose program ends with exit code 1 as soon as it starts.
    pub broken_images: BTreeSet<String>,
}

impl World {
    /// Answers what the emulator cannot; `None` leaves the call to the emulator.
    pub(crate) fn answer(&mut self, call: &Call) -> Option<Result<Answer, Refusal>> {
        match (call.service.as_str(), call.operation.as_str()) {
            ("ecs", _) => task_definitions::answer(self, call).or_else(|| services::answer(self, call)),
            ("elasticloadbalancing", _) => load_balancing::answer(self, call),
            ("monitoring", _) => monitoring::answer(self, call),
            ("sns", _) => subscriptions::answer(self, call),
            ("iam", "CreateServiceLinkedRole") => Some(self.create_linked_role(call)),
            ("iam", "GetRole") => self.get_linked_role(call).map(Ok),
            ("ec2", "DescribeAvailabilityZones") => Some(Ok(network::zones())),
            ("ec2", "DescribeNetworkInterfaces") => Some(Ok(self.interfaces.describe(call, &self.network, self.now))),
            ("ec2", _) => security_groups::answer(self, call),
            _ => None,
        }
    }

    /// Learns from a call that succeeded, and gives its answer the state that AWS would show.
    pub(crate) fn observe(&mut self, call: &Call, answer: &mut Answer) {
        self.forgotten.observe(call, answer);
        match call.service.as_str() {
            "ec2" => self.network.observe(call, answer),
            "elasticfilesystem" => efs::observe(self, call, answer),
            "iam" => self.observe_roles(call),
            "sns" => subscriptions::observe(self, call, answer),
            "ecr" if call.operation == "PutImage" => {
                self.images.insert(text(&answer.value()["image"]["imageId"]["imageDigest"]));
            }
            _ => (),
        }
    }

    /// The emulator gives these roles other names than AWS does.
    fn create_linked_role(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let service = call.text("AWSServiceName");
        let Some((_, name)) = LINKED_ROLES.iter().find(|(known, _)| *known == service) else {
            return Err(Refusal::new("InvalidInput", format!("{service} is not a service with a linked role")));
        };
        if self.roles.contains_key(*name) {
            let message =
                format!("Service role name {name} has been taken in this account, please try a different suffix.");
            return Err(Refusal::new("InvalidInput", message));
        }
        self.roles.insert((*name).to_owned(), self.now);
        Ok(role_answer("CreateServiceLinkedRole", name))
    }

    fn get_linked_role(&self, call: &Call) -> Option<Answer> {
        let name = call.text("RoleName");
        let linked = LINKED_ROLES.iter().any(|(_, known)| *known == name);
        (linked && self.roles.contains_key(name)).then(|| role_answer("GetRole", name))
    }

    fn observe_roles(&mut self, call: &Call) {
        let name = call.text("RoleName").to_owned();
        match call.operation.as_str() {
            "CreateRole" | "UpdateAssumeRolePolicy" | "PutRolePolicy" => {
                self.roles.insert(name, self.now);
            }
            "DeleteRole" => {
                self.roles.remove(&name);
            }
            _ => (),
        }
    }
}

/// The roles that services of AWS use by themselves: the service, and what AWS calls its role.
pub(crate) const LINKED_ROLES: [(&str, &str); 3] = [
    ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("ecs.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_ECSService"),
];

fn role_answer(operation: &str, name: &str) -> Answer {
    Answer::xml(format!(
        "<{operation}Response><{operation}Result><Role><Path>/aws-service-role/</Path><RoleName>{name}</RoleName>\
         <RoleId>AROASIMULATED</RoleId><Arn>arn:aws:iam::{}:role/aws-service-role/{name}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></{operation}Result></{operation}Response>",
        crate::ACCOUNT
    ))
}

/// The text of a JSON value, or an empty one.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A moment of the account as the SDK expects it.
pub(crate) fn epoch(at: Duration) -> Value {
    // Any fixed day will do; only differences matter.
    json!(1_780_000_000.0 + at.as_secs_f64())
}
