//! Flat fields of a query (`Actions.member.1.Type`) as the nested XML of the answer to it, and XML bodies as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use xmlparser::{ElementEnd, Token, Tokenizer};

/// What a query service was asked for: paths with dots, and texts.
pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Default)]
struct Tree {
    text: Option<String>,
    children: BTreeMap<Key, Self>,
}

/// Numbers sort as numbers, so that the tenth member comes after the ninth.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(u32),
    Name(String),
}

/// Writes fields as XML elements; a list's `member.1` becomes `<member>`.
pub(crate) fn elements(fields: &Fields) -> String {
    let mut root = Tree::default();
    for (path, text) in fields {
        let mut tree = &mut root;
        for part in path.split('.') {
            let key = part.parse().map_or_else(|_| Key::Name(part.to_owned()), Key::Number);
            tree = tree.children.entry(key).or_default();
        }
        tree.text = Some(text.clone());
    }
    let mut xml = String::new();
    write(&root, &mut xml);
    xml
}

fn write(tree: &Tree, xml: &mut String) {
    for (key, child) in &tree.children {
        match key {
            Key::Name(name) => {
                let is_list = child.children.keys().any(|key| matches!(key, Key::Number(_)));
                if is_list {
                    for member in child.children.values() {
                        element(name, member, xml);
                    }
                } else {
                    element(name, child, xml);
                }
            }
            Key::Number(_) => write(child, xml),
        }
    }
}

fn element(name: &str, tree: &Tree, xml: &mut String) {
    write!(xml, "<{name}>").expect("a text takes all that memory holds");
    if let Some(text) = &tree.text {
        xml.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
    }
    write(tree, xml);
    write!(xml, "</{name}>").expect("a text takes all that memory holds");
}

/// What Route 53 sends as lists; XML itself does not tell a list of one from a structure.
const LISTS: [&str; 4] = ["Changes", "ResourceRecords", "AddTags", "RemoveTagKeys"];

/// Reads the children of a body's root; what is no XML is null.
pub(crate) fn read(body: &str) -> Value {
    // Each open element: its name, its text so far, its children.
    let mut open = vec![(String::new(), String::new(), Vec::<(String, Value)>::new())];
    for token in Tokenizer::from(body) {
        match token {
            Ok(Token::ElementStart { local, .. }) => {
                open.push((local.as_str().to_owned(), String::new(), Vec::new()));
            }
            Ok(Token::Text { text }) => {
                let text = text.as_str().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
                open.last_mut().expect("the first is never closed").1.push_str(&text.replace("&amp;", "&"));
            }
            Ok(Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, .. }) if open.len() > 1 => {
                let (name, text, children) = open.pop().expect("it was counted a moment ago");
                let value = nested(&name, text, children);
                open.last_mut().expect("the first is never closed").2.push((name, value));
            }
            Ok(_) => (),
            Err(_) => return Value::Null,
        }
    }
    open.pop().and_then(|(_, _, mut children)| children.pop()).map_or(Value::Null, |(_, root)| root)
}

fn nested(name: &str, text: String, children: Vec<(String, Value)>) -> Value {
    if LISTS.contains(&name) {
        return Value::Array(children.into_iter().map(|(_, value)| value).collect());
    }
    if children.is_empty() { Value::String(text) } else { Value::Object(children.into_iter().collect::<Map<_, _>>()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_read_as_their_roots_children_with_lists_of_one() {
        let body =
            "<?xml version=\"1.0\"?><Root xmlns=\"x\"><A>1 &amp; 2</A><Changes><Change><B/></Change></Changes></Root>";
        assert_eq!(read(body), json!({"A": "1 & 2", "Changes": [{"B": ""}]}));
        assert_eq!(read(""), Value::Null);
    }

    #[test]
    fn lists_keep_their_order_and_texts_are_escaped() {
        let fields = [("Name", "a<b"), ("L.member.10.X", "ten"), ("L.member.9.X", "nine"), ("L.member.9.Y", "&")];
        let fields = fields.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        assert_eq!(
            elements(&fields),
            "<L><member><X>nine</X><Y>&amp;</Y></member><member><X>ten</X></member></L><Name>a&lt;b</Name>"
        );
    }
}
