//! Policy documents in one form: AWS gives them back in other orders, and lists of one as single values.

use std::collections::BTreeMap;

use serde::{Serialize as _, Serializer};
use serde_json::Value;

/// Writes a policy the one way in which two that mean the same are equal.
pub fn canonical(policy: Value) -> Value {
    match policy {
        // By name, because lists of objects are put in order by their text.
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.into_iter().map(|(key, value)| (key, canonical(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(canonical).collect();
            // The order of statements, actions, principals and values says nothing.
            items.sort_by_key(Value::to_string);
            if items.len() == 1 { items.remove(0) } else { Value::Array(items) }
        }
        // Conditions are texts, even where they read like something else.
        Value::Bool(flag) => Value::String(flag.to_string()),
        other => other,
    }
}

/// Compares a policy in that form: AWS keeps what was sent, but not how it was written.
pub(super) fn in_one_form<S: Serializer>(policy: &Value, to: S) -> Result<S::Ok, S::Error> {
    canonical(policy.clone()).serialize(to)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_policy_in_other_words_is_equal() {
        let sent = json!({"Statement": [
            {"Effect": "Allow", "Action": ["a:Two", "a:One"], "Condition": {"Bool": {"a:B": "true"}}},
            {"Effect": "Deny", "Action": "*"},
        ]});
        let returned = json!({"Statement": [
            {"Action": ["*"], "Effect": "Deny"},
            {"Effect": "Allow", "Action": ["a:One", "a:Two"], "Condition": {"Bool": {"a:B": [true]}}},
        ]});
        assert_eq!(canonical(sent.clone()), canonical(returned));
        assert_ne!(canonical(sent), canonical(json!({"Statement": {"Effect": "Deny", "Action": "*"}})));
    }
}
