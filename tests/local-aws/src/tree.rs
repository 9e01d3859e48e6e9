//! A document without its notation: JSON, CBOR and XML become the same kind of tree.

use std::collections::BTreeMap;

use provision::transcript::Body;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::cbor;

/// A value in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Text(String),
    Fields(BTreeMap<String, Self>),
    List(Vec<Self>),
}

impl Tree {
    pub(crate) fn of_body(body: Option<&Body>) -> Self {
        match body {
            Some(Body::Json(value)) => Self::of_json(value),
            Some(Body::Text(text)) => Self::of_text(text),
            Some(body @ Body::Base64(_)) => Self::of_json(&cbor::read(&body.bytes())),
            _ => Self::empty(),
        }
    }

    /// Reads JSON or XML; anything else is a plain text.
    pub(crate) fn of_text(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(value) => Self::of_json(&value),
            Err(_) if text.trim_start().starts_with('<') => of_xml(text),
            Err(_) => Self::Text(text.to_owned()),
        }
    }

    fn empty() -> Self {
        Self::Fields(BTreeMap::new())
    }

    fn of_json(value: &Value) -> Self {
        match value {
            Value::Object(fields) => {
                Self::Fields(fields.iter().map(|(key, value)| (key.clone(), Self::of_json(value))).collect())
            }
            Value::Array(elements) => Self::List(elements.iter().map(Self::of_json).collect()),
            Value::String(text) => Self::Text(text.clone()),
            other => Self::Text(other.to_string()),
        }
    }

    /// Every text with its path, in which all elements of a list have the same place.
    pub(crate) fn leaves(&self) -> BTreeMap<String, Vec<String>> {
        let mut leaves = BTreeMap::new();
        self.collect("", &mut leaves);
        leaves
    }

    fn collect(&self, path: &str, leaves: &mut BTreeMap<String, Vec<String>>) {
        match self {
            Self::Text(text) => leaves.entry(path.to_owned()).or_default().push(text.clone()),
            Self::List(elements) => elements.iter().for_each(|it| it.collect(&format!("{path}[]"), leaves)),
            Self::Fields(fields) => {
                for (key, value) in fields {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    value.collect(&path, leaves);
                }
            }
        }
    }

    /// Puts a value beside those of the same name.
    fn add(self, fields: &mut BTreeMap<String, Self>, name: String) {
        match fields.get_mut(&name) {
            Some(Self::List(elements)) => elements.push(self),
            Some(one) => *one = Self::List(vec![one.clone(), self]),
            // The elements of a list are a list even when there is one.
            None if ["item", "member"].contains(&name.as_str()) => drop(fields.insert(name, Self::List(vec![self]))),
            None => drop(fields.insert(name, self)),
        }
    }
}

/// Reads as far as the text is XML.
fn of_xml(text: &str) -> Tree {
    let mut reader = Reader::from_str(text);
    let mut open = vec![(String::new(), BTreeMap::new(), String::new())];
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                open.push((name, BTreeMap::new(), String::new()));
            }
            Ok(Event::Empty(element)) => {
                let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                if let Some((_, fields, _)) = open.last_mut() {
                    Tree::Text(String::new()).add(fields, name);
                }
            }
            Ok(Event::Text(part)) => {
                if let Some((_, _, text)) = open.last_mut() {
                    text.push_str(part.unescape().unwrap_or_default().trim());
                }
            }
            Ok(Event::End(_)) if open.len() > 1 => close(&mut open),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => (),
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().map_or_else(Tree::empty, |(_, fields, _)| Tree::Fields(fields))
}

fn close(open: &mut Vec<(String, BTreeMap<String, Tree>, String)>) {
    let Some((name, fields, text)) = open.pop() else { return };
    if let Some((_, around, _)) = open.last_mut() {
        let value = if fields.is_empty() { Tree::Text(text) } else { Tree::Fields(fields) };
        value.add(around, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_and_json_become_the_same_tree() {
        let xml = "<?xml version=\"1.0\"?><R xmlns=\"x\"><L><member><S>a &amp; b</S></member></L><N/></R>";
        let json = r#"{"R": {"L": {"member": [{"S": "a & b"}]}, "N": ""}}"#;
        assert_eq!(Tree::of_text(xml), Tree::of_text(json));
        assert_eq!(Tree::of_text(xml).leaves()["R.L.member[].S"], ["a & b"]);
    }
}
