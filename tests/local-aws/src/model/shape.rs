//! What a service model says of its operations and their fields.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One service.
#[derive(Debug, Deserialize)]
pub(super) struct Model {
    protocol: String,
    /// The shape of each operation's input, if it takes any.
    pub(super) operations: BTreeMap<String, Option<String>>,
    shapes: BTreeMap<String, Shape>,
}

impl Model {
    /// Whether requests name their fields by paths (`Subnets.member.1`) instead of nesting them.
    pub(super) fn is_flat(&self) -> bool {
        matches!(self.protocol.as_str(), "ec2" | "query")
    }

    /// Whether the body is XML.
    pub(super) fn is_xml(&self) -> bool {
        self.protocol == "rest-xml"
    }

    /// Whether numbers may arrive as texts, because the protocol has nothing but texts in places.
    pub(super) fn has_texts_for_numbers(&self) -> bool {
        self.is_flat() || self.protocol.starts_with("rest-")
    }

    pub(super) fn shape(&self, name: &str) -> &Shape {
        self.shapes
            .get(name)
            .unwrap_or_else(|| panic!("the model does not say what a {name} is; run models/refresh.py"))
    }

    #[cfg(test)]
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.shapes.values().filter_map(|shape| match shape {
            Shape::String(text) => text.pattern.as_deref(),
            _ => None,
        })
    }
}

/// What a value must look like.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Shape {
    Structure(Structure),
    List(List),
    Map(Map),
    String(Text),
    Blob(Length),
    #[serde(alias = "long")]
    Integer(Range),
    #[serde(alias = "float")]
    Double(Range),
    Boolean,
    Timestamp,
}

#[derive(Debug, Deserialize)]
pub(super) struct Structure {
    /// The shape of each member, by its name in requests.
    pub(super) members: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    /// Whether exactly one member must be there.
    #[serde(default)]
    pub(super) union: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) member: String,
    /// What stands between the list's name and the number of an element; nothing in flat lists.
    pub(super) item: Option<String>,
    #[serde(flatten)]
    pub(super) length: Length,
}

#[derive(Debug, Deserialize)]
pub(super) struct Map {
    pub(super) key: String,
    pub(super) value: String,
    #[serde(flatten)]
    pub(super) length: Length,
}

#[derive(Debug, Deserialize)]
pub(super) struct Text {
    #[serde(flatten)]
    pub(super) length: Length,
    pub(super) pattern: Option<String>,
    #[serde(default, rename = "enum")]
    pub(super) values: Vec<String>,
    /// Whether the value must not appear in messages.
    #[serde(default)]
    pub(super) sensitive: bool,
}

/// A number of characters, bytes or elements.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Length {
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Range {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}
