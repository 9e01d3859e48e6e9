//! Task definitions, in full: the emulator keeps few of their fields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{World, epoch, text};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::{ACCOUNT, REGION};

/// Revisions by ARN.
#[derive(Debug, Default)]
pub struct TaskDefinitions {
    by_arn: BTreeMap<String, Value>,
    revisions: BTreeMap<String, u64>,
}

impl TaskDefinitions {
    /// A revision, if it may still be deployed.
    pub fn active(&self, arn: &str) -> Option<&Value> {
        self.by_arn.get(arn).filter(|it| it["status"] == json!("ACTIVE"))
    }

    /// Every revision that may still be deployed.
    pub fn all_active(&self) -> impl Iterator<Item = &Value> {
        self.by_arn.values().filter(|it| it["status"] == json!("ACTIVE"))
    }

    /// All that is known of a revision.
    pub fn get(&self, arn: &str) -> Option<&Value> {
        self.by_arn.get(arn)
    }

    /// The newest active revision of a family, or the revision of an ARN or of a family and a number.
    fn find(&self, name: &str) -> Option<&Value> {
        let is_named = |arn: &str| arn == name || (name.contains(':') && arn.rsplit('/').next() == Some(name));
        if let Some((_, exact)) = self.by_arn.iter().find(|(arn, _)| is_named(arn)) {
            return Some(exact);
        }
        let of_family = self.all_active().filter(|it| it["family"] == json!(name));
        of_family.max_by_key(|it| it["revision"].as_u64())
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let state = &mut world.task_definitions;
    let answer = match call.operation.as_str() {
        "RegisterTaskDefinition" => Ok(register(state, call)),
        "DescribeTaskDefinition" => describe(state, call),
        "ListTaskDefinitions" => Ok(list(state, call)),
        "DeregisterTaskDefinition" => deregister(state, call),
        "DeleteTaskDefinitions" => Ok(delete(state, call)),
        _ => return None,
    };
    Some(answer.map(|body| Answer::json(&body)))
}

/// Never idempotent: the same text again is another revision.
fn register(state: &mut TaskDefinitions, call: &Call) -> Value {
    let registered = epoch(call.at);
    let family = call.text("family");
    let revision = state.revisions.entry(family.to_owned()).or_default();
    *revision += 1;
    let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:{revision}");
    let mut task = call.fields.clone();
    task["taskDefinitionArn"] = json!(arn);
    task["revision"] = json!(revision);
    task["status"] = json!("ACTIVE");
    task["registeredAt"] = registered;
    for container in task["containerDefinitions"].as_array_mut().into_iter().flatten() {
        // What AWS fills in.
        container["cpu"] = json!(0);
        for ports in container["portMappings"].as_array_mut().into_iter().flatten() {
            ports["hostPort"] = ports["containerPort"].clone();
        }
    }
    state.by_arn.insert(arn, task.clone());
    json!({"taskDefinition": without_tags(&task), "tags": task["tags"]})
}

fn without_tags(task: &Value) -> Value {
    let mut task = task.clone();
    if let Some(fields) = task.as_object_mut() {
        fields.remove("tags");
    }
    task
}

fn describe(state: &TaskDefinitions, call: &Call) -> Result<Value, Refusal> {
    let task = state.find(call.text("taskDefinition"));
    let task = task.ok_or_else(|| Refusal::new("ClientException", "Unable to describe task definition."))?;
    Ok(json!({"taskDefinition": without_tags(task), "tags": task["tags"]}))
}

fn list(state: &TaskDefinitions, call: &Call) -> Value {
    let status = if call.text("status").is_empty() { "ACTIVE" } else { call.text("status") };
    let prefix = call.text("familyPrefix");
    let found =
        state.by_arn.values().filter(|it| it["status"] == json!(status) && text(&it["family"]).starts_with(prefix));
    let arns: Vec<_> = found.map(|it| it["taskDefinitionArn"].clone()).collect();
    json!({"taskDefinitionArns": arns})
}

fn deregister(state: &mut TaskDefinitions, call: &Call) -> Result<Value, Refusal> {
    let task = state.by_arn.get_mut(call.text("taskDefinition"));
    let task = task.ok_or_else(|| Refusal::new("ClientException", "The specified task definition does not exist."))?;
    task["status"] = json!("INACTIVE");
    Ok(json!({"taskDefinition": without_tags(task)}))
}

fn delete(state: &mut TaskDefinitions, call: &Call) -> Value {
    let arns = call.fields["taskDefinitions"].as_array().into_iter().flatten().map(text);
    let gone = arns.filter(|arn| state.by_arn.remove(arn).is_some());
    let gone: Vec<_> = gone.map(|arn| json!({"taskDefinitionArn": arn, "status": "DELETE_IN_PROGRESS"})).collect();
    json!({"taskDefinitions": gone, "failures": []})
}
