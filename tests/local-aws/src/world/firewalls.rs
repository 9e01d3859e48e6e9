//! Firewalls: which web ACLs there are, and which load balancer has which.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::World;
use crate::answer::{Answer, Refusal};
use crate::call::Call;

/// Web ACLs, all of them somebody's, and their associations.
#[derive(Debug, Default)]
pub struct Firewalls {
    /// The ARNs of the web ACLs that there are.
    pub web_acls: BTreeSet<String>,
    /// The web ACL of each load balancer that has one, by ARNs.
    associated: BTreeMap<String, String>,
}

impl Firewalls {
    /// The web ACL of a load balancer.
    pub fn of(&self, load_balancer: &str) -> Option<&str> {
        self.associated.get(load_balancer).map(String::as_str)
    }

    /// How many load balancers have one.
    pub fn count(&self) -> usize {
        self.associated.len()
    }

    /// Whoever goes takes its association along.
    pub(super) fn observe(&mut self, call: &Call) {
        if call.is("elasticloadbalancing", "DeleteLoadBalancer") {
            self.associated.remove(call.text("LoadBalancerArn"));
        }
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let firewalls = &mut world.firewalls;
    let load_balancer = call.text("ResourceArn");
    let body = match call.operation.as_str() {
        "AssociateWebACL" => {
            firewalls.associated.insert(load_balancer.to_owned(), call.text("WebACLArn").to_owned());
            json!({})
        }
        "DisassociateWebACL" => {
            firewalls.associated.remove(load_balancer);
            json!({})
        }
        "GetWebACLForResource" => {
            firewalls.of(load_balancer).map_or(json!({}), |arn| json!({"WebACL": described(arn)}))
        }
        _ => return None,
    };
    Some(Ok(Answer::json(&body)))
}

/// Nobody here asks what it lets through, so it lets everything through.
fn described(arn: &str) -> serde_json::Value {
    let mut parts = arn.rsplit('/');
    let (id, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    json!({
        "ARN": arn,
        "Id": id,
        "Name": name,
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": {"SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": name},
    })
}
