//! An alias of a load balancer names the zone of load balancers, not its own.

use serde_json::json;

use super::{FINE, no};
use crate::answer::Refusal;
use crate::call::Call;
use crate::world::{LOAD_BALANCERS_ZONE, World, full, zone_id};

pub(super) fn refuses(call: &Call, _world: &World) -> Option<Refusal> {
    if !call.is("route53", "ChangeResourceRecordSets") {
        return FINE;
    }
    for change in call.fields["ChangeBatch"]["Changes"].as_array()?.iter().filter(|it| it["Action"] != json!("DELETE")) {
        let alias = &change["ResourceRecordSet"]["AliasTarget"];
        let text = |field: &str| alias[field].as_str().unwrap_or_default();
        let (zone, name) = (zone_id(text("HostedZoneId")), full(text("DNSName")));
        if name.ends_with(".elb.amazonaws.com.") && zone != LOAD_BALANCERS_ZONE {
            let message = format!(
                "[Tried to create an alias that targets {name}, type {} in zone {zone}, but the alias target name does \
                 not lie within the target zone]",
                change["ResourceRecordSet"]["Type"].as_str().unwrap_or_default()
            );
            return no("InvalidChangeBatch", message);
        }
    }
    FINE
}
