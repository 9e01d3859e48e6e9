//! Whether the corpus has enough to say: every kind of weather of every month and region, with how many pairs it has.
//!
//! The kinds of weather combine sky, rain, wind and what is special; `config/data/climate.csv` says which highest
//! temperatures a region has in a month. What cannot be there at a temperature is left out.

use std::fmt::Write as _;

use config::corpus::Corpus;
use config::places::{Place, Places};
use config::rules::Rules;
use jiff::civil::{Date, date};

use crate::domain::count::{Counts, count};
use crate::domain::day::{Code, Day, HOURS, HourlyPoint};
use crate::domain::season::seasons;

/// So many pairs at least must be admissible.
pub const PAIRS: usize = 30;
/// So many different phrases at least must be among them on each side.
pub const PHRASES: usize = 12;

/// Weather that occurs: code and rain at the four slots, humidity and wind, and between which highest temperatures.
struct Kind {
    name: &'static str,
    slots: [(u8, f64); 4],
    humidity: f64,
    wind: f64,
    from: f64,
    to: f64,
}

const fn kind(name: &'static str, slots: [(u8, f64); 4], air: (f64, f64), between: (f64, f64)) -> Kind {
    Kind { name, slots, humidity: air.0, wind: air.1, from: between.0, to: between.1 }
}

const fn steady(code: u8, rain: f64) -> [(u8, f64); 4] {
    [(code, rain); 4]
}

const DRY: (f64, f64) = (30.0, 3.0);
const MILD: (f64, f64) = (55.0, 3.0);
const DAMP: (f64, f64) = (88.0, 3.0);
const ANY: (f64, f64) = (-40.0, 45.0);
/// It rains, and no hot sun shines.
const RAINY: (f64, f64) = (2.6, 29.0);
const WARM_RAIN: (f64, f64) = (6.0, 29.0);
const SNOWY: (f64, f64) = (-40.0, 1.0);

const KINDS: [Kind; 47] = [
    kind("晴れ", steady(0, 0.0), MILD, ANY),
    kind("晴れ・乾燥", steady(0, 0.0), DRY, (-40.0, 30.0)),
    kind("薄曇り", steady(2, 0.0), MILD, ANY),
    kind("薄曇り・乾燥", steady(2, 0.0), DRY, (-40.0, 30.0)),
    kind("くもり", steady(3, 0.0), (65.0, 3.0), (-40.0, 36.0)),
    kind("くもり・多湿", steady(3, 0.0), (82.0, 2.0), (5.0, 33.0)),
    kind("晴れのちくもり", [(0, 0.0), (1, 0.0), (2, 0.0), (3, 0.0)], MILD, ANY),
    kind("晴れとくもりが交互", [(0, 0.0), (3, 0.0), (1, 0.0), (3, 0.0)], MILD, (-40.0, 36.0)),
    kind("晴れ・風10m/s", steady(1, 0.0), (50.0, 10.5), ANY),
    kind("くもり・風12m/s", steady(3, 0.0), (60.0, 12.5), (-40.0, 34.0)),
    kind("晴れ・風16m/s", steady(1, 0.0), (50.0, 16.0), ANY),
    kind("くもり・風16m/s", steady(3, 0.0), (60.0, 16.0), (-40.0, 34.0)),
    kind("霧雨0.3mm", steady(51, 0.3), DAMP, RAINY),
    kind("小雨0.8mm", steady(61, 0.8), DAMP, RAINY),
    kind("雨1mm", steady(61, 1.0), DAMP, RAINY),
    kind("雨3mm", steady(63, 3.0), DAMP, RAINY),
    kind("雨7mm", steady(63, 7.0), DAMP, WARM_RAIN),
    kind("朝だけ雨", [(61, 1.3), (3, 0.0), (2, 0.0), (1, 0.0)], (70.0, 3.0), (2.6, 34.0)),
    kind("昼だけ雨", [(2, 0.0), (80, 1.8), (3, 0.0), (1, 0.0)], (70.0, 4.0), (2.6, 34.0)),
    kind("昼だけ小雨", [(2, 0.0), (80, 0.3), (3, 0.0), (1, 0.0)], (70.0, 4.0), (2.6, 34.0)),
    kind("夕方だけ雨", [(1, 0.0), (2, 0.0), (3, 0.0), (80, 1.5)], (70.0, 4.0), (2.6, 36.0)),
    kind("午後から雨", [(2, 0.0), (3, 0.0), (61, 1.5), (63, 3.0)], (80.0, 4.0), RAINY),
    kind("朝と昼に雨", [(61, 1.5), (61, 1.0), (3, 0.0), (2, 0.0)], (80.0, 4.0), RAINY),
    kind("降ったりやんだり", [(80, 1.2), (3, 0.0), (80, 0.8), (3, 0.0)], (80.0, 5.0), RAINY),
    kind("雨・風12m/s", steady(63, 3.0), (88.0, 12.5), RAINY),
    kind("雨・風16m/s", steady(63, 3.0), (88.0, 16.0), RAINY),
    kind("大雨", [(63, 6.0), (65, 14.0), (65, 18.0), (63, 5.0)], (94.0, 6.0), WARM_RAIN),
    kind("一時大雨", [(2, 0.0), (3, 0.0), (81, 12.0), (3, 0.0)], (85.0, 5.0), (12.0, 33.0)),
    kind("猛烈な雨", [(65, 15.0), (65, 40.0), (65, 35.0), (63, 8.0)], (96.0, 8.0), (15.0, 29.0)),
    kind("夕方に雷雨", [(1, 0.0), (2, 0.0), (3, 0.0), (95, 5.0)], (75.0, 5.0), (15.0, 38.0)),
    kind("雷雨続く", [(80, 2.0), (95, 4.0), (95, 4.0), (80, 2.0)], (85.0, 8.0), (3.0, 29.0)),
    kind("雷と大雨", [(3, 0.0), (95, 8.0), (95, 16.0), (63, 5.0)], (90.0, 7.0), (12.0, 33.0)),
    kind("朝だけ霧", [(45, 0.0), (2, 0.0), (1, 0.0), (1, 0.0)], (80.0, 1.0), (-8.0, 27.0)),
    kind("一日霧", steady(45, 0.0), (96.0, 2.0), (-8.0, 24.0)),
    kind("霧と雨", [(45, 0.3), (61, 1.2), (61, 1.5), (3, 0.0)], (96.0, 2.0), (2.6, 24.0)),
    kind("霧とにわか雨", [(45, 0.0), (80, 1.5), (2, 0.0), (2, 0.0)], (90.0, 2.0), (2.6, 24.0)),
    kind("嵐", [(63, 5.0), (63, 8.0), (63, 6.0), (61, 2.0)], (88.0, 23.0), RAINY),
    kind("嵐と大雨", [(65, 12.0), (65, 25.0), (65, 20.0), (63, 8.0)], (95.0, 28.0), (10.0, 29.0)),
    kind("雪", steady(71, 0.6), (90.0, 4.0), SNOWY),
    kind("朝だけ雪", [(71, 0.4), (3, 0.0), (2, 0.0), (1, 0.0)], (75.0, 4.0), SNOWY),
    kind("昼だけ雪", [(3, 0.0), (85, 0.4), (3, 0.0), (2, 0.0)], (75.0, 4.0), SNOWY),
    kind("雪・風12m/s", steady(73, 1.2), (90.0, 12.5), SNOWY),
    kind("大雪", [(73, 1.5), (75, 3.0), (75, 3.0), (73, 1.2)], (94.0, 6.0), SNOWY),
    kind("大雪・風16m/s", [(73, 1.5), (75, 3.0), (75, 3.0), (73, 1.2)], (94.0, 16.0), SNOWY),
    kind("暴風雪", [(73, 1.5), (75, 3.0), (75, 3.0), (73, 1.5)], (92.0, 24.0), SNOWY),
    kind("雪と雷", [(71, 0.8), (95, 2.0), (71, 1.0), (71, 0.8)], (90.0, 9.0), SNOWY),
    kind("みぞれ", steady(67, 0.9), (92.0, 4.0), (-1.0, 3.0)),
];

/// Highest temperatures that are tried, so that each band of the corpus has one.
const TEMPERATURES: [f64; 18] =
    [-11.0, -6.0, -3.0, 0.0, 2.0, 4.0, 7.0, 10.0, 11.5, 15.0, 19.0, 23.0, 26.5, 28.5, 31.0, 33.5, 35.0, 37.5];

/// One kind of weather in a month and region, at the temperature where it has least to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The region, as `climate.csv` names it.
    pub region: String,
    /// The month.
    pub month: i8,
    /// The weather.
    pub weather: &'static str,
    /// The highest temperature.
    pub temperature: f64,
    /// How much there is to say.
    pub counts: Counts,
}

impl Cell {
    /// Whether there is too little to say.
    pub fn is_hole(&self) -> bool {
        self.counts.pairs < PAIRS || self.counts.weather < PHRASES || self.counts.advice < PHRASES
    }
}

struct Climate {
    region: String,
    place: &'static Place,
    /// Lowest and highest of the day's highest temperature, by month.
    months: Vec<(f64, f64)>,
}

fn climates() -> Vec<Climate> {
    let mut reader = csv::Reader::from_reader(include_str!("../../config/data/climate.csv").as_bytes());
    let rows = reader.records().map(|row| row.expect("the built-in climate is checked by a test"));
    let span = |cell: &str| {
        let (low, high) = cell.split_once("..").expect("from..to");
        (low.parse().expect("degrees"), high.parse().expect("degrees"))
    };
    rows.map(|row| Climate {
        region: row[0].to_owned(),
        place: Places::embedded().get(&row[1]).expect("a place of the table"),
        months: row.iter().skip(2).map(span).collect(),
    })
    .collect()
}

/// Counts everything; regions side by side.
pub fn matrix(corpus: &Corpus) -> Vec<Cell> {
    let climates = climates();
    std::thread::scope(|scope| {
        let regions: Vec<_> = climates.iter().map(|climate| scope.spawn(|| region(corpus, climate))).collect();
        regions.into_iter().flat_map(|region| region.join().expect("counting does not panic")).collect()
    })
}

fn region(corpus: &Corpus, climate: &Climate) -> Vec<Cell> {
    let mut cells = Vec::new();
    for kind in &KINDS {
        for month in 1..=12 {
            let tried = days(climate, kind, month).into_iter().map(|(temperature, day)| {
                let counts = count(corpus, Rules::embedded(), climate.place, &day);
                Cell { region: climate.region.clone(), month, weather: kind.name, temperature, counts }
            });
            cells.extend(tried.min_by_key(|cell| (!cell.is_hole(), cell.counts.pairs)));
        }
    }
    cells
}

/// The days of one kind that a month can have, with their highest temperatures.
fn days(climate: &Climate, kind: &Kind, month: i8) -> Vec<(f64, Day)> {
    let (low, high) = climate.months[usize::from(month.unsigned_abs()) - 1];
    let within = |it: &f64| (low..=high).contains(it) && (kind.from..=kind.to).contains(it);
    let (begin, end) = (date(2026, month, 5), date(2026, month, 25));
    // Seasons change within months; where none does, the days are alike.
    let alike = seasons(climate.place, begin) == seasons(climate.place, end);
    let dates = if alike { vec![begin] } else { vec![begin, end] };
    let temperatures = TEMPERATURES.into_iter().filter(within);
    temperatures.flat_map(|it| dates.iter().map(move |date| (it, weather(kind, *date, it)))).collect()
}

/// Every day that the matrix counts, with its place and what its weather is called; to be read by people.
pub fn every_day() -> Vec<(&'static Place, &'static str, Day)> {
    let mut all = Vec::new();
    for climate in climates() {
        for (kind, month) in KINDS.iter().flat_map(|kind| (1..=12).map(move |month| (kind, month))) {
            all.extend(days(&climate, kind, month).into_iter().map(|(_, day)| (climate.place, kind.name, day)));
        }
    }
    all
}

fn weather(kind: &Kind, date: Date, highest: f64) -> Day {
    let wet = kind.slots.iter().all(|(_, rain)| *rain > 0.0) || kind.slots.iter().all(|(code, _)| *code == 45);
    let cooler = if wet { [0.8, 0.2, 0.0, 0.4] } else { [3.5, 0.8, 0.0, 1.8] };
    let hours = HOURS.into_iter().zip(kind.slots).zip(cooler);
    let points = hours.map(|((hour, (code, precipitation)), cooler)| HourlyPoint {
        time: date.at(hour, 0, 0, 0),
        code: Code::Wmo(code),
        temperature: highest - cooler,
        precipitation,
        humidity: kind.humidity,
        wind: kind.wind,
    });
    Day::of(date, &points.collect::<Vec<_>>())
}

/// Writes the matrix for people: a table for each region, weather by month.
pub fn page(cells: &[Cell]) -> String {
    let mut page = format!(
        "# What the corpus has to say\n\nWritten by `cargo xtask corpus coverage`. Pairs that the rules allow, and how \
         many different comments and advices are among them, at the temperature of the month at which it is least. At \
         least {PAIRS}, {PHRASES} and {PHRASES}; an empty field is weather that does not occur.\n"
    );
    for cells in cells.chunk_by(|a, b| a.region == b.region) {
        write!(page, "\n## {}\n\n| |", cells[0].region).expect("a text takes more text");
        page.extend((1..=12).map(|month| format!(" {month}月 |")));
        page.push_str("\n|---|");
        page.push_str(&"--:|".repeat(12));
        for cells in cells.chunk_by(|a, b| a.weather == b.weather) {
            write!(page, "\n| {} |", cells[0].weather).expect("a text takes more text");
            for month in 1..=12 {
                let cell = cells.iter().find(|cell| cell.month == month);
                let counts = cell.map(|cell| &cell.counts);
                let field = counts.map(|it| format!(" {} ({}・{}) |", it.pairs, it.weather, it.advice));
                page.push_str(field.as_deref().unwrap_or(" |"));
            }
        }
        page.push('\n');
    }
    page
}

/// Writes the matrix in a few lines: how much there is, and where it is least.
pub fn summary(cells: &[Cell]) -> String {
    let holes = cells.iter().filter(|cell| cell.is_hole()).count();
    let mut summary =
        format!("\ncoverage: {} kinds of weather, month and region; {holes} holes; least pairs:\n", cells.len());
    let mut sorted: Vec<_> = cells.iter().collect();
    sorted.sort_by_key(|cell| cell.counts.weather.min(cell.counts.advice));
    for cell in sorted.into_iter().take(10) {
        let Cell { region, month, weather, temperature, counts } = cell;
        let (pairs, comments, advices) = (counts.pairs, counts.weather, counts.advice);
        let line =
            format!("  {region} {month}月 {weather} {temperature}℃: {pairs} pairs of {comments} and {advices}\n");
        summary.push_str(&line);
    }
    summary
}
