//! What the simulation calls the things that AWS gave other names to.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::tree::Tree;

/// What is written in other signs in a form.
const IN_FORMS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// AWS's names, longest first when they are replaced, so that an ARN goes before the identifier in it.
#[derive(Debug, Default)]
pub(super) struct Names {
    ours: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn learn(&mut self, theirs: &str, ours: &str) {
        // The first meaning stays: it was learnt when the thing was made. What is called the same on both sides stays so.
        if is_name(theirs) {
            self.ours.entry(theirs.to_owned()).or_insert_with(|| ours.to_owned());
        }
    }

    /// Learns from two answers to the same question, as far as they have the same form. Answers that list what exists
    /// are not `ordered`: only of a single thing it is known which one it is.
    pub(super) fn compare(&mut self, theirs: &Tree, ours: &Tree, ordered: bool) {
        match (theirs, ours) {
            (Tree::Text(theirs), Tree::Text(ours)) => self.learn(theirs, ours),
            (Tree::Fields(theirs), Tree::Fields(ours)) => {
                for (key, theirs) in theirs {
                    if let Some(ours) = ours.get(key) {
                        self.compare(theirs, ours, ordered);
                    }
                }
            }
            (Tree::List(theirs), Tree::List(ours)) if theirs.len() == ours.len() && (ordered || ours.len() == 1) => {
                theirs.iter().zip(ours).for_each(|(theirs, ours)| self.compare(theirs, ours, ordered));
            }
            _ => (),
        }
    }

    /// A text of AWS's in the simulation's names.
    pub(super) fn translate(&self, text: &str) -> String {
        let mut pairs: Vec<_> = self.ours.iter().filter(|(theirs, _)| text.contains(theirs.as_str())).collect();
        pairs.sort_by_key(|(theirs, _)| std::cmp::Reverse(theirs.len()));
        let mut done = text.to_owned();
        for (index, (theirs, _)) in pairs.iter().enumerate() {
            // By way of a mark, or a name of ours could be taken for one of theirs.
            done = done.replace(theirs.as_str(), &mark(index));
        }
        for (index, (_, ours)) in pairs.iter().enumerate() {
            done = done.replace(&mark(index), ours);
        }
        done
    }
}

impl Names {
    /// A form of AWS's, whose values are written in other signs.
    pub(super) fn translate_form(&self, form: &str) -> String {
        let pair = |pair: &str| {
            let Some((name, value)) = pair.split_once('=') else { return pair.to_owned() };
            let value = value.replace('+', " ");
            let value = self.translate(&percent_decode_str(&value).decode_utf8_lossy());
            format!("{name}={}", utf8_percent_encode(&value, IN_FORMS))
        };
        form.split('&').map(pair).collect::<Vec<_>>().join("&")
    }

    /// Every text in a document of AWS's.
    pub(super) fn translate_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.translate(text)),
            Value::Array(items) => items.iter().map(|item| self.translate_value(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), self.translate_value(value))).collect()
            }
            other => other.clone(),
        }
    }
}

fn mark(index: usize) -> String {
    format!("\u{1}{index}\u{2}")
}

/// Whether a text names a thing: made by a machine, and neither a number nor a time.
fn is_name(text: &str) -> bool {
    let is_time = text.contains('T') && text.contains(':') && text.ends_with('Z');
    let is_account = text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit());
    let is_number = text.parse::<f64>().is_ok() && !is_account;
    text.len() >= 8 && text.bytes().any(|it| it.is_ascii_digit()) && !text.contains(' ') && !is_time && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_learnt_where_answers_have_one_form_and_replaced_longest_first() {
        let mut names = Names::default();
        let theirs = Tree::of_text(r#"{"id": "vpc-0aaa1111", "arn": "arn:aws:x:1:vpc/vpc-0aaa1111", "l": [1, 2]}"#);
        let ours = Tree::of_text(r#"{"id": "vpc-2bbb", "arn": "arn:aws:x:2:thing/vpc-2bbb", "l": [1]}"#);
        names.compare(&theirs, &ours, true);
        let text = names.translate("VpcId=vpc-0aaa1111&Arn=arn:aws:x:1:vpc/vpc-0aaa1111");
        assert_eq!(text, "VpcId=vpc-2bbb&Arn=arn:aws:x:2:thing/vpc-2bbb");
    }

    #[test]
    fn names_are_replaced_in_forms_and_documents_too() {
        let mut names = Names::default();
        names.learn("arn:aws:x:000000000000:a/1", "arn:aws:x:123456789012:b/2");
        names.learn("000000000000", "123456789012");
        let form = names.translate_form("Action=Do&Arn=arn%3Aaws%3Ax%3A000000000000%3Aa%2F1&Text=a+b");
        assert_eq!(form, "Action=Do&Arn=arn%3Aaws%3Ax%3A123456789012%3Ab%2F2&Text=a%20b");
        let document = serde_json::json!({"Arns": ["arn:aws:x:000000000000:a/1"], "Count": 1});
        let expected = serde_json::json!({"Arns": ["arn:aws:x:123456789012:b/2"], "Count": 1});
        assert_eq!(names.translate_value(&document), expected);
    }

    #[test]
    fn times_and_plain_words_are_no_names_but_accounts_are() {
        assert!(!is_name("2026-11-24T10:00:00Z") && !is_name("provisioning") && !is_name("1764000000.5"));
        assert!(is_name("111122223333") && is_name("fs-0123456789abcdef0"));
    }
}
