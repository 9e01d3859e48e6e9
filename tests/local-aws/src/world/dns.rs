//! Hosted zones and their records, which every name server knows only after a while.

use std::collections::BTreeMap;
use std::time::Duration;

use super::World;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::xml;

/// From a change to every name server knowing it.
const SYNCING: Duration = Duration::from_secs(35);
/// How long a zone is busy with one change.
const BUSY: Duration = Duration::from_millis(800);

/// All zones by identifier.
#[derive(Debug, Default)]
pub struct Dns {
    zones: BTreeMap<String, Zone>,
    /// Whether the registrars know other name servers, so that nobody sees the zones.
    pub is_hidden: bool,
    changes: BTreeMap<String, Duration>,
}

#[derive(Debug)]
struct Zone {
    name: String,
    is_private: bool,
    changed: Option<Duration>,
    records: BTreeMap<(String, String), Record>,
}

/// A record: of a name and a type there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it became what it is.
    pub since: Duration,
    /// What it says, as AWS writes it: everything but name and type.
    pub body: String,
}

impl Dns {
    /// Adds a zone, as somebody did before.
    pub fn add_zone(&mut self, id: &str, name: &str, is_private: bool) {
        let zone = Zone { name: absolute(name), is_private, changed: None, records: BTreeMap::new() };
        self.zones.insert(id.to_owned(), zone);
    }

    /// All records, by name and type.
    pub fn records(&self) -> impl Iterator<Item = (&(String, String), &Record)> {
        self.zones.values().flat_map(|zone| &zone.records)
    }

    /// What a public name leads to, and since when.
    pub fn resolve(&self, name: &str, kind: &str) -> Option<&Record> {
        let key = (absolute(name), kind.to_owned());
        self.zones.values().filter(|zone| !zone.is_private && !self.is_hidden).find_map(|zone| zone.records.get(&key))
    }
}

/// Names as AWS writes them: lower case, with a dot at the end.
fn absolute(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('*', "\\052");
    if name.ends_with('.') { name } else { format!("{name}.") }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let now = world.now;
    Some(match call.operation.as_str() {
        "ListHostedZonesByName" => Ok(zones(&world.dns, call)),
        "ListResourceRecordSets" => records(&world.dns, call),
        "ChangeResourceRecordSets" => {
            let balancers = super::load_balancing::dns_names(world);
            let strict = Strict {
                deletions: world.holds("record_deletions"),
                aliases: world.holds("alias_zones"),
                one_at_a_time: world.holds("one_batch_at_a_time"),
            };
            change(&mut world.dns, call, now, &balancers, strict)
        }
        "GetChange" => {
            let syncing = if world.holds("changes_of_names_spread") { SYNCING } else { Duration::ZERO };
            get_change(&world.dns, call, now, syncing)
        }
        _ => return None,
    })
}

fn zones(dns: &Dns, call: &Call) -> Answer {
    let from = absolute(call.text("dnsname"));
    let most = call.text("maxitems").parse().unwrap_or(100);
    let mut found: Vec<_> = dns.zones.iter().filter(|(_, zone)| zone.name >= from).collect();
    found.sort_by_key(|(_, zone)| zone.name.clone());
    let zones = found.into_iter().take(most).map(|(id, zone)| {
        format!(
            "<HostedZone><Id>/hostedzone/{id}</Id><Name>{}</Name><CallerReference>somebody</CallerReference><Config>\
             <PrivateZone>{}</PrivateZone></Config></HostedZone>",
            zone.name, zone.is_private
        )
    });
    Answer::xml(format!(
        "<ListHostedZonesByNameResponse><HostedZones>{}</HostedZones><IsTruncated>false</IsTruncated>\
         <MaxItems>{most}</MaxItems></ListHostedZonesByNameResponse>",
        zones.collect::<String>()
    ))
}

fn no_zone(id: &str) -> Refusal {
    let message = format!("No hosted zone found with ID: {id}");
    Refusal { status: 404, ..Refusal::new("NoSuchHostedZone", message) }
}

fn records(dns: &Dns, call: &Call) -> Result<Answer, Refusal> {
    let id = call.text("Id");
    let zone = dns.zones.get(id).ok_or_else(|| no_zone(id))?;
    let from = (absolute(call.text("name")), call.text("type").to_owned());
    let most = call.text("maxitems").parse().unwrap_or(300);
    let sets = zone.records.iter().filter(|(key, _)| call.text("name").is_empty() || **key >= from).take(most);
    let sets = sets.map(|((name, kind), record)| {
        format!("<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>{}</ResourceRecordSet>", record.body)
    });
    Ok(Answer::xml(format!(
        "<ListResourceRecordSetsResponse><ResourceRecordSets>{}</ResourceRecordSets><IsTruncated>false</IsTruncated>\
         <MaxItems>{most}</MaxItems></ListResourceRecordSetsResponse>",
        sets.collect::<String>()
    )))
}

fn wrong(message: String) -> Refusal {
    Refusal::new("InvalidChangeBatch", message)
}

/// Which of the rules for changes hold.
struct Strict {
    deletions: bool,
    aliases: bool,
    one_at_a_time: bool,
}

fn change(
    dns: &mut Dns,
    call: &Call,
    now: Duration,
    balancers: &[(String, String)],
    strict: Strict,
) -> Result<Answer, Refusal> {
    let id = call.text("Id");
    let zone = dns.zones.get_mut(id).ok_or_else(|| no_zone(id))?;
    if strict.one_at_a_time && zone.changed.is_some_and(|changed| now < changed + BUSY) {
        let message = "The request was rejected because Route 53 was still processing a prior request.";
        return Err(Refusal::new("PriorRequestNotComplete", message));
    }
    let mut records = zone.records.clone();
    for change in xml::parts(call.text("Body"), "Change") {
        let text = |name: &str| xml::parts(change, name).first().copied().unwrap_or_default();
        let set = text("ResourceRecordSet");
        let (name, kind) = (absolute(text("Name")), text("Type").to_owned());
        if name != zone.name && !name.ends_with(&format!(".{}", zone.name)) {
            let message = format!("[RRSet with DNS name {name} is not permitted in zone {}]", zone.name);
            return Err(wrong(message));
        }
        if strict.aliases {
            check_alias(set, balancers)?;
        }
        let body = body(set);
        let key = (name.clone(), kind.clone());
        match (text("Action"), records.get(&key)) {
            ("CREATE", Some(_)) => {
                let message = format!(
                    "[Tried to create resource record set [name='{name}', type='{kind}'] but it already exists]"
                );
                return Err(wrong(message));
            }
            ("DELETE", None) if strict.deletions => {
                let message = format!(
                    "[Tried to delete resource record set [name='{name}', type='{kind}'] but it was not found]"
                );
                return Err(wrong(message));
            }
            ("DELETE", Some(there)) if strict.deletions && there.body != body => {
                let message = format!(
                    "[Tried to delete resource record set [name='{name}', type='{kind}'] but the values provided do not match the current values]"
                );
                return Err(wrong(message));
            }
            ("DELETE", _) => {
                records.remove(&key);
            }
            (_, Some(there)) if there.body == body => (),
            _ => {
                records.insert(key, Record { since: now, body });
            }
        }
    }
    zone.records = records;
    zone.changed = Some(now);
    let change = format!("C{:013}", dns.changes.len() + 1);
    dns.changes.insert(change.clone(), now);
    Ok(Answer::xml(format!(
        "<ChangeResourceRecordSetsResponse>{}</ChangeResourceRecordSetsResponse>",
        info(&change, "PENDING")
    )))
}

/// An alias leads to a load balancer, by its name and its zone.
fn check_alias(set: &str, balancers: &[(String, String)]) -> Result<(), Refusal> {
    let Some(target) = xml::parts(set, "AliasTarget").first().copied() else { return Ok(()) };
    let text = |name: &str| xml::parts(target, name).first().copied().unwrap_or_default();
    let name = absolute(text("DNSName"));
    let name = name.trim_end_matches('.').trim_start_matches("dualstack.");
    match balancers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((_, zone)) if zone == text("HostedZoneId") => Ok(()),
        Some((_, zone)) => Err(wrong(format!(
            "[Tried to create an alias that targets {name}., type A in zone {}, but the alias target name does not lie \
             within the target zone {zone}]",
            text("HostedZoneId")
        ))),
        None => Err(wrong(format!(
            "[Tried to create an alias that targets {name}., type A, but that target was not found]"
        ))),
    }
}

/// Everything but name and type, with the alias target's name as AWS writes it.
fn body(set: &str) -> String {
    let element = |name: &str| xml::parts(set, name).first().map(|text| format!("<{name}>{text}</{name}>"));
    let alias = xml::parts(set, "AliasTarget").first().map(|target| {
        let text = |name: &str| xml::parts(target, name).first().copied().unwrap_or_default();
        format!(
            "<AliasTarget><HostedZoneId>{}</HostedZoneId><DNSName>{}</DNSName><EvaluateTargetHealth>{}\
             </EvaluateTargetHealth></AliasTarget>",
            text("HostedZoneId"),
            absolute(text("DNSName")),
            text("EvaluateTargetHealth")
        )
    });
    [element("TTL"), element("ResourceRecords"), alias].into_iter().flatten().collect()
}

fn info(change: &str, status: &str) -> String {
    format!(
        "<ChangeInfo><Id>/change/{change}</Id><Status>{status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt>\
         </ChangeInfo>"
    )
}

fn get_change(dns: &Dns, call: &Call, now: Duration, syncing: Duration) -> Result<Answer, Refusal> {
    let id = call.text("Id");
    let Some(at) = dns.changes.get(id) else {
        let message = format!("Could not find resource with ID: {id}");
        return Err(Refusal { status: 404, ..Refusal::new("NoSuchChange", message) });
    };
    let status = if now >= *at + syncing { "INSYNC" } else { "PENDING" };
    Ok(Answer::xml(format!("<GetChangeResponse>{}</GetChangeResponse>", info(id, status))))
}
