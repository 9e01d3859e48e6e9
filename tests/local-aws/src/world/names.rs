//! Names on the internet: records as they were last put, and how long a change takes to be everywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{World, text};
use crate::answer::Answer;
use crate::call::Call;

/// From a change to `INSYNC`.
const SPREADING: Duration = Duration::from_secs(30);

/// Records by zone, name and type.
#[derive(Debug, Default)]
pub struct Names {
    records: BTreeMap<(String, String, String), (Value, Duration)>,
    changed: Option<Duration>,
}

impl Names {
    /// A record as it was put.
    pub fn record(&self, zone: &str, name: &str, kind: &str) -> Option<&Value> {
        let key = (zone_id(zone).to_owned(), full(name), kind.to_owned());
        self.records.get(&key).map(|(record, _)| record)
    }

    /// Since when some name has some value, in any zone.
    pub fn since(&self, name: &str, kind: &str, value: &str) -> Option<Duration> {
        let is = |(key, (record, _)): &(&(String, String, String), &(Value, Duration))| {
            let mut values = record["ResourceRecords"].as_array().into_iter().flatten();
            key.1 == full(name) && key.2 == kind && values.any(|it| full(&text(&it["Value"])) == full(value))
        };
        self.records.iter().find(is).map(|(_, (_, since))| *since)
    }

    fn change(&mut self, call: &Call, now: Duration) {
        let zone = zone_id(call.text("HostedZoneId"));
        for change in call.fields["ChangeBatch"]["Changes"].as_array().into_iter().flatten() {
            let record = &change["ResourceRecordSet"];
            let key = (zone.to_owned(), full(&text(&record["Name"])), text(&record["Type"]));
            match change["Action"].as_str() {
                Some("DELETE") => {
                    self.records.remove(&key);
                }
                _ => {
                    let since = self.records.get(&key).filter(|(there, _)| there == record).map(|(_, since)| *since);
                    self.records.insert(key, (record.clone(), since.unwrap_or(now)));
                }
            }
        }
        self.changed = Some(now);
    }
}

pub(super) fn observe(world: &mut World, call: &Call, answer: &mut Answer) {
    if call.operation == "ChangeResourceRecordSets" {
        let now = world.now;
        world.names.change(call, now);
    }
    let spreading = world.names.changed.is_some_and(|changed| world.now < changed + SPREADING);
    if spreading
        && world.holds("changes_of_names_spread")
        && ["ChangeResourceRecordSets", "GetChange"].contains(&call.operation.as_str())
    {
        answer.body = answer.body.replace("INSYNC", "PENDING");
    }
}

/// Identifiers come with and without their path.
pub(crate) fn zone_id(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

/// A name in lower case with its last dot.
pub(crate) fn full(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_lowercase())
}
