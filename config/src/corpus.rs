//! The approved phrases: every word that is ever published, and when it is true.

use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;

use crate::problems::{Problem, Problems};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// Which half of a pair a phrase is.
    Kind {
        /// About the weather.
        Weather = "weather",
        /// About what to do.
        Advice = "advice",
    }
}

words! {
    /// What the sky does.
    Sky {
        /// Sunshine.
        Sunny = "sunny",
        /// Sunshine through thin cloud.
        ThinCloud = "thin_cloud",
        /// Cloud.
        Cloudy = "cloudy",
        /// Rain.
        Rain = "rain",
        /// Heavy rain.
        HeavyRain = "heavy_rain",
        /// Thunder.
        Thunder = "thunder",
        /// Storm.
        Storm = "storm",
        /// Snow.
        Snow = "snow",
        /// Heavy snow.
        HeavySnow = "heavy_snow",
        /// Rain and snow at once.
        Sleet = "sleet",
        /// Fog.
        Fog = "fog",
        /// Heat that is a danger.
        ExtremeHeat = "extreme_heat",
    }
}

words! {
    /// A part of the year that words belong to.
    Season {
        /// March to May.
        Spring = "spring",
        /// The rainy season.
        Rainy = "rainy",
        /// Summer.
        Summer = "summer",
        /// When typhoons come.
        Typhoon = "typhoon",
        /// Autumn.
        Autumn = "autumn",
        /// Winter.
        Winter = "winter",
    }
}

words! {
    /// How the day must be built for a phrase to be true.
    Time {
        /// What it names is there in the morning.
        Morning = "morning",
        /// What it names is there around noon.
        Noon = "noon",
        /// What it names is there in the evening.
        Evening = "evening",
        /// What it names is there all day.
        AllDay = "all_day",
        /// Rain comes and goes.
        Shower = "shower",
        /// The sky changes more than once.
        Changeable = "changeable",
        /// Rain does not stop.
        Continuous = "continuous",
    }
}

words! {
    /// What must really be there for a phrase to be true.
    Phenomenon {
        /// Fog.
        Fog = "fog",
        /// Snow.
        Snow = "snow",
        /// Thunder.
        Thunder = "thunder",
        /// Wind of 10 m/s.
        Wind = "wind",
        /// Wind of 15 m/s.
        StrongWind = "strong_wind",
        /// Waves: the sea, and wind of 10 m/s.
        Waves = "waves",
        /// Pollen: its season, dry air, and not too much wind.
        Pollen = "pollen",
        /// Dry air.
        Dryness = "dryness",
        /// Yellow sand.
        YellowSand = "yellow_sand",
        /// Heat.
        Heat = "heat",
        /// Rain of 10 mm an hour.
        HeavyRain = "heavy_rain",
        /// A storm.
        Storm = "storm",
        /// Ice on the ground.
        Ice = "ice",
    }
}

/// A set of themes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Themes(u64);

const THEMES: [&str; 44] = [
    "sun",
    "uv",
    "heat",
    "heatstroke",
    "hydration",
    "warm",
    "cool",
    "cold",
    "freeze",
    "rain",
    "umbrella",
    "shower",
    "heavy_rain",
    "thunder",
    "storm",
    "typhoon",
    "flood",
    "wind",
    "waves",
    "snow",
    "blizzard",
    "ice",
    "fog",
    "dry",
    "humid",
    "pollen",
    "laundry",
    "mask",
    "clothes",
    "temp_gap",
    "outing",
    "indoors",
    "health",
    "sky",
    "cloud",
    "night",
    "season",
    "yellow_sand",
    "snow_removal",
    "driving",
    "commute",
    "sleep",
    "heating",
    "cooling",
];

impl Themes {
    /// The set of the named themes; unknown names are left out.
    pub fn of(names: &[&str]) -> Self {
        let bit = |name: &&str| THEMES.iter().position(|theme| theme == name).map(|index| 1_u64 << index);
        Self(names.iter().filter_map(bit).fold(0, |set, bit| set | bit))
    }

    /// Whether both sets name a theme.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

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
    pub seasons: Vec<Season>,
    /// When in the year, by months from and to; empty is always.
    pub months: Vec<(i8, i8)>,
    /// Under which sky; empty is any.
    pub skies: Vec<Sky>,
    /// Rain in mm/h, from and to.
    pub rain: Window,
    /// Temperature in degrees, from and to. See [`crate::corpus`] for which temperature.
    pub temperature: Window,
    /// The least wind in m/s.
    pub wind: Window,
    /// Humidity in percent, from and to.
    pub humidity: Window,
    /// How the day must be built.
    pub time: Vec<Time>,
    /// What it is about.
    pub themes: Themes,
    /// What must really be there.
    pub phenomena: Vec<Phenomenon>,
    /// From 0, nothing, to 3, a warning.
    pub caution: u8,
    /// From -2, gloomy, to 2, glad.
    pub tone: i8,
    /// Where only.
    pub regions_only: Vec<String>,
    /// Where not.
    pub regions_excluded: Vec<String>,
    /// Whether it needs the sea.
    pub coastal: bool,
    /// How much editors like it.
    pub weight: u32,
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
    let corpus = Corpus::parse("corpus.csv", include_str!("../data/corpus.csv"));
    corpus.unwrap_or_else(|problems| panic!("the built-in corpus is checked by a test: {problems}"))
});

impl Corpus {
    /// The built-in corpus.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads a corpus.
    ///
    /// # Errors
    /// Everything that is wrong with it, by line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let (mut weather, mut advice) = (Vec::new(), Vec::new());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for record in reader.records() {
            let (line, row) = match &record {
                Ok(record) => (record.position().map(csv::Position::line), Row::new(record)),
                Err(error) => (error.position().map(csv::Position::line), Row::broken(error)),
            };
            let (phrase, wrong) = row.read();
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

/// One row while it is read, with what is wrong with it.
struct Row<'a> {
    cells: Option<&'a csv::StringRecord>,
    wrong: Vec<(String, String)>,
}

const COLUMNS: [&str; 22] = [
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
    fn new(cells: &'a csv::StringRecord) -> Self {
        Self { cells: Some(cells), wrong: Vec::new() }
    }

    fn broken(error: &csv::Error) -> Self {
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

    fn read(mut self) -> (Phrase, Vec<(String, String)>) {
        let themes = self.list("themes", |word| THEMES.iter().copied().find(|theme| *theme == word));
        let kind = Kind::of(self.cell("kind"));
        if kind.is_none() && self.cells.is_some() {
            self.refuse("kind", "must be weather or advice");
        }
        let text = self.cell("text").to_owned();
        let length = text.chars().count();
        if self.cells.is_some() && !(3..=12).contains(&length) {
            self.refuse("text", format_args!("{text:?} has {length} characters, not 3 to 12"));
        }
        let phrase = Phrase {
            id: self.cell("id").to_owned(),
            kind: kind.unwrap_or(Kind::Weather),
            text,
            seasons: self.list("seasons", Season::of),
            months: self.list("months", months),
            skies: self.list("skies", Sky::of),
            rain: self.window("rain_min", "rain_max"),
            temperature: self.window("temp_min", "temp_max"),
            wind: self.window("wind_min", ""),
            humidity: self.window("humidity_min", "humidity_max"),
            time: self.list("time", Time::of),
            themes: Themes::of(&themes),
            phenomena: self.list("phenomenon", Phenomenon::of),
            caution: self.number("caution").unwrap_or_default(),
            tone: self.number("tone").unwrap_or_default(),
            regions_only: self.list("regions_only", |word| Some(word.to_owned())),
            regions_excluded: self.list("regions_excluded", |word| Some(word.to_owned())),
            coastal: self.cell("coastal") == "yes",
            weight: self.number("weight").unwrap_or(1),
        };
        (phrase, self.wrong)
    }
}

/// `3-5`, `12-2` or `7`.
fn months(text: &str) -> Option<(i8, i8)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let month = |text: &str| text.parse().ok().filter(|month| (1..=12).contains(month));
    Some((month(from)?, month(to)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_built_in_corpus_is_correct_and_large_and_says_nothing_twice() {
        let corpus = Corpus::parse("corpus.csv", include_str!("../data/corpus.csv")).unwrap();
        for phrases in [&corpus.weather, &corpus.advice] {
            let texts: BTreeSet<_> = phrases.iter().map(|phrase| &phrase.text).collect();
            assert_eq!(texts.len(), phrases.len());
            assert!(phrases.len() >= 820, "{}", phrases.len());
        }
    }

    #[test]
    fn everything_wrong_with_a_row_is_reported_with_its_line() {
        let header = COLUMNS.join(",");
        let text = format!(
            "{header}\nw1,weather,晴れ間あり,,,suny,x,,,,,,,,sun,,0,1,,,,10\nw2,wheather,晴,,13-2,,,,,,,,,,,,0,0,,,,1\n"
        );
        let problems = Corpus::parse("c.csv", &text).unwrap_err();
        let found: Vec<_> = problems.0.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
        assert_eq!(
            found,
            [(Some(2), "skies"), (Some(2), "rain_min"), (Some(3), "kind"), (Some(3), "text"), (Some(3), "months")]
        );
    }
}
