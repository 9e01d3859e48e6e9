//! The one comparison of what is with what should be; it serves every kind of resource.

use std::fmt;

use serde_json::Value;

/// One attribute that differs.
#[derive(Clone, Debug, PartialEq, schemars::JsonSchema, serde::Serialize)]
pub struct Change {
    /// Where in the spec: field names joined by dots.
    pub path: String,
    /// The live value; `null` when there is none.
    pub from: Value,
    /// The wanted value; `null` when there should be none.
    pub to: Value,
}

impl Change {
    /// The spec's own field that the change is in.
    pub fn field(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.path, Shown(&self.from), Shown(&self.to))
    }
}

/// Lists what differs, objects field by field, everything else as a whole.
pub fn diff(from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    collect("", from, to, &mut changes);
    changes
}

fn collect(path: &str, from: &Value, to: &Value, changes: &mut Vec<Change>) {
    if from == to {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (from, to) else {
        changes.push(Change { path: path.to_owned(), from: from.clone(), to: to.clone() });
        return;
    };
    let absent = |key: &String| !old.contains_key(key);
    for key in old.keys().chain(new.keys().filter(|key| absent(key))) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let null = &Value::Null;
        collect(&path, old.get(key).unwrap_or(null), new.get(key).unwrap_or(null), changes);
    }
}

/// A value as a plan shows it: short, on one line, without the quotes of plain words.
pub(crate) struct Shown<'a>(pub(crate) &'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("none"),
            Value::String(text) if text.is_empty() => f.write_str("\"\""),
            Value::String(text) => f.write_str(text),
            Value::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, Self(item))?;
                }
                f.write_str("]")
            }
            other => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(from: &Value, to: &Value) -> Vec<String> {
        diff(from, to).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_values_differ_in_nothing() {
        let value = json!({"a": [1, {"b": null}], "c": "x"});
        assert_eq!(diff(&value, &value), []);
    }

    #[test]
    fn a_difference_is_named_by_its_path_and_lists_are_compared_whole() {
        assert_eq!(
            lines(
                &json!({"health": {"path": "/", "interval": 30}, "subnets": ["a", "b"], "cidr": "10.0.0.0/16"}),
                &json!({"health": {"path": "/health/ready", "interval": 30}, "subnets": ["a"], "cidr": "10.0.0.0/16"}),
            ),
            ["health.path: / -> /health/ready", "subnets: [a, b] -> [a]"]
        );
    }

    #[test]
    fn appearing_and_vanishing_fields_are_differences_too() {
        assert_eq!(
            lines(&json!({"old": 1}), &json!({"new": {"deep": true}})),
            ["old: 1 -> none", "new: none -> {\"deep\":true}"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_difference_means_equal(a in values(), b in values()) {
            assert_eq!(diff(&a, &b).is_empty(), a == b);
        }
    }

    fn values() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        // A null field and an absent one ask for the same thing, so leaves are never null.
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
