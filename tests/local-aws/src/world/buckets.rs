//! How many calls AWS takes: a burst, and then so many a second.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::Call;

/// The buckets by name, with their content and when it was counted.
#[derive(Debug, Default)]
pub struct Buckets {
    content: BTreeMap<String, (f64, Duration)>,
    overflows: bool,
}

impl Buckets {
    /// Whether the call that is being answered is one too many.
    pub fn overflows(&self) -> bool {
        self.overflows
    }

    pub(super) fn take(&mut self, call: &Call) {
        self.overflows = false;
        let Some((name, burst, rate)) = bucket(call) else { return };
        let (content, counted) = self.content.entry(name).or_insert((burst, call.at));
        let filled = (*content + (call.at.saturating_sub(*counted)).as_secs_f64() * rate).min(burst);
        self.overflows = filled < 1.0;
        *content = if self.overflows { filled } else { filled - 1.0 };
        *counted = call.at;
    }
}

/// The bucket of a call: its name, its size, and how much flows in a second.
fn bucket(call: &Call) -> Option<(String, f64, f64)> {
    let operation = call.operation.as_str();
    let (name, burst, rate) = match call.service.as_str() {
        "ecs" => ecs(call)?,
        "elasticloadbalancing" if call.reads() => ("describe", 40.0, 10.0),
        "elasticloadbalancing" => ("change", 20.0, 5.0),
        // Of EC2, every operation has its own.
        "ec2" if call.reads() => (operation, 100.0, 20.0),
        "ec2" => (operation, 50.0, 5.0),
        "route53" => ("all", 5.0, 5.0),
        "iam" | "sts" => ("all", 15.0, 15.0),
        _ => return None,
    };
    Some((format!("{}/{name}", call.service), burst, rate))
}

fn ecs(call: &Call) -> Option<(&'static str, f64, f64)> {
    let operation = call.operation.as_str();
    if operation == "DeleteTaskDefinitions" {
        return Some(("delete-task-definitions", 5.0, 1.0));
    }
    // The longer names first: they contain the shorter ones.
    let kinds = [
        ("ServiceDeployment", ("deployments", 50.0, 20.0), ("deployments", 50.0, 20.0)),
        ("ServiceRevision", ("deployments", 50.0, 20.0), ("deployments", 50.0, 20.0)),
        ("TaskDefinition", ("task-definition-read", 50.0, 20.0), ("task-definition-modify", 20.0, 1.0)),
        ("Cluster", ("cluster-read", 50.0, 20.0), ("cluster-modify", 20.0, 1.0)),
        ("Service", ("service-read", 100.0, 20.0), ("service-modify", 50.0, 5.0)),
        ("Task", ("tasks", 100.0, 20.0), ("tasks", 100.0, 40.0)),
        ("ExecuteCommand", ("tasks", 100.0, 40.0), ("tasks", 100.0, 40.0)),
        ("Resource", ("tags", 20.0, 10.0), ("tags", 20.0, 10.0)),
    ];
    let (_, read, modify) = kinds.into_iter().find(|(kind, ..)| operation.contains(kind))?;
    Some(if call.reads() { read } else { modify })
}
