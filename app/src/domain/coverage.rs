//! Whether the corpus has enough to say: every kind of day that occurs in Japan, and how many pairs the rules leave.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use config::corpus::{Corpus, Phrase};
use config::places::{Place, Places};
use jiff::civil::date;

use super::day::{Code, Day, HOURS, HourlyPoint};
use super::rules::Situation;
use super::season::usual_temperature;

/// So many pairs at least, and so many different phrases on each side of them.
pub const PAIRS: usize = 30;
/// See [`PAIRS`].
pub const PHRASES: usize = 12;

/// The climates, each by a place that stands for it.
const CLIMATES: [(&str, &str); 4] = [("北海道", "札幌"), ("日本海側", "新潟"), ("太平洋側", "東京"), ("沖縄", "那覇")];

/// A kind of weather: its name, the code, the rain, and the months in which it occurs.
struct Weather {
    name: &'static str,
    code: u8,
    rain: f64,
    occurs: fn(month: i8, celsius: f64, okinawa: bool) -> bool,
}

const ALWAYS: fn(i8, f64, bool) -> bool = |_, celsius, _| celsius < 35.0;
const RAINS: fn(i8, f64, bool) -> bool = |_, celsius, _| (2.0..32.0).contains(&celsius);
const SNOWS: fn(i8, f64, bool) -> bool =
    |month, celsius, okinawa| !okinawa && celsius <= 2.0 && !(5..=9).contains(&month);

const WEATHERS: [Weather; 14] = [
    Weather { name: "晴れ", code: 0, rain: 0.0, occurs: ALWAYS },
    Weather { name: "薄曇り", code: 2, rain: 0.0, occurs: ALWAYS },
    Weather { name: "曇り", code: 3, rain: 0.0, occurs: ALWAYS },
    Weather { name: "弱い雨", code: 61, rain: 0.4, occurs: RAINS },
    Weather { name: "雨", code: 61, rain: 2.0, occurs: RAINS },
    Weather { name: "強い雨", code: 63, rain: 6.0, occurs: RAINS },
    Weather { name: "大雨", code: 65, rain: 14.0, occurs: |_, celsius, _| (8.0..32.0).contains(&celsius) },
    Weather { name: "雷雨", code: 95, rain: 4.0, occurs: |_, celsius, _| (4.0..35.0).contains(&celsius) },
    Weather { name: "霧", code: 45, rain: 0.0, occurs: |_, celsius, _| celsius < 28.0 },
    Weather { name: "みぞれ", code: 66, rain: 0.8, occurs: SNOWS },
    Weather { name: "雪", code: 71, rain: 0.5, occurs: SNOWS },
    Weather { name: "本降りの雪", code: 73, rain: 1.5, occurs: SNOWS },
    Weather { name: "大雪", code: 75, rain: 3.0, occurs: SNOWS },
    Weather {
        name: "猛暑",
        code: 0,
        rain: 0.0,
        occurs: |month, celsius, _| celsius >= 35.0 && (6..=9).contains(&month),
    },
];

/// Degrees above and below what is usual; hot days go up to forty.
const SHIFTS: [f64; 4] = [-6.0, 0.0, 6.0, 11.0];
const WINDS: [f64; 3] = [3.0, 12.0, 17.0];

/// A kind of day.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The month.
    pub month: i8,
    /// The climate.
    pub climate: &'static str,
    /// The weather.
    pub weather: &'static str,
    /// Degrees in the morning and at noon.
    pub celsius: f64,
    /// Wind in m/s.
    pub wind: f64,
    /// How many pairs the rules leave; counted no further than enough.
    pub pairs: usize,
    /// How many phrases about the weather are in them.
    pub weather_phrases: usize,
    /// How many advices are in them.
    pub advice_phrases: usize,
}

impl Cell {
    /// Whether there is enough to say.
    pub fn is_covered(&self) -> bool {
        self.pairs >= PAIRS && self.weather_phrases >= PHRASES && self.advice_phrases >= PHRASES
    }
}

/// Every kind of day that occurs, with what the corpus has for it.
pub fn matrix(corpus: &Corpus) -> Vec<Cell> {
    let mut cells = Vec::new();
    for month in 1..=12 {
        for (climate, name) in CLIMATES {
            let Some(place) = Places::embedded().get(name) else { continue };
            for weather in &WEATHERS {
                for shift in SHIFTS {
                    let celsius = (usual_temperature(place, date(2026, month, 15)) + shift).round();
                    if (weather.occurs)(month, celsius, climate == "沖縄") && celsius <= 40.0 {
                        cells.extend(WINDS.map(|wind| cell(corpus, place, climate, weather, month, celsius, wind)));
                    }
                }
            }
        }
    }
    cells
}

fn cell(
    corpus: &Corpus,
    place: &Place,
    climate: &'static str,
    weather: &Weather,
    month: i8,
    celsius: f64,
    wind: f64,
) -> Cell {
    let date = date(2026, month, 15);
    let points = HOURS.map(|hour| HourlyPoint {
        time: date.at(hour, 0, 0, 0),
        code: Code::Wmo(weather.code),
        temperature: celsius,
        precipitation: weather.rain,
        humidity: if weather.rain > 0.0 { 85.0 } else { 55.0 },
        wind,
    });
    let day = Day::of(date, &points);
    let mut cell =
        Cell { month, climate, weather: weather.name, celsius, wind, pairs: 0, weather_phrases: 0, advice_phrases: 0 };
    if let Some(situation) = Situation::of(place, &day) {
        count(&mut cell, &situation, corpus);
    }
    cell
}

/// Counts until there is enough; most kinds of days have a hundred times that.
fn count(cell: &mut Cell, situation: &Situation<'_>, corpus: &Corpus) {
    let admissible = |all: &[Phrase]| -> Vec<usize> {
        (0..all.len()).filter(|index| situation.refuses(&all[*index]).is_none()).collect()
    };
    let (ones, others) = (admissible(&corpus.weather), admissible(&corpus.advice));
    let (mut weather, mut advice) = (BTreeSet::new(), BTreeSet::new());
    // Along diagonals, so that both sides vary from the first pair on.
    for offset in 0..others.len() {
        for (index, one) in ones.iter().enumerate() {
            let other = others[(index + offset) % others.len()];
            let (phrase, reply) = (&corpus.weather[*one], &corpus.advice[other]);
            let required = situation.requires(situation.says(phrase), situation.says(reply));
            if required.is_none() && situation.refuses_pair(phrase, reply).is_none() {
                cell.pairs += 1;
                weather.insert(*one);
                advice.insert(other);
            }
            (cell.weather_phrases, cell.advice_phrases) = (weather.len(), advice.len());
            if cell.is_covered() {
                return;
            }
        }
    }
}

/// The matrix as a page: what is covered by month and climate, and every hole.
pub fn page(cells: &[Cell]) -> String {
    let mut page = format!(
        "# What the corpus covers\n\n{} kinds of days occur; each needs {PAIRS} admissible pairs with {PHRASES} different \
         phrases on each side.\nA cell shows how many kinds (temperature and wind) of that weather are covered.\n\n| 月 | 地域 |",
        cells.len()
    );
    for weather in &WEATHERS {
        write!(page, " {} |", weather.name).expect("a text takes more text");
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(WEATHERS.len()));
    for month in 1..=12 {
        for (climate, _) in CLIMATES {
            write!(page, "\n| {month} | {climate} |").expect("a text takes more text");
            for weather in &WEATHERS {
                let of = |cell: &&Cell| cell.month == month && cell.climate == climate && cell.weather == weather.name;
                let kinds: Vec<_> = cells.iter().filter(of).collect();
                let covered = kinds.iter().filter(|cell| cell.is_covered()).count();
                let shown = if kinds.is_empty() { "–".to_owned() } else { format!("{covered}/{}", kinds.len()) };
                write!(page, " {shown} |").expect("a text takes more text");
            }
        }
    }
    page.push_str("\n\n## Holes\n");
    if cells.iter().all(Cell::is_covered) {
        page.push_str("\nNone.");
    }
    for cell in cells.iter().filter(|cell| !cell.is_covered()) {
        write!(
            page,
            "\n- {}月 {} {} {}℃ 風{}m/s: {} pairs, {} and {} phrases",
            cell.month,
            cell.climate,
            cell.weather,
            cell.celsius,
            cell.wind,
            cell.pairs,
            cell.weather_phrases,
            cell.advice_phrases
        )
        .expect("a text takes more text");
    }
    page.push('\n');
    page
}
