//! The approved phrases: every word that is ever published, and when it is true.

pub mod lint;
pub mod report;
mod row;
mod tags;

use std::sync::LazyLock;

use enumset::EnumSet;

use crate::problems::{Problem, Problems};
use crate::rules::{Rules, SaidOnce};

pub use tags::{Kind, Phenomenon, Region, Season, Sky, Theme, Time};

/// An approved phrase.
#[derive(Clone, Debug)]
pub struct Phrase {
    /// Its number, never given twice.
    pub id: String,
    /// Which half of a pair it is.
    pub kind: Kind,
    /// The words.
    pub text: String,
    /// When in the year; empty is always.
    pub seasons: EnumSet<Season>,
    /// When in the year, by months.
    pub months: Months,
    /// Under which sky; empty is any.
    pub skies: EnumSet<Sky>,
    /// Rain in mm/h, from and to.
    pub rain: Window,
    /// Temperature in degrees, from and to. A lower bound alone asks the warmest slot, an upper bound alone the
    /// coldest, and both together the slot that stands for the day.
    pub temperature: Window,
    /// The least wind in m/s.
    pub wind: Window,
    /// Humidity in percent, from and to.
    pub humidity: Window,
    /// How the day must be built.
    pub time: EnumSet<Time>,
    /// What it is about.
    pub themes: EnumSet<Theme>,
    /// What must really be there.
    pub phenomena: EnumSet<Phenomenon>,
    /// From 0, nothing, to 3, a warning.
    pub caution: u8,
    /// From -2, gloomy, to 2, glad.
    pub tone: i8,
    /// Where only; empty is everywhere.
    pub regions_only: EnumSet<Region>,
    /// Where not.
    pub regions_excluded: EnumSet<Region>,
    /// Whether it needs the sea.
    pub coastal: bool,
    /// How much editors like it.
    pub weight: u32,
    /// The words in it that a pair may hold only once.
    pub said_once: SaidOnce,
}

/// A set of months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months(u16);

impl Months {
    /// Every month.
    pub const ALL: Self = Self(0b1_1111_1111_1110);

    /// Whether a month, from 1 to 12, is among them.
    pub fn contains(self, month: i8) -> bool {
        self.0 >> month & 1 == 1
    }

    /// The months from one to another, over the end of the year if need be.
    fn span(from: i8, to: i8) -> Self {
        let within = |month: &i8| {
            if from <= to { (from..=to).contains(month) } else { *month >= from || *month <= to }
        };
        Self((1..=12).filter(within).fold(0, |set, month| set | 1 << month))
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A range that may be open on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// From here on.
    pub min: Option<f64>,
    /// Up to here.
    pub max: Option<f64>,
}

impl Window {
    /// Whether a value lies within, ends included.
    pub fn holds(self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// Whether it says anything.
    pub fn is_open(self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// How near a value is to the middle: from 0 at an end to 1; `None` without both ends.
    pub fn nearness(self, value: f64) -> Option<f64> {
        let (min, max) = (self.min?, self.max?);
        let half = (max - min) / 2.0;
        (half > 0.0).then(|| (1.0 - (value - min - half).abs() / half).max(0.0))
    }
}

/// All approved phrases.
#[derive(Debug)]
pub struct Corpus {
    /// The phrases about the weather.
    pub weather: Vec<Phrase>,
    /// The phrases about what to do.
    pub advice: Vec<Phrase>,
}

static EMBEDDED: LazyLock<Corpus> = LazyLock::new(|| {
    let corpus = Corpus::parse("corpus.csv", SOURCE, Rules::embedded());
    corpus.unwrap_or_else(|problems| panic!("the built-in corpus is checked by a test: {problems}"))
});

/// The built-in corpus as it is written.
const SOURCE: &str = include_str!("../data/corpus.csv");

impl Corpus {
    /// The built-in corpus.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Finds a phrase by its number.
    pub fn get(&self, id: &str) -> Option<&Phrase> {
        self.weather.iter().chain(&self.advice).find(|phrase| phrase.id == id)
    }

    /// Reads a corpus.
    ///
    /// # Errors
    /// Everything that is wrong with it, by line.
    pub fn parse(file: &str, text: &str, rules: &Rules) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let (mut weather, mut advice) = (Vec::new(), Vec::new());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for record in reader.records() {
            let (line, row) = match &record {
                Ok(record) => (record.position().map(csv::Position::line), row::Row::new(record)),
                Err(error) => (error.position().map(csv::Position::line), row::Row::broken(error)),
            };
            let (phrase, wrong) = row.read(rules);
            problems.extend(wrong.into_iter().map(|(key, message)| Problem {
                file: file.to_owned(),
                line: line.and_then(|line| usize::try_from(line).ok()),
                key,
                message,
                hint: None,
            }));
            match phrase.kind {
                Kind::Weather => weather.push(phrase),
                Kind::Advice => advice.push(phrase),
            }
        }
        if problems.is_empty() { Ok(Self { weather, advice }) } else { Err(Problems(problems)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_built_in_corpus_is_correct_and_large_and_says_nothing_twice() {
        let corpus = Corpus::parse("corpus.csv", SOURCE, Rules::embedded()).unwrap();
        for phrases in [&corpus.weather, &corpus.advice] {
            let texts: BTreeSet<_> = phrases.iter().map(|phrase| &phrase.text).collect();
            assert_eq!(texts.len(), phrases.len());
            assert!(phrases.len() >= 820, "{}", phrases.len());
        }
    }

    #[test]
    fn everything_wrong_with_a_row_is_reported_with_its_line() {
        let header = row::COLUMNS.join(",");
        let text = format!(
            "{header}\nw1,weather,晴れ間あり,,,suny,x,,,,,,,,sun,,0,1,,,,10\nw2,wheather,晴,,13-2,,,,,,,,,,,,0,0,,,,1\n"
        );
        let problems = Corpus::parse("c.csv", &text, Rules::embedded()).unwrap_err();
        let found: Vec<_> = problems.0.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
        assert_eq!(
            found,
            [(Some(2), "skies"), (Some(2), "rain_min"), (Some(3), "kind"), (Some(3), "text"), (Some(3), "months")]
        );
    }

    #[test]
    fn months_go_over_the_end_of_the_year() {
        let winter = Months::span(12, 2);
        let inside: Vec<_> = (1..=12).filter(|month| winter.contains(*month)).collect();
        assert_eq!(inside, [1, 2, 12]);
        assert_eq!(Months::span(1, 12), Months::ALL);
    }
}
