//! Secrets, as far as others depend on them: their keys, and when their names are free again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::text;
use crate::answer::Answer;
use crate::call::Call;

/// From a forced deletion until the name is free.
const FORGETTING: Duration = Duration::from_secs(5);
/// From a deletion until the secret is gone, if nobody says otherwise.
const RECOVERY_DAYS: u64 = 30;

#[derive(Debug)]
struct Secret {
    arn: String,
    keys: BTreeSet<String>,
    /// When it will be gone, and whether it can be taken back until then.
    gone: Option<(Duration, bool)>,
}

/// All of them by name.
#[derive(Debug, Default)]
pub struct Secrets {
    by_name: BTreeMap<String, Secret>,
}

impl Secrets {
    /// Whether there is one that was deleted, but whose name is not free yet.
    pub fn is_deleted(&self, name: &str, now: Duration) -> bool {
        self.find(name).is_some_and(|it| it.gone.is_some_and(|(gone, _)| now < gone))
    }

    /// Whether there is one that was deleted and can be taken back.
    pub fn is_recoverable(&self, id: &str, now: Duration) -> bool {
        self.find(id).is_some_and(|it| it.gone.is_some_and(|(gone, recoverable)| recoverable && now < gone))
    }

    /// The keys of one that can be read, by its name or ARN.
    pub fn keys(&self, id: &str) -> Option<&BTreeSet<String>> {
        self.find(id).filter(|it| it.gone.is_none()).map(|it| &it.keys)
    }

    /// The name of one, by its name or ARN.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.by_name.iter().find(|(name, it)| *name == id || it.arn == id).map(|(name, _)| name.as_str())
    }

    fn find(&self, id: &str) -> Option<&Secret> {
        self.by_name.get(id).or_else(|| self.by_name.values().find(|it| it.arn == id))
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Secret> {
        if self.by_name.contains_key(id) {
            return self.by_name.get_mut(id);
        }
        self.by_name.values_mut().find(|it| it.arn == id)
    }

    pub(super) fn observe(&mut self, call: &Call, answer: &Answer, now: Duration) {
        let id = call.text("SecretId");
        match call.operation.as_str() {
            "CreateSecret" => {
                let secret = Secret { arn: text(&answer.value()["ARN"]), keys: keys(call), gone: None };
                self.by_name.insert(call.text("Name").to_owned(), secret);
            }
            "PutSecretValue" | "UpdateSecret" if !call.fields["SecretString"].is_null() => {
                if let Some(secret) = self.find_mut(id) {
                    secret.keys = keys(call);
                }
            }
            "DeleteSecret" => {
                let forced = call.fields["ForceDeleteWithoutRecovery"].as_bool() == Some(true);
                let days = call.fields["RecoveryWindowInDays"].as_u64().unwrap_or(RECOVERY_DAYS);
                let after = if forced { FORGETTING } else { Duration::from_secs(days * 24 * 60 * 60) };
                if let Some(secret) = self.find_mut(id) {
                    secret.gone = Some((now + after, !forced));
                }
            }
            "RestoreSecret" => {
                if let Some(secret) = self.find_mut(id) {
                    secret.gone = None;
                }
            }
            _ => (),
        }
    }
}

/// The keys of a value that is a JSON object.
fn keys(call: &Call) -> BTreeSet<String> {
    let value: Value = serde_json::from_str(call.text("SecretString")).unwrap_or_default();
    value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}
