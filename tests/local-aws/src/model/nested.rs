//! The flat fields of a query (`Actions.member.1.Type`), and bodies in XML, as the nested value that the model describes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::shape::{Model, Shape};
use crate::tree::Tree;

/// Fields that have not been placed yet, by their paths.
type Left = BTreeMap<String, String>;

/// Nests fields by the model; gives also the paths that have no place in it.
pub(super) fn nest(model: &Model, input: &str, fields: &Value) -> (Value, Vec<String>) {
    let fields = fields.as_object().into_iter().flatten();
    let mut left: Left =
        fields.map(|(path, text)| (path.clone(), text.as_str().unwrap_or_default().to_owned())).collect();
    left.remove("Action");
    left.remove("Version");
    let nested = value(model, input, "", &mut left);
    (nested, left.into_keys().collect())
}

/// Takes what lies at a path, or below it.
fn value(model: &Model, shape: &str, path: &str, left: &mut Left) -> Value {
    match model.shape(shape) {
        Shape::Structure(structure) => {
            let members = structure.members.iter().filter_map(|(name, shape)| {
                let path = join(path, name);
                is_there(&path, left).then(|| (name.clone(), value(model, shape, &path, left)))
            });
            Value::Object(members.collect())
        }
        Shape::List(list) => {
            // A list without elements is a path with an empty text.
            left.remove(path);
            let base = list.item.as_deref().map_or_else(|| path.to_owned(), |item| join(path, item));
            Value::Array(numbered(&base, left, |path, left| value(model, &list.member, path, left)))
        }
        Shape::Map(map) => {
            left.remove(path);
            let entries = numbered(&join(path, "entry"), left, |path, left| {
                let key = left.remove(&join(path, "key")).unwrap_or_default();
                (key, value(model, &map.value, &join(path, "value"), left))
            });
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        _ => left.remove(path).map_or(Value::Null, Value::String),
    }
}

/// Takes the elements `base.1`, `base.2` and so on.
fn numbered<T>(base: &str, left: &mut Left, mut element: impl FnMut(&str, &mut Left) -> T) -> Vec<T> {
    let mut elements = Vec::new();
    loop {
        let path = format!("{base}.{}", elements.len() + 1);
        if !is_there(&path, left) {
            return elements;
        }
        elements.push(element(&path, left));
    }
}

/// Whether anything lies at a path or below it.
fn is_there(path: &str, left: &Left) -> bool {
    let below = format!("{path}.");
    left.contains_key(path) || left.range(below.clone()..).next().is_some_and(|(next, _)| next.starts_with(&below))
}

/// The fields of path and query together with those of an XML body, which is the field `Body`.
pub(super) fn of_xml(model: &Model, input: &str, fields: &Value) -> Value {
    let mut all = fields.as_object().cloned().unwrap_or_default();
    let body = all.remove("Body").and_then(|body| Some(Tree::of_text(body.as_str()?)));
    // A path without an identifier has an empty one.
    all.retain(|_, value| value != "");
    // The document's one element is named for the operation.
    if let Some(Tree::Fields(document)) = body
        && let Some(root) = document.values().next()
        && let Value::Object(more) = of_tree(model, input, root)
    {
        all.extend(more);
    }
    Value::Object(all)
}

fn of_tree(model: &Model, shape: &str, tree: &Tree) -> Value {
    match (model.shape(shape), tree) {
        (Shape::Structure(structure), Tree::Fields(fields)) => {
            let member = |(name, tree): (&String, &Tree)| {
                let value = structure.members.get(name).map_or(Value::from(""), |shape| of_tree(model, shape, tree));
                (name.clone(), value)
            };
            Value::Object(fields.iter().map(member).collect())
        }
        (Shape::List(list), Tree::Fields(fields)) => {
            let elements = list.item.as_ref().and_then(|item| fields.get(item));
            let of_element = |tree| of_tree(model, &list.member, tree);
            match elements {
                Some(Tree::List(elements)) => elements.iter().map(of_element).collect(),
                one => one.into_iter().map(of_element).collect(),
            }
        }
        (Shape::Structure(_), Tree::Text(_)) => Value::Object(Map::new()),
        (Shape::List(_), Tree::Text(_)) => Value::Array(Vec::new()),
        (_, Tree::Text(text)) => Value::String(text.clone()),
        _ => Value::Null,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
