//! Reads settings one by one out of flat text, remembering every problem and every key nobody asked for.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problems::{Problem, Problems, nearest};

/// A value with the place it came from.
#[derive(Clone, Debug)]
struct Setting {
    value: Value,
    file: String,
    line: Option<usize>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Integer(i64),
    Decimal(f64),
    Flag(bool),
    List(Vec<String>),
    Numbers(Vec<i64>),
    Other(&'static str),
}

/// Settings by key, being read.
pub(crate) struct Reader {
    file: String,
    settings: BTreeMap<String, Setting>,
    known: Vec<String>,
    problems: Vec<Problem>,
}

impl Reader {
    /// Takes in a TOML document, its sections flattened to dotted keys.
    pub(crate) fn of_toml(file: &str, text: &str) -> Result<Self, Problems> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            let message = error.message().to_owned();
            let hint = Some("this file must be TOML: `key = value` lines under [section] headers".to_owned());
            Problems(vec![Problem { file: file.to_owned(), line, key: String::new(), message, hint }])
        })?;
        let mut settings = BTreeMap::new();
        flatten("", table.get_ref(), &mut |key, value: &Spanned<DeValue<'_>>| {
            let line = Some(line_of(text, value.span().start));
            settings.insert(key, Setting { value: Value::of(value.get_ref()), file: file.to_owned(), line });
        });
        Ok(Self { file: file.to_owned(), settings, known: Vec::new(), problems: Vec::new() })
    }

    /// Takes in variables; an empty one counts as absent.
    pub(crate) fn of_variables(names: &[&str], get: &dyn Fn(&str) -> Option<String>) -> Self {
        let file = "environment".to_owned();
        let set = |name: &&str| Some(((*name).to_owned(), get(name).filter(|value| !value.is_empty())?));
        let setting = |value| Setting { value: Value::Text(value), file: file.clone(), line: None };
        let settings = names.iter().filter_map(set).map(|(name, value)| (name, setting(value))).collect();
        Self { file, settings, known: Vec::new(), problems: Vec::new() }
    }

    /// Puts one value above what the file says.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let document = format!("value = {value}");
        let parsed = DeTable::parse(&document).ok().and_then(|table| {
            let value = table.get_ref().iter().next()?.1;
            Some(Value::of(value.get_ref()))
        });
        // `edge.certificate_arn=arn:aws:…` is no TOML value; people mean the text.
        let value = parsed.unwrap_or_else(|| Value::Text(value.to_owned()));
        self.settings.insert(key.to_owned(), Setting { value, file: "--set".to_owned(), line: None });
    }

    pub(crate) fn problem(&mut self, key: &str, message: impl Display, hint: impl Display) {
        let setting = self.settings.get(key);
        self.problems.push(Problem {
            file: setting.map_or_else(|| self.file.clone(), |setting| setting.file.clone()),
            line: setting.and_then(|setting| setting.line),
            key: key.to_owned(),
            message: message.to_string(),
            hint: Some(hint.to_string()),
        });
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.push(key.to_owned());
        self.settings.get(key).map(|setting| setting.value.clone())
    }

    fn missing(&mut self, key: &str, wanted: &str) {
        self.problem(key, "is missing", format_args!("add it: {wanted}"));
    }

    /// A text that may be absent.
    pub(crate) fn optional(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::Text(text) => Some(text),
            other => {
                self.problem(key, format_args!("is {}, not a text", other.what()), "put it in quotes");
                None
            }
        }
    }

    /// A text that must be there and pass a check that says what is wrong and what is right.
    pub(crate) fn text(&mut self, key: &str, check: impl Fn(&str) -> Result<(), (String, String)>) -> String {
        let absent = !self.settings.contains_key(key);
        let Some(text) = self.optional(key) else {
            if absent {
                self.missing(key, "a text in quotes");
            }
            return String::new();
        };
        if let Err((message, hint)) = check(&text) {
            self.problem(key, message, hint);
        }
        text
    }

    /// A text that is optional but must pass the check if it is there.
    pub(crate) fn checked(
        &mut self,
        key: &str,
        check: impl Fn(&str) -> Result<(), (String, String)>,
    ) -> Option<String> {
        let text = self.optional(key)?;
        if let Err((message, hint)) = check(&text) {
            self.problem(key, message, hint);
        }
        Some(text)
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        let text = self.text(key, |_| Ok(()));
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return *choice;
        }
        if !text.is_empty() {
            let hint = match nearest(&text, words.iter().copied()) {
                Some(word) => format!("did you mean {word}?"),
                None => format!("choose one of {}", words.join(", ")),
            };
            self.problem(key, format_args!("{text:?} is not known"), hint);
        }
        choices[0].1
    }

    /// A whole number within a range.
    pub(crate) fn number<T>(&mut self, key: &str, range: RangeInclusive<T>) -> T
    where
        T: Copy + TryFrom<i64> + PartialOrd + Display,
    {
        let number = match self.take(key) {
            Some(Value::Integer(number)) => Some(number),
            // Variables are always texts.
            Some(Value::Text(text)) => text.trim().parse().ok(),
            Some(_) => None,
            None => {
                let wanted = format!("a whole number from {} to {}", range.start(), range.end());
                self.missing(key, &wanted);
                return *range.start();
            }
        };
        let number = number.and_then(|number| T::try_from(number).ok()).filter(|number| range.contains(number));
        number.unwrap_or_else(|| {
            let hint = format!("give a whole number from {} to {}", range.start(), range.end());
            self.problem(key, "is not in range", hint);
            *range.start()
        })
    }

    /// A number that may have a point, within a range.
    pub(crate) fn decimal(&mut self, key: &str, range: RangeInclusive<f64>) -> f64 {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        let number = match self.take(key) {
            Some(Value::Decimal(number)) => number,
            Some(Value::Integer(number)) => i32::try_from(number).map_or(f64::NAN, f64::from),
            Some(_) => f64::NAN,
            None => {
                self.missing(key, &wanted);
                return *range.start();
            }
        };
        if !range.contains(&number) {
            self.problem(key, "is not in range", format_args!("give {wanted}"));
        }
        number
    }

    /// A list of whole numbers, each within a range.
    pub(crate) fn numbers<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Vec<T>
    where
        T: Copy + TryFrom<i64> + PartialOrd + Display,
    {
        let numbers = match self.take(key) {
            Some(Value::Numbers(numbers)) => numbers,
            _ => Vec::new(),
        };
        let number = |number: &i64| T::try_from(*number).ok().filter(|number| range.contains(number));
        let known: Vec<T> = numbers.iter().filter_map(number).collect();
        if known.is_empty() || known.len() != numbers.len() {
            let hint = format!("give a list of whole numbers from {} to {}", range.start(), range.end());
            self.problem(key, "is missing or not a list of numbers in range", hint);
        }
        known
    }

    /// A number that has a default.
    pub(crate) fn number_or<T>(&mut self, key: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: Copy + TryFrom<i64> + PartialOrd + Display,
    {
        if self.settings.contains_key(key) {
            return self.number(key, range);
        }
        self.known.push(key.to_owned());
        default
    }

    /// Yes or no, with a default.
    pub(crate) fn flag_or(&mut self, key: &str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Flag(flag)) => flag,
            Some(other) => {
                self.problem(key, format_args!("is {}, not true or false", other.what()), "write true or false");
                default
            }
        }
    }

    /// Whether anything is said about a section.
    pub(crate) fn has_section(&self, section: &str) -> bool {
        self.settings.keys().any(|key| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.')))
    }

    /// A list of texts, each of which passes the check.
    pub(crate) fn list(&mut self, key: &str, check: impl Fn(&str) -> Result<(), (String, String)>) -> Vec<String> {
        let Some(Value::List(items)) = self.take(key) else {
            self.problem(key, "is missing or not a list", "give a list of texts: [\"…\", \"…\"]");
            return Vec::new();
        };
        for item in &items {
            if let Err((message, hint)) = check(item) {
                self.problem(key, message, hint);
            }
        }
        items
    }

    /// The keys that were asked for, each once.
    pub(crate) fn into_known(self) -> Vec<String> {
        let mut known = Vec::new();
        for key in self.known {
            if !known.contains(&key) {
                known.push(key);
            }
        }
        known
    }

    /// Ends the reading: keys that nobody asked for are problems too.
    pub(crate) fn finish(mut self) -> Result<(), Problems> {
        let unknown: Vec<_> = self.settings.keys().filter(|key| !self.known.contains(key)).cloned().collect();
        for key in unknown {
            let hint = match nearest(&key, self.known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "remove it; the known keys are in the built-in configurations".to_owned(),
            };
            self.problem(&key, "is not a known key", hint);
        }
        self.problems.sort_by_key(|problem| problem.line);
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

fn flatten<'a>(prefix: &str, table: &DeTable<'a>, each: &mut impl FnMut(String, &Spanned<DeValue<'a>>)) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) => flatten(&path, inner, each),
            _ => each(path, value),
        }
    }
}

impl Value {
    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other("a number too large"), Self::Integer),
            DeValue::Array(items) => {
                let items = || items.iter().map(|item| Self::of(item.get_ref()));
                let text = |item| if let Self::Text(text) = item { Some(text) } else { None };
                let number = |item| if let Self::Integer(number) = item { Some(number) } else { None };
                let texts = items().map(text).collect::<Option<_>>().map(Self::List);
                texts
                    .or_else(|| items().map(number).collect::<Option<_>>().map(Self::Numbers))
                    .unwrap_or(Self::Other("a list of unlike things"))
            }
            DeValue::Float(number) => {
                number.as_str().parse().map_or(Self::Other("no number that can be read"), Self::Decimal)
            }
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Table(_) => Self::Other("a section"),
        }
    }

    fn what(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Decimal(_) => "a number with a point",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Numbers(_) => "a list of numbers",
            Self::Other(what) => what,
        }
    }
}
