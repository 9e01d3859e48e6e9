//! Keys of the account's own, who may use them, and what is encrypted with them; the emulator forgets most of that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::text;
use crate::answer::Answer;
use crate::call::Call;
use crate::{ACCOUNT, REGION};

/// All of them.
#[derive(Debug, Default)]
pub struct Keys {
    /// For each key, the services that its policy lets use it, as `logs`.
    pub policies: BTreeMap<String, BTreeSet<String>>,
    /// The key of each thing, by its service and its name or identifier.
    used: BTreeMap<(String, String), String>,
}

impl Keys {
    /// Makes a key that some services may use.
    pub fn add(&mut self, arn: &str, services: &[&str]) {
        self.policies.insert(arn.to_owned(), services.iter().map(ToString::to_string).collect());
    }

    /// Whether a service may use a key.
    pub fn lets(&self, service: &str, arn: &str) -> bool {
        self.policies.get(arn).is_some_and(|services| services.contains(service))
    }

    /// The key of a thing, if it is none of AWS's own.
    pub fn of(&self, service: &str, id: &str) -> Option<&str> {
        self.used.get(&(service.to_owned(), id.to_owned())).map(String::as_str)
    }

    fn set(&mut self, service: &str, id: &str, key: &str) {
        let thing = (service.to_owned(), id.to_owned());
        if key.is_empty() {
            self.used.remove(&thing);
        } else {
            self.used.insert(thing, key.to_owned());
        }
    }

    pub(super) fn observe(&mut self, call: &Call, answer: &mut Answer) {
        let (group, secret, key) = (call.text("logGroupName"), call.text("SecretId"), call.text("KmsKeyId"));
        match (call.service.as_str(), call.operation.as_str()) {
            ("logs", "CreateLogGroup" | "AssociateKmsKey") => self.set("logs", group, call.text("kmsKeyId")),
            ("logs", "DisassociateKmsKey" | "DeleteLogGroup") => self.set("logs", group, ""),
            ("logs", "DescribeLogGroups") => answer.edit(|body| self.show(body, "logs", "logGroups", "logGroupName")),
            ("secretsmanager", "CreateSecret") => self.set("secretsmanager", call.text("Name"), key),
            // An empty one stands for AWS's own, and none for no change.
            ("secretsmanager", "UpdateSecret") if !call.fields["KmsKeyId"].is_null() => {
                self.set("secretsmanager", secret, key);
            }
            ("secretsmanager", "DescribeSecret") => answer.edit(|body| {
                if let Some(key) = self.of("secretsmanager", &text(&body["Name"])) {
                    body["KmsKeyId"] = json!(key);
                }
            }),
            ("elasticfilesystem", "CreateFileSystem") => {
                let key = if key.is_empty() { managed_key() } else { key.to_owned() };
                self.set("elasticfilesystem", &text(&answer.value()["FileSystemId"]), &key);
            }
            ("elasticfilesystem", "DescribeFileSystems") => answer.edit(|body| {
                for found in body["FileSystems"].as_array_mut().into_iter().flatten() {
                    found["KmsKeyId"] = json!(self.of("elasticfilesystem", &text(&found["FileSystemId"])));
                }
            }),
            _ => (),
        }
    }

    fn show(&self, body: &mut Value, service: &str, list: &str, name: &str) {
        for found in body[list].as_array_mut().into_iter().flatten() {
            let key = self.of(service, &text(&found[name])).map(ToOwned::to_owned);
            if let Some(fields) = found.as_object_mut() {
                fields.remove("kmsKeyId");
                fields.extend(key.map(|key| ("kmsKeyId".to_owned(), json!(key))));
            }
        }
    }
}

/// The key that AWS keeps for file systems, whose ARN looks like any other.
fn managed_key() -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/0000ef50-0000-4000-8000-000000000000")
}
