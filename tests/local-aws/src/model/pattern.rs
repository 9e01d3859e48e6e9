//! The patterns of service models, which are Java's, in the words of the regex crate.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use fancy_regex::Regex;

use crate::lock;

/// Patterns that cannot be compiled; a text is taken to match them.
const SKIPPED: [&str; 0] = [];

static COMPILED: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);

/// Whether the whole text matches, as AWS asks of it.
pub(super) fn matches(java: &str, text: &str) -> bool {
    let mut compiled = lock(&COMPILED);
    if !compiled.contains_key(java) {
        let regex = (!SKIPPED.contains(&java)).then(|| compile(java).unwrap_or_else(|error| panic!("{error}: {java}")));
        compiled.insert(java.to_owned(), regex);
    }
    compiled[java].as_ref().is_none_or(|regex| regex.is_match(text).unwrap_or_else(|error| panic!("{error}: {java}")))
}

fn compile(java: &str) -> Result<Regex, fancy_regex::Error> {
    Regex::new(&format!(r"\A(?:{})\z", translated(java)))
}

/// Java counts a character outside the basic plane as two, its classes know ASCII only, and it repeats look-aheads.
fn translated(java: &str) -> String {
    let astral = java.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}");
    let ascii =
        [(r"\w", "[0-9A-Za-z_]"), (r"\d", "[0-9]"), (r"\s", r"[ \t\n\x0B\f\r]"), (r"\p{Print}", r"[\x20-\x7E]")];
    let ascii = ascii.into_iter().fold(astral, |text, (class, set)| text.replace(class, set));
    let repeated = ascii.replace(r"(?!\.)+", r"(?!\.)");
    unicode(&repeated)
}

/// `\u0020` is written `\x{0020}` here.
fn unicode(text: &str) -> String {
    let mut parts = text.split(r"\u");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| match part.split_at_checked(4) {
        Some((digits, rest)) => format!(r"{done}\x{{{digits}}}{rest}"),
        None => format!(r"{done}\u{part}"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::MODELS;
    use super::*;

    #[test]
    fn every_pattern_compiles_but_those_that_are_skipped_for_that() {
        for pattern in MODELS.values().flat_map(|model| model.patterns()) {
            let compiled = compile(pattern);
            assert_eq!(compiled.is_err(), SKIPPED.contains(&pattern), "{pattern}: {:?}", compiled.err());
        }
        let known: Vec<_> = MODELS.values().flat_map(|model| model.patterns()).collect();
        assert!(SKIPPED.iter().all(|skipped| known.contains(skipped)), "a skipped pattern is in no model any more");
    }

    #[test]
    fn the_whole_text_must_match_and_classes_are_asciis() {
        assert!(matches(r"[\w+=,.@-]+", "deploy-1@x"));
        assert!(!matches(r"[\w+=,.@-]+", "deploy role"));
        assert!(!matches(r"\w+", "天気"));
        assert!(!matches(r"\d{12}", "１２３４５６７８９０１２"));
        assert!(matches(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "天気 1"));
    }

    #[test]
    fn characters_by_number_and_pairs_of_surrogates_are_understood() {
        let pattern = r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*";
        assert!(matches(pattern, "service/天気 ☂ 🌂\n"));
        assert!(!matches(pattern, "\u{7}"));
        assert!(!matches(r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", "a — b"));
    }
}
