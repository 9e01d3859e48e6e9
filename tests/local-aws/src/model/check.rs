//! Compares a value with its shape, and says everything that is wrong with it.

use serde_json::Value;

use super::pattern;
use super::shape::{Length, Model, Range, Shape, Structure, Text};

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    /// It is required, and not there.
    Missing,
    /// The model does not know it.
    Unknown,
    /// It breaks a constraint, in AWS's words.
    Constraint(String),
}

/// A field that is not as it must be.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    /// Where, as `tags.1.member.key`.
    pub(super) path: String,
    /// What is there, if it may be shown.
    pub(super) value: Option<String>,
    pub(super) wrong: Wrong,
}

/// A check of one request.
pub(super) struct Check<'a> {
    model: &'a Model,
    pub(super) found: Vec<Violation>,
}

impl<'a> Check<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model, found: Vec::new() }
    }

    /// Checks a whole request; one without any field is as good as an empty one.
    pub(super) fn input(&mut self, shape: &str, fields: &Value) {
        let empty = Value::Object(serde_json::Map::new());
        self.value(shape, "", if fields.is_null() { &empty } else { fields });
    }

    /// Adds fields that have no place in the model.
    pub(super) fn unknown(&mut self, paths: Vec<String>) {
        self.found.extend(paths.into_iter().map(|path| Violation { path, value: None, wrong: Wrong::Unknown }));
    }

    fn value(&mut self, shape: &str, path: &str, value: &Value) {
        match (self.model.shape(shape), value) {
            (Shape::Structure(structure), Value::Object(_)) => self.structure(structure, path, value),
            (Shape::List(list), Value::Array(elements)) => {
                self.length(list.length, elements.len(), path, value);
                for (index, element) in elements.iter().enumerate() {
                    self.value(&list.member, &format!("{path}.{}.member", index + 1), element);
                }
            }
            (Shape::Map(map), Value::Object(entries)) => {
                self.length(map.length, entries.len(), path, value);
                for (key, value) in entries {
                    self.value(&map.key, &format!("{path}.key"), &Value::String(key.clone()));
                    self.value(&map.value, &format!("{path}.{key}.member"), value);
                }
            }
            (Shape::String(text), Value::String(string)) => self.text(text, path, string),
            (Shape::Blob(length), Value::String(base64)) => {
                let padding = base64.bytes().rev().take_while(|byte| *byte == b'=').count();
                self.length(*length, base64.len() / 4 * 3 - padding, path, &Value::Null);
            }
            (Shape::Integer(range), value) => match self.number(value) {
                Some(number) if number.fract() == 0.0 => self.range(*range, number, path, value),
                _ => self.wrong_kind("an integer", path, value),
            },
            (Shape::Double(range), value) => match self.number(value) {
                Some(number) => self.range(*range, number, path, value),
                None => self.wrong_kind("a number", path, value),
            },
            (Shape::Boolean, Value::Bool(_)) | (Shape::Timestamp, Value::Number(_) | Value::String(_)) => (),
            (Shape::Boolean, Value::String(text)) if self.model.has_texts_for_numbers() => {
                if !["true", "false"].contains(&text.as_str()) {
                    self.wrong_kind("a boolean", path, value);
                }
            }
            (shape, value) => self.wrong_kind(shape.kind(), path, value),
        }
    }

    fn structure(&mut self, structure: &Structure, path: &str, value: &Value) {
        let below = |name: &str| if path.is_empty() { camel(name) } else { format!("{path}.{}", camel(name)) };
        for name in structure.required.iter().filter(|name| value[name.as_str()].is_null()) {
            self.found.push(Violation { path: below(name), value: None, wrong: Wrong::Missing });
        }
        let fields = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let mut count = 0;
        for (name, value) in fields {
            count += 1;
            match structure.members.get(name) {
                Some(shape) => self.value(shape, &below(name), value),
                None => self.unknown(vec![below(name)]),
            }
        }
        if structure.union && count != 1 {
            self.constraint(path, value, "Member must have exactly one of its members".to_owned());
        }
    }

    fn text(&mut self, text: &Text, path: &str, string: &str) {
        let shown = if text.sensitive { Value::Null } else { Value::String(string.to_owned()) };
        self.length(text.length, string.chars().count(), path, &shown);
        if let Some(java) = &text.pattern
            && !pattern::matches(java, string)
        {
            self.constraint(path, &shown, format!("Member must satisfy regular expression pattern: {java}"));
        }
        if !text.values.is_empty() && !text.values.iter().any(|value| value == string) {
            let values = text.values.join(", ");
            self.constraint(path, &shown, format!("Member must satisfy enum value set: [{values}]"));
        }
    }

    fn length(&mut self, allowed: Length, length: usize, path: &str, value: &Value) {
        let length = u64::try_from(length).expect("nothing is longer than memory");
        if let Some(max) = allowed.max.filter(|max| length > *max) {
            self.constraint(path, value, format!("Member must have length less than or equal to {max}"));
        }
        if let Some(min) = allowed.min.filter(|min| length < *min) {
            self.constraint(path, value, format!("Member must have length greater than or equal to {min}"));
        }
    }

    fn range(&mut self, allowed: Range, number: f64, path: &str, value: &Value) {
        if let Some(max) = allowed.max.filter(|max| number > *max) {
            self.constraint(path, value, format!("Member must have value less than or equal to {max}"));
        }
        if let Some(min) = allowed.min.filter(|min| number < *min) {
            self.constraint(path, value, format!("Member must have value greater than or equal to {min}"));
        }
    }

    fn number(&self, value: &Value) -> Option<f64> {
        match value {
            Value::String(text) if self.model.has_texts_for_numbers() => text.parse().ok(),
            value => value.as_f64(),
        }
    }

    fn wrong_kind(&mut self, kind: &str, path: &str, value: &Value) {
        self.constraint(path, value, format!("Member must be {kind}"));
    }

    fn constraint(&mut self, path: &str, value: &Value, constraint: String) {
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        self.found.push(Violation { path: path.to_owned(), value, wrong: Wrong::Constraint(constraint) });
    }
}

impl Shape {
    fn kind(&self) -> &'static str {
        match self {
            Self::Structure(_) => "a structure",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::String(_) => "a text",
            Self::Blob(_) => "a blob",
            Self::Integer(_) => "an integer",
            Self::Double(_) => "a number",
            Self::Boolean => "a boolean",
            Self::Timestamp => "a time",
        }
    }
}

/// Messages begin names small, whatever requests do.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}
