//! Load balancers, target groups, listeners and rules.
//!
//! The emulator keeps few of their settings, so they are kept here: what was asked for is what is described.

use std::collections::BTreeMap;
use std::time::Duration;

use super::World;
use super::interfaces::NewInterface;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::xml::{self, Fields};
use crate::{ACCOUNT, REGION};

/// From created to active: one and a half to three minutes.
const PROVISIONING: Duration = Duration::from_secs(120);
/// From deleted to its addresses being released.
const RELEASE: Duration = Duration::from_secs(240);

/// The kinds of things, by the last part of the operations' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What has addresses.
    LoadBalancer,
    /// Where requests go.
    TargetGroup,
    /// A port of a load balancer.
    Listener,
    /// What a listener does with some paths.
    Rule,
}

impl Kind {
    fn of(operation: &str) -> Option<(&str, Self)> {
        let kinds = [
            ("LoadBalancer", Self::LoadBalancer),
            ("TargetGroup", Self::TargetGroup),
            ("Listener", Self::Listener),
            ("Rule", Self::Rule),
        ];
        let operation = operation.strip_suffix('s').unwrap_or(operation);
        kinds.into_iter().find_map(|(name, kind)| Some((operation.strip_suffix(name)?, kind)))
    }

    /// The name in fields and elements.
    fn name(self) -> &'static str {
        match self {
            Self::LoadBalancer => "LoadBalancer",
            Self::TargetGroup => "TargetGroup",
            Self::Listener => "Listener",
            Self::Rule => "Rule",
        }
    }

    fn arn_field(self) -> String {
        format!("{}Arn", self.name())
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// What was asked for, changes included.
    pub fields: BTreeMap<String, String>,
    /// Attributes that were set.
    attributes: BTreeMap<String, String>,
    created: Duration,
}

impl Thing {
    /// One of its attributes, if it was ever set.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// One of its settings.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// All of them by ARN.
#[derive(Debug, Default)]
pub struct LoadBalancing {
    things: BTreeMap<String, Thing>,
    made: u64,
}

impl LoadBalancing {
    /// All things of a kind.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (&String, &Thing)> {
        self.things.iter().filter(move |(_, thing)| thing.kind == kind)
    }

    /// One of them.
    pub fn get(&self, arn: &str) -> Option<&Thing> {
        self.things.get(arn)
    }

    /// When a load balancer became active, or will.
    pub fn active_at(&self, arn: &str) -> Option<Duration> {
        let balancer = self.get(arn).filter(|it| it.kind == Kind::LoadBalancer)?;
        Some(balancer.created + PROVISIONING)
    }

    /// Whether a listener has a certificate.
    pub fn has_certificate(&self, arn: &str) -> bool {
        self.all(Kind::Listener).any(|(_, it)| it.field("Certificates.member.1.CertificateArn") == arn)
    }

    /// Whether a target group gets requests from a load balancer.
    pub fn is_used(&self, group: &str) -> bool {
        let sends = |thing: &Thing| thing.fields.iter().any(|(key, it)| key.ends_with("TargetGroupArn") && it == group);
        self.things.values().any(|it| matches!(it.kind, Kind::Listener | Kind::Rule) && sends(it))
    }
}

/// All settings of a creation but its tags.
pub(crate) fn settings(call: &Call) -> Fields {
    let fields = call.fields.as_object().into_iter().flatten();
    let ours = |key: &str| !key.starts_with("Tags.") && key != "Action" && key != "Version";
    let fields = fields.filter(|(key, _)| ours(key));
    fields.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn answered(operation: &str, result: &str) -> Result<Answer, Refusal> {
    Ok(Answer::xml(format!(
        "<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
    )))
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    match call.operation.as_str() {
        "DescribeTags" => Some(Ok(world.forgotten.of_load_balancing(call))),
        "DescribeTargetHealth" => Some(Ok(super::services::target_health(world, call))),
        "SetSubnets" | "SetSecurityGroups" | "SetIpAddressType" => Some(set(world, call)),
        "SetRulePriorities" => Some(set_priorities(world, call)),
        "AddTags" | "RemoveTags" => {
            world.forgotten.retag(call);
            Some(answered(&call.operation, ""))
        }
        operation if operation.ends_with("Attributes") => Some(attributes(world, call)),
        operation => {
            let (verb, kind) = Kind::of(operation)?;
            Some(match verb {
                "Create" => create(world, call, kind),
                "Describe" => describe(world, call, kind),
                "Modify" => modify(world, call, kind),
                "Delete" => delete(world, call, kind),
                _ => return None,
            })
        }
    }
}

fn create(world: &mut World, call: &Call, kind: Kind) -> Result<Answer, Refusal> {
    let fields = settings(call);
    // The rules refuse another one of the same name; the same one again is the same one.
    let named = |thing: &Thing| kind as u8 <= Kind::TargetGroup as u8 && thing.field("Name") == call.text("Name");
    let existing = world.load_balancing.all(kind).find(|(_, thing)| named(thing)).map(|(arn, _)| arn.clone());
    let arn = existing.unwrap_or_else(|| new(world, call, kind, fields));
    answered(&call.operation, &list(world, kind, &[arn]))
}

fn new(world: &mut World, call: &Call, kind: Kind, mut fields: Fields) -> String {
    let state = &mut world.load_balancing;
    state.made += 1;
    let id = format!("{:016x}", state.made);
    let prefix = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}");
    // A listener's ARN goes on from its load balancer's, and a rule's from its listener's.
    let under = |parent: &str, kind: &str| format!("{}/{id}", parent.replacen(parent_kind(kind), kind, 1));
    let arn = match kind {
        Kind::LoadBalancer => format!("{prefix}:loadbalancer/app/{}/{id}", call.text("Name")),
        Kind::TargetGroup => format!("{prefix}:targetgroup/{}/{id}", call.text("Name")),
        Kind::Listener => under(call.text("LoadBalancerArn"), "listener/"),
        Kind::Rule => under(call.text("ListenerArn"), "listener-rule/"),
    };
    if kind == Kind::TargetGroup {
        rename(&mut fields, "Name", "TargetGroupName");
        fields.insert("Name".to_owned(), call.text("Name").to_owned());
    }
    world
        .load_balancing
        .things
        .insert(arn.clone(), Thing { kind, fields, attributes: defaults(kind), created: world.now });
    if kind == Kind::LoadBalancer {
        let groups: Vec<_> = call.list("SecurityGroups.member").into_iter().map(ToOwned::to_owned).collect();
        for subnet in call.list("Subnets.member") {
            world.interfaces.add(NewInterface {
                description: interface_description(&arn),
                subnet: subnet.to_owned(),
                groups: groups.clone(),
                public: call.text("Scheme") != "internal",
            });
        }
    }
    arn
}

/// The attributes that AWS gives, of those that anybody here asks for.
fn defaults(kind: Kind) -> BTreeMap<String, String> {
    let off = (kind == Kind::LoadBalancer).then(|| ("access_logs.s3.enabled".to_owned(), "false".to_owned()));
    off.into_iter().collect()
}

fn parent_kind(kind: &str) -> &'static str {
    if kind == "listener/" { "loadbalancer/" } else { "listener/" }
}

fn rename(fields: &mut Fields, from: &str, to: &str) {
    if let Some(text) = fields.remove(from) {
        fields.insert(to.to_owned(), text);
    }
}

fn describe(world: &World, call: &Call, kind: Kind) -> Result<Answer, Refusal> {
    let names = call.list("Names.member");
    let parent = [call.text("LoadBalancerArn"), call.text("ListenerArn")].concat();
    let parent_field = if kind == Kind::Rule { "ListenerArn" } else { "LoadBalancerArn" };
    let found = world.load_balancing.all(kind).filter(|(_, thing)| {
        (names.is_empty() || names.contains(&thing.field("Name")))
            && (parent.is_empty() || thing.field(parent_field) == parent)
    });
    let found: Vec<_> = found.map(|(arn, _)| arn.clone()).collect();
    if found.is_empty() && !names.is_empty() {
        let what = if kind == Kind::LoadBalancer { "Load balancers" } else { "One or more target groups" };
        return Err(Refusal::new(&format!("{}NotFound", kind.name()), format!("{what} '{names:?}' not found")));
    }
    if found.is_empty() && !parent.is_empty() && world.load_balancing.get(&parent).is_none() {
        let owner = if kind == Kind::Rule { "Listener" } else { "LoadBalancer" };
        return Err(Refusal::new(&format!("{owner}NotFound"), format!("One or more {owner}s not found")));
    }
    answered(&call.operation, &list(world, kind, &found))
}

fn list(world: &World, kind: Kind, arns: &[String]) -> String {
    let members = arns.iter().map(|arn| format!("<member>{}</member>", xml::elements(&shown(world, arn))));
    let name = kind.name();
    format!("<{name}s>{}</{name}s>", members.collect::<String>())
}

/// What AWS shows of one of them.
fn shown(world: &World, arn: &str) -> Fields {
    let thing = &world.load_balancing.things[arn];
    let mut fields = thing.fields.clone();
    let mut put = |key: &str, value: &str| fields.insert(key.to_owned(), value.to_owned());
    put(&thing.kind.arn_field(), arn);
    match thing.kind {
        Kind::LoadBalancer => {
            let active = world.now >= thing.created + PROVISIONING || !world.holds("load_balancers_provision");
            put("State.Code", if active { "active" } else { "provisioning" });
            put("LoadBalancerName", thing.field("Name"));
            put("DNSName", &dns_name(arn, thing));
            put("CanonicalHostedZoneId", ZONE);
            let subnets = thing.fields.iter().filter(|(key, _)| key.starts_with("Subnets.member."));
            for (index, (_, subnet)) in subnets.enumerate() {
                let zone = world.network.subnets.get(subnet).map_or("", |it| it.zone.as_str());
                put(&format!("AvailabilityZones.member.{index}.SubnetId"), subnet);
                put(&format!("AvailabilityZones.member.{index}.ZoneName"), zone);
            }
        }
        Kind::Rule => {
            put("IsDefault", "false");
        }
        Kind::TargetGroup | Kind::Listener => (),
    }
    fields.retain(|key, _| !key.starts_with("Subnets."));
    fields
}

fn get<'a>(world: &'a mut World, call: &Call, kind: Kind) -> Result<&'a mut Thing, Refusal> {
    let thing = world.load_balancing.things.get_mut(call.text(&kind.arn_field()));
    thing.ok_or_else(|| {
        Refusal::new(&format!("{}NotFound", kind.name()), format!("One or more {}s not found", kind.name()))
    })
}

fn modify(world: &mut World, call: &Call, kind: Kind) -> Result<Answer, Refusal> {
    let thing = get(world, call, kind)?;
    let asked = settings(call);
    // A list that is sent replaces the list that is there.
    let lists: Vec<_> = asked.keys().filter_map(|key| Some(key.split_once(".member.")?.0.to_owned())).collect();
    thing.fields.retain(|key, _| !lists.iter().any(|list| key.starts_with(&format!("{list}.member."))));
    // Without TLS there is neither a certificate nor a policy for it.
    if kind == Kind::Listener && call.text("Protocol") == "HTTP" {
        thing.fields.retain(|key, _| key != "SslPolicy" && !key.starts_with("Certificates."));
    }
    thing.fields.extend(asked);
    let arn = call.text(&kind.arn_field()).to_owned();
    answered(&call.operation, &list(world, kind, &[arn]))
}

/// Several rules at a time; here one is enough.
fn set_priorities(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let at = |part: &str| call.text(&format!("RulePriorities.member.1.{part}")).to_owned();
    let missing = || Refusal::new("RuleNotFound", "One or more rules not found");
    let rule = world.load_balancing.things.get_mut(&at("RuleArn")).ok_or_else(missing)?;
    rule.fields.insert("Priority".to_owned(), at("Priority"));
    answered(&call.operation, &list(world, Kind::Rule, &[at("RuleArn")]))
}

fn set(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    modify(world, call, Kind::LoadBalancer)?;
    answered(&call.operation, "")
}

fn attributes(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let kind = if call.operation.contains("TargetGroup") { Kind::TargetGroup } else { Kind::LoadBalancer };
    let thing = get(world, call, kind)?;
    if call.operation.starts_with("Modify") {
        for index in 1.. {
            let at = |name: &str| call.text(&format!("Attributes.member.{index}.{name}")).to_owned();
            if at("Key").is_empty() {
                break;
            }
            thing.attributes.insert(at("Key"), at("Value"));
        }
    }
    let mut fields = Fields::new();
    for (index, (key, value)) in thing.attributes.iter().enumerate() {
        fields.insert(format!("Attributes.member.{index}.Key"), key.clone());
        fields.insert(format!("Attributes.member.{index}.Value"), value.clone());
    }
    answered(&call.operation, &xml::elements(&fields))
}

fn delete(world: &mut World, call: &Call, kind: Kind) -> Result<Answer, Refusal> {
    let arn = call.text(&kind.arn_field()).to_owned();
    if kind == Kind::LoadBalancer && world.load_balancing.things.contains_key(&arn) {
        let release = if world.holds("interfaces_linger") { RELEASE } else { Duration::ZERO };
        world.interfaces.release(&interface_description(&arn), world.now + release);
    }
    // With a load balancer go its listeners, and with a listener its rules.
    let mut gone = vec![arn];
    while let Some(arn) = gone.pop() {
        world.load_balancing.things.remove(&arn);
        let under = |thing: &Thing| match thing.kind {
            Kind::Listener => thing.field("LoadBalancerArn") == arn,
            Kind::Rule => thing.field("ListenerArn") == arn,
            _ => false,
        };
        gone.extend(world.load_balancing.things.iter().filter(|(_, it)| under(it)).map(|(arn, _)| arn.clone()));
    }
    answered(&call.operation, "")
}

/// The zone of all load balancers in Tokyo.
const ZONE: &str = "Z14GRHDCWA56QT";

/// A new one of the same name has another name on the internet.
fn dns_name(arn: &str, thing: &Thing) -> String {
    let number = arn.rsplit('/').next().unwrap_or_default().trim_start_matches('0');
    format!("{}-{number}.{REGION}.elb.amazonaws.com", thing.field("Name"))
}

/// The names of all load balancers, each with its zone.
pub(super) fn dns_names(world: &World) -> Vec<(String, String)> {
    let all = world.load_balancing.all(Kind::LoadBalancer);
    all.map(|(arn, thing)| (dns_name(arn, thing), ZONE.to_owned())).collect()
}

/// What AWS writes into the description of a load balancer's interfaces.
fn interface_description(arn: &str) -> String {
    format!("ELB {}", arn.split_once(":loadbalancer/").map_or(arn, |(_, path)| path))
}
