//! NAT gateways: minutes until they work, or a code that says why they never will.

use std::collections::BTreeMap;
use std::time::Duration;

use super::World;
use crate::answer::Answer;
use crate::call::Call;

/// From created to available, or to failed.
const CREATING: Duration = Duration::from_secs(90);

#[derive(Debug)]
struct Gateway {
    created: Duration,
    /// Why it fails, if it does: a code and a sentence.
    failure: Option<(&'static str, String)>,
}

/// All of them by identifier.
#[derive(Debug, Default)]
pub struct NatGateways {
    by_id: BTreeMap<String, Gateway>,
}

pub(super) fn observe(world: &mut World, call: &Call, answer: &mut Answer) {
    match call.operation.as_str() {
        "CreateNatGateway" => {
            let vpc = world.network.subnets.get(call.text("SubnetId")).map(|it| it.vpc.clone()).unwrap_or_default();
            let attached = world.network.has_gateway(&vpc) || call.text("ConnectivityType") == "private";
            let sentence = || format!("Network {vpc} has no Internet gateway attached");
            let failure = (!attached).then(|| ("Gateway.NotAttached", sentence()));
            let id = answer.element("natGatewayId").to_owned();
            world.nat_gateways.by_id.entry(id.clone()).or_insert(Gateway { created: world.now, failure });
            show(world, &id, answer);
        }
        "DescribeNatGateways" => {
            let ids: Vec<_> = world.nat_gateways.by_id.keys().cloned().collect();
            for id in ids {
                show(world, &id, answer);
            }
        }
        _ => (),
    }
}

/// Gives a gateway in an answer the state that AWS would show.
fn show(world: &World, id: &str, answer: &mut Answer) {
    if !world.holds("nat_gateways_take_time") {
        return;
    }
    let gateway = &world.nat_gateways.by_id[id];
    let Some(at) = answer.body.find(&format!("<natGatewayId>{id}</natGatewayId>")) else { return };
    // The state is among the siblings of the identifier, before or after it.
    let start = answer.body[..at].rfind("<item>").or_else(|| answer.body[..at].rfind("<natGateway>")).unwrap_or(0);
    let state = "<state>available</state>";
    let Some(found) = answer.body[start..].find(state).map(|offset| start + offset) else { return };
    let shown = if world.now < gateway.created + CREATING {
        "<state>pending</state>".to_owned()
    } else if let Some((code, sentence)) = &gateway.failure {
        format!("<state>failed</state><failureCode>{code}</failureCode><failureMessage>{sentence}</failureMessage>")
    } else {
        return;
    };
    answer.body.replace_range(found..found + state.len(), &shown);
}
