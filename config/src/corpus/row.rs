//! One row of the corpus, read with everything that is wrong with it.

use std::fmt;

use enumset::{EnumSet, EnumSetType};

use super::{Kind, Months, Phenomenon, Phrase, Region, Season, Sky, Theme, Time, Window};
use crate::rules::Rules;

/// One row while it is read, with what is wrong with it.
pub(super) struct Row<'a> {
    cells: Option<&'a csv::StringRecord>,
    wrong: Vec<(String, String)>,
}

pub(super) const COLUMNS: [&str; 22] = [
    "id",
    "kind",
    "text",
    "seasons",
    "months",
    "skies",
    "rain_min",
    "rain_max",
    "temp_min",
    "temp_max",
    "wind_min",
    "humidity_min",
    "humidity_max",
    "time",
    "themes",
    "phenomenon",
    "caution",
    "tone",
    "regions_only",
    "regions_excluded",
    "coastal",
    "weight",
];

impl<'a> Row<'a> {
    pub(super) fn new(cells: &'a csv::StringRecord) -> Self {
        Self { cells: Some(cells), wrong: Vec::new() }
    }

    pub(super) fn broken(error: &csv::Error) -> Self {
        Self { cells: None, wrong: vec![(String::new(), error.to_string())] }
    }

    fn cell(&self, column: &str) -> &'a str {
        let index = COLUMNS.iter().position(|name| *name == column);
        index.and_then(|index| self.cells?.get(index)).unwrap_or_default().trim()
    }

    fn refuse(&mut self, column: &str, message: impl fmt::Display) {
        self.wrong.push((column.to_owned(), message.to_string()));
    }

    fn list<T>(&mut self, column: &str, of: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut items = Vec::new();
        for word in self.cell(column).split('|').filter(|word| !word.is_empty()) {
            match of(word) {
                Some(item) => items.push(item),
                None => self.refuse(column, format_args!("{word:?} is not known")),
            }
        }
        items
    }

    fn set<T: EnumSetType>(&mut self, column: &str, of: impl Fn(&str) -> Option<T>) -> EnumSet<T> {
        self.list(column, of).into_iter().collect()
    }

    fn number<T: std::str::FromStr>(&mut self, column: &str) -> Option<T> {
        let text = self.cell(column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok();
        if number.is_none() {
            self.refuse(column, format_args!("{text:?} is not a number"));
        }
        number
    }

    fn window(&mut self, min: &str, max: &str) -> Window {
        let max = if max.is_empty() { None } else { self.number(max) };
        Window { min: self.number(min), max }
    }

    pub(super) fn read(mut self, rules: &Rules) -> (Phrase, Vec<(String, String)>) {
        let kind = Kind::of(self.cell("kind"));
        if kind.is_none() && self.cells.is_some() {
            self.refuse("kind", "must be weather or advice");
        }
        let text = self.cell("text").to_owned();
        let length = text.chars().count();
        if self.cells.is_some() && !(3..=12).contains(&length) {
            self.refuse("text", format_args!("{text:?} has {length} characters, not 3 to 12"));
        }
        let said_once = rules.said_once(&text);
        let months = self.list("months", months).into_iter().reduce(Months::or).unwrap_or(Months::ALL);
        let phrase = Phrase {
            id: self.cell("id").to_owned(),
            kind: kind.unwrap_or(Kind::Weather),
            text,
            seasons: self.set("seasons", Season::of),
            months,
            skies: self.set("skies", Sky::of),
            rain: self.window("rain_min", "rain_max"),
            temperature: self.window("temp_min", "temp_max"),
            wind: self.window("wind_min", ""),
            humidity: self.window("humidity_min", "humidity_max"),
            time: self.set("time", Time::of),
            themes: self.set("themes", Theme::of),
            phenomena: self.set("phenomenon", Phenomenon::of),
            caution: self.number("caution").unwrap_or_default(),
            tone: self.number("tone").unwrap_or_default(),
            regions_only: self.set("regions_only", Region::of),
            regions_excluded: self.set("regions_excluded", Region::of),
            coastal: self.cell("coastal") == "yes",
            weight: self.number("weight").unwrap_or(1),
            said_once,
        };
        (phrase, self.wrong)
    }
}

/// `3-5`, `12-2` or `7`.
fn months(text: &str) -> Option<Months> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let month = |text: &str| text.parse().ok().filter(|month| (1..=12).contains(month));
    Some(Months::span(month(from)?, month(to)?))
}
