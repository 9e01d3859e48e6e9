//! What the account holds beyond what the emulator remembers: who uses what, and since when.
//!
//! Everything here is learnt from calls that succeeded. Life cycles are a matter of age: nothing has to run for a
//! file system to become available, somebody only has to look at it late enough.

mod account;
mod buckets;
mod certificates;
mod dns;
mod efs;
mod endpoints;
mod firewalls;
mod flow_logs;
mod forgotten;
pub(crate) mod front_door;
mod interfaces;
mod keys;
mod load_balancing;
mod monitoring;
mod nat;
mod network;
mod secrets;
mod security_groups;
mod services;
mod subscriptions;
mod task_definitions;
mod visibility;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::policy::Policy;
use crate::rules::Rule;

pub use account::Account;
pub use buckets::Buckets;
pub use certificates::{Certificate, Certificates};
pub use dns::{Dns, Record};
pub use efs::{FileSystem, MountTarget};
pub use endpoints::{Endpoint, Endpoints};
pub use firewalls::Firewalls;
pub use flow_logs::{FlowLog, FlowLogs};
pub use front_door::Way;
pub use interfaces::{Interface, Interfaces, NewInterface};
pub use keys::Keys;
pub(crate) use load_balancing::settings;
pub use load_balancing::{Kind, LoadBalancing, Thing};
pub use monitoring::Monitoring;
pub use nat::NatGateways;
pub use network::{Network, Subnet};
pub use secrets::Secrets;
pub(crate) use security_groups::asked as asked_rules;
pub use security_groups::{Rule as SecurityGroupRule, SecurityGroup, SecurityGroups};
pub use services::{BrokenImages, SESSION_TOKEN, Service, Services, TaskEnd};
pub(crate) use services::{CLOSED, ROLE_SETTLES, is_closed};
pub use subscriptions::{Subscription, Subscriptions};
pub use task_definitions::TaskDefinitions;
pub use visibility::Visibility;
pub(crate) use visibility::announced;

/// The account.
#[derive(Debug, Default)]
pub struct World {
    /// The time of the call that is being answered.
    pub now: Duration,
    /// Who calls, and what the account is given.
    pub account: Account,
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
    /// The names of ECS clusters.
    pub clusters: BTreeSet<String>,
    /// ECS services, which the emulator would never start.
    pub services: Services,
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Secrets.
    pub secrets: Secrets,
    /// Keys.
    pub keys: Keys,
    /// Certificates.
    pub certificates: Certificates,
    /// Hosted zones and their records.
    pub dns: Dns,
    /// NAT gateways.
    pub nat_gateways: NatGateways,
    /// Flow logs.
    pub flow_logs: FlowLogs,
    /// Endpoints.
    pub endpoints: Endpoints,
    /// What stands before load balancers.
    pub firewalls: Firewalls,
    /// The buckets into which load balancers may write.
    pub log_buckets: BTreeSet<String>,
    /// What may be scaled, by the identifiers of resources.
    pub scalable_targets: BTreeSet<String>,
    /// The tags of each topic.
    pub topics: BTreeMap<String, BTreeMap<String, String>>,
    /// How many calls of each kind may come.
    pub buckets: Buckets,
    /// What does not show yet.
    pub visibility: Visibility,
    /// What the caller may do; everything, if nobody says otherwise.
    pub policy: Option<Policy>,
    /// The names of the rules that hold.
    rules: BTreeSet<&'static str>,
    /// Alarms and dashboards.
    pub monitoring: Monitoring,
    /// Who is told.
    pub subscriptions: Subscriptions,
    forgotten: forgotten::Forgotten,
    /// Task definitions.
    pub task_definitions: TaskDefinitions,
    /// Digests of images that were pushed.
    pub images: BTreeSet<String>,
    /// What is between people and the load balancer.
    pub front_door: Way,
    /// How many pages of log streams are empty before the first with lines, as AWS may have it.
    pub empty_pages: u32,
    /// Why the agent for commands in tasks has stopped, if it has.
    pub broken_agent: Option<String>,
    /// Images whose tasks do not stay, and how they end.
    pub broken_images: BrokenImages,
    /// Why the scheduler finds no place for any task, in AWS's words.
    pub no_room: Option<String>,
    /// What tasks write before they end.
    pub task_log: Vec<String>,
}

/// A role.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// When it was last changed.
    pub changed: Duration,
    /// The path before its name, as `/team/`.
    pub path: String,
    /// Who may assume it.
    pub trust: String,
    /// Its own policies by name.
    pub policies: BTreeMap<String, String>,
}

impl World {
    /// An empty account under some rules.
    pub(crate) fn under(rules: &[Rule]) -> Self {
        Self { rules: rules.iter().map(|rule| rule.name).collect(), ..Self::default() }
    }

    /// Whether a life cycle is as AWS's.
    ///
    /// # Panics
    /// When there is no such life cycle.
    pub fn holds(&self, cycle: &str) -> bool {
        assert!(crate::rules::cycles().any(|known| known == cycle), "there is no life cycle {cycle}");
        self.rules.contains(cycle)
    }

    /// Whether EC2 knows something already.
    pub(crate) fn is_visible(&self, id: &str) -> bool {
        self.visibility.is_visible(id, self.now)
    }

    /// A call arrives.
    pub(crate) fn notice(&mut self, call: &Call) {
        self.now = call.at;
        self.buckets.take(call);
    }

    /// Answers what the emulator cannot; `None` leaves the call to the emulator.
    pub(crate) fn answer(&mut self, call: &Call) -> Option<Result<Answer, Refusal>> {
        if let Some(answer) = account::answer(self, call) {
            return Some(answer);
        }
        match (call.service.as_str(), call.operation.as_str()) {
            ("ecs", _) => task_definitions::answer(self, call).or_else(|| services::answer(self, call)),
            ("elasticloadbalancing", _) => load_balancing::answer(self, call),
            ("monitoring", _) => monitoring::answer(self, call),
            ("sns", _) => subscriptions::answer(self, call),
            ("acm", _) => certificates::answer(self, call),
            ("route53", _) => dns::answer(self, call),
            ("wafv2", _) => firewalls::answer(self, call),
            ("iam", "CreateServiceLinkedRole") => Some(self.create_linked_role(call)),
            ("iam", "GetRole") => self.get_linked_role(call).map(Ok),
            ("logs", "GetLogEvents") => self.empty_page().or_else(|| self.log_of_a_task(call)).map(Ok),
            ("ec2", "DescribeAvailabilityZones") => Some(Ok(network::zones())),
            ("ec2", "DescribeNetworkInterfaces") => Some(Ok(self.interfaces.describe(call, &self.network, self.now))),
            ("ec2", "CreateTags" | "DeleteTags") => {
                Some(security_groups::answer(self, call).unwrap_or_else(|| Ok(self.visibility.retag(call))))
            }
            ("ec2", _) => {
                let own = [security_groups::answer, flow_logs::answer, endpoints::answer];
                own.into_iter().find_map(|answer| answer(self, call))
            }
            _ => None,
        }
    }

    /// Learns from a call that succeeded, and gives its answer the state that AWS would show.
    pub(crate) fn observe(&mut self, call: &Call, answer: &mut Answer) {
        self.forgotten.observe(call, answer);
        self.keys.observe(call, answer);
        self.firewalls.observe(call);
        match call.service.as_str() {
            "ec2" => {
                self.network.observe(call, answer);
                nat::observe(self, call, answer);
                security_groups::observe(&mut self.security_groups, call, answer);
                self.visibility.learn(call, answer, self.now);
            }
            "secretsmanager" => self.secrets.observe(call, answer, self.now),
            "application-autoscaling" => self.observe_scaling(call),
            "ecs" => self.observe_clusters(call),
            "sns" => {
                self.observe_topics(call);
                subscriptions::observe(&self.subscriptions, call, answer);
            }
            "elasticfilesystem" => efs::observe(self, call, answer),
            "iam" => self.observe_roles(call),
            "ecr" if call.operation == "PutImage" => {
                self.images.insert(text(&answer.value()["image"]["imageId"]["imageDigest"]));
            }
            _ => (),
        }
    }

    /// Every task wrote the same.
    fn empty_page(&mut self) -> Option<Answer> {
        self.empty_pages = self.empty_pages.checked_sub(1)?;
        Some(Answer::json(&json!({"events": [], "nextBackwardToken": format!("b/{}", self.empty_pages)})))
    }

    fn log_of_a_task(&self, call: &Call) -> Option<Answer> {
        if !call.text("logStreamName").starts_with("ecs/") || self.task_log.is_empty() {
            return None;
        }
        let events: Vec<_> = self.task_log.iter().map(|line| json!({"timestamp": 0, "message": line})).collect();
        Some(Answer::json(&json!({"events": events})))
    }

    /// Makes an answer as old and as incomplete as AWS's are for a while.
    pub(crate) fn blur(&mut self, call: &Call, answer: Answer) -> Answer {
        if !call.reads() {
            return answer;
        }
        let mut answer = answer;
        if self.holds("read_your_write_gap") {
            self.visibility.hide_new(call, &mut answer, self.now);
        }
        self.visibility.hide_untagged(call, &mut answer, self.now);
        let stale = self.visibility.stale(call, &answer, self.now).filter(|_| self.holds("stale_attributes"));
        if let Some(stale) = stale {
            return stale;
        }
        self.visibility.remember(call, &answer);
        answer
    }

    fn observe_scaling(&mut self, call: &Call) {
        let resource = call.text("ResourceId");
        match call.operation.as_str() {
            "RegisterScalableTarget" => {
                self.scalable_targets.insert(resource.to_owned());
            }
            "DeregisterScalableTarget" => {
                self.scalable_targets.remove(resource);
            }
            _ => (),
        }
    }

    fn observe_clusters(&mut self, call: &Call) {
        match call.operation.as_str() {
            "CreateCluster" => {
                self.clusters.insert(call.text("clusterName").to_owned());
            }
            "DeleteCluster" => {
                self.clusters.remove(call.text("cluster").rsplit('/').next().unwrap_or_default());
            }
            _ => (),
        }
    }

    fn observe_topics(&mut self, call: &Call) {
        match call.operation.as_str() {
            "CreateTopic" => {
                self.topics.entry(call.text("Name").to_owned()).or_insert_with(|| query_tags(call));
            }
            "DeleteTopic" => {
                self.topics.remove(call.text("TopicArn").rsplit(':').next().unwrap_or_default());
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
        let path = format!("/aws-service-role/{service}/");
        let role = Role { changed: self.now, path, ..Role::default() };
        self.roles.entry((*name).to_owned()).or_insert(role);
        Ok(role_answer("CreateServiceLinkedRole", name))
    }

    fn get_linked_role(&self, call: &Call) -> Option<Answer> {
        let name = call.text("RoleName");
        let linked = LINKED_ROLES.iter().any(|(_, known)| *known == name);
        (linked && self.roles.contains_key(name)).then(|| role_answer("GetRole", name))
    }

    fn observe_roles(&mut self, call: &Call) {
        let name = call.text("RoleName").to_owned();
        let now = self.now;
        match call.operation.as_str() {
            "CreateRole" => {
                let trust = call.text("AssumeRolePolicyDocument").to_owned();
                let path = if call.text("Path").is_empty() { "/" } else { call.text("Path") }.to_owned();
                self.roles.insert(name, Role { changed: now, path, trust, policies: BTreeMap::new() });
            }
            "UpdateAssumeRolePolicy" => {
                if let Some(role) = self.roles.get_mut(&name) {
                    role.trust = call.text("PolicyDocument").to_owned();
                    role.changed = now;
                }
            }
            "PutRolePolicy" => {
                if let Some(role) = self.roles.get_mut(&name) {
                    role.policies.insert(call.text("PolicyName").to_owned(), call.text("PolicyDocument").to_owned());
                    role.changed = now;
                }
            }
            "DeleteRolePolicy" => {
                if let Some(role) = self.roles.get_mut(&name) {
                    role.policies.remove(call.text("PolicyName"));
                }
                services::lose_role(self, &name);
            }
            "DeleteRole" => {
                self.roles.remove(&name);
                services::lose_role(self, &name);
            }
            _ => (),
        }
    }
}

/// What AWS calls the role of a service, or nothing.
pub(crate) fn linked_role(service: &str) -> &'static str {
    LINKED_ROLES.iter().find(|(known, _)| *known == service).map_or("", |(_, name)| name)
}

/// The tags of a query service's creation.
pub(crate) fn query_tags(call: &Call) -> BTreeMap<String, String> {
    let at =
        |index: u32, part: &str| call.fields[format!("Tags.member.{index}.{part}")].as_str().map(ToOwned::to_owned);
    (1..).map_while(|index| Some((at(index, "Key")?, at(index, "Value")?))).collect()
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
