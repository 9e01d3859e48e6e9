//! What a plan changes about the bill of a month.

use std::collections::BTreeSet;
use std::fmt;

use config::deployment::{Architecture, Deployment, WebAcl};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Bill, NoPrices, bill};
use crate::paint::{Paint, Tone};
use crate::plan::{Action, Plan, World};
use crate::resource::Resource as _;
use crate::resources::load_balancer::ACCESS_LOGS_BUCKET;
use crate::resources::web_acl_association::WebAclAssociation;
use crate::stack::Stack;

/// The bill of a month before and after a plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// What is paid now, in US dollars a month.
    pub now_usd: f64,
    /// What will be paid then.
    pub then_usd: f64,
    /// How much of that depends on use, and is an assumption.
    pub assumed_usd: f64,
    /// The date of the oldest price.
    pub as_of: String,
}

/// Compares the bill of what is there with the bill of what the plan leaves.
///
/// # Errors
/// When the region's prices are not in the table.
pub fn difference(deployment: &Deployment, stack: &Stack, world: &World, plan: &Plan) -> Result<Difference, NoPrices> {
    let there: BTreeSet<_> = world.specs().map(|(node, _)| stack.kind(node)).collect();
    let left = plan.steps.iter().filter(|step| step.action != Action::Delete).map(|step| step.kind).collect();
    let now = bill(&as_it_is(deployment, stack, world))?.of_kinds(&there);
    let then = match plan.goal {
        crate::plan::Goal::Present => bill(deployment)?,
        crate::plan::Goal::Absent { .. } => bill(&as_it_is(deployment, stack, world))?,
    };
    let then = then.of_kinds(&left);
    Ok(Difference { now_usd: now.usd, assumed_usd: assumed(&then), then_usd: then.usd, as_of: then.as_of })
}

fn assumed(bill: &Bill) -> f64 {
    // From nothing at all, a sum of floats begins at minus zero, and looks like it.
    bill.lines.iter().filter(|line| line.assumed).fold(0.0, |sum, line| sum + line.usd)
}

/// The configuration with those numbers replaced that AWS has otherwise and that cost.
fn as_it_is(deployment: &Deployment, stack: &Stack, world: &World) -> Deployment {
    let mut live = deployment.clone();
    let count = |kind: &str| world.specs().filter(|(node, _)| stack.kind(*node) == kind).count();
    live.network.nat_gateways = count("NAT gateway");
    live.network.flow_logs = count("VPC flow log") > 0;
    live.network.endpoints = count("VPC endpoint") > 0;
    live.edge.web_acl = None;
    for (node, spec) in world.specs() {
        let number = |field: &str| spec.get(field).and_then(Value::as_i64).and_then(|it| i32::try_from(it).ok());
        match stack.kind(node) {
            "task definition" => {
                live.task.cpu = number("cpu").unwrap_or(live.task.cpu);
                live.task.memory_mib = number("memory").unwrap_or(live.task.memory_mib);
                live.task.architecture = match spec.get("architecture").and_then(Value::as_str) {
                    Some("ARM64") => Architecture::Arm64,
                    Some(_) => Architecture::X86_64,
                    None => live.task.architecture,
                };
            }
            "ECS service" => {
                live.service.desired_count = number("desired_count").unwrap_or(live.service.desired_count);
                let exec = spec.get("enable_execute_command").and_then(Value::as_bool);
                live.service.exec = exec.unwrap_or(live.service.exec);
            }
            "secret" => {
                let key = spec.get("kms_key").and_then(Value::as_str);
                live.encryption.kms_key_arn = key.map(ToOwned::to_owned);
            }
            "ECS cluster" => {
                let insights = spec.get("container_insights").and_then(Value::as_str);
                live.service.container_insights = insights.is_some_and(|it| it != "disabled");
            }
            "load balancer" => {
                let zones = spec.get("subnets").and_then(Value::as_array).map(Vec::len);
                live.network.zones = zones.unwrap_or(live.network.zones);
                let bucket = spec.get("attributes").and_then(|it| it.get(ACCESS_LOGS_BUCKET)).and_then(Value::as_str);
                live.edge.access_logs_bucket = bucket.map(ToOwned::to_owned);
            }
            WebAclAssociation::KIND => {
                let web_acl = spec.get("web_acl").and_then(Value::as_str);
                live.edge.web_acl = web_acl.map(|arn| WebAcl::Arn(arn.to_owned()));
            }
            _ => (),
        }
    }
    live
}

impl Difference {
    /// The difference in one line for people.
    pub fn text(&self, paint: Paint) -> String {
        let more = self.then_usd - self.now_usd;
        let tone = if more > 0.005 { Tone::Change } else { Tone::Good };
        let more = if more.abs() < 0.005 { "no change".to_owned() } else { format!("{more:+.2}") };
        format!(
            "{:.2} -> {:.2} USD a month ({}), {:.2} of it for assumed use; prices of {} or later",
            self.now_usd,
            self.then_usd,
            paint.on(tone, more),
            self.assumed_usd,
            self.as_of
        )
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Paint::Plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_named_with_its_sign_and_what_is_assumed() {
        let of = |now_usd, then_usd| {
            Difference { now_usd, then_usd, assumed_usd: 8.0, as_of: "2026-07-01".to_owned() }.to_string()
        };
        assert!(of(0.0, 82.5).starts_with("0.00 -> 82.50 USD a month (+82.50), 8.00 of it for assumed use"));
        assert!(of(82.5, 4.0).contains("(-78.50)"));
        assert!(of(4.0, 4.001).contains("(no change)"));
    }
}
