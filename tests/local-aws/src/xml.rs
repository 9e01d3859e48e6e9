//! Flat fields of a query (`Actions.member.1.Type`) as the nested XML of the answer to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a query service was asked for: paths with dots, and texts.
pub(crate) type Fields = BTreeMap<String, String>;

/// What is in the elements of a name, wherever they are; they do not contain each other.
pub(crate) fn parts<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let after = text.split(&open).skip(1);
    after.filter_map(|rest| rest.split_once(&close).map(|(part, _)| part)).collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;

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
