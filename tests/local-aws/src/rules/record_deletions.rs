//! A record is deleted by saying exactly what it is.

use serde_json::{Value, json};

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{World, full};

/// Whether they are the same, however the name is written.
fn same(there: &Value, asked: &Value) -> bool {
    ["TTL", "ResourceRecords", "AliasTarget"].iter().all(|field| match *field {
        "AliasTarget" => ["HostedZoneId", "EvaluateTargetHealth"]
            .iter()
            .all(|part| there[field][*part] == asked[field][*part])
            && target(there) == target(asked),
        field => there[field] == asked[field],
    })
}

fn target(record: &Value) -> String {
    full(record["AliasTarget"]["DNSName"].as_str().unwrap_or_default())
}

pub(super) fn refuses(call: &Call, world: &World) -> Option<Refusal> {
    if !call.is("route53", "ChangeResourceRecordSets") {
        return FINE;
    }
    for change in call.fields["ChangeBatch"]["Changes"].as_array()?.iter().filter(|it| it["Action"] == json!("DELETE")) {
        let record = &change["ResourceRecordSet"];
        let text = |field: &str| record[field].as_str().unwrap_or_default();
        let (name, kind) = (text("Name"), text("Type"));
        let problem = match world.names.record(call.text("HostedZoneId"), name, kind) {
            None => "but it was not found",
            Some(there) if !same(there, record) => "but the values provided do not match the current values",
            Some(_) => continue,
        };
        let message =
            format!("[Tried to delete resource record set [name='{}', type='{kind}'] {problem}]", full(name));
        return no("InvalidChangeBatch", message);
    }
    FINE
}
