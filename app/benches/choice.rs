//! How long choosing takes, against a pass over the corpus that only looks at every phrase: the ratio is what counts.
//!
//! `cargo bench --package app`

use std::collections::BTreeSet;

use app::domain::choice::{Request, choose};
use app::domain::day::{Code, Day, HOURS, HourlyPoint};
use app::domain::recent::Recent;
use app::domain::rules::Situation;
use config::corpus::Corpus;
use config::places::Places;
use config::rules::Rules;
use divan::Bencher;

fn main() {
    // Parsing the corpus happens once in the life of the service, and not here.
    let _ = Corpus::embedded();
    divan::main();
}

/// Kinds of days, from the most admissible phrases to the fewest.
const DAYS: [(&str, u8, f64, f64); 4] =
    [("sunny", 0, 18.0, 0.0), ("rain", 61, 16.0, 2.0), ("thunder", 95, 28.0, 6.0), ("heat", 0, 37.0, 0.0)];

fn day(kind: &str) -> Day {
    let (_, code, temperature, precipitation) =
        DAYS.into_iter().find(|(name, ..)| *name == kind).expect("a known kind");
    let date = jiff::civil::date(2026, if kind == "heat" { 8 } else { 5 }, 15);
    let points = HOURS.map(|hour| HourlyPoint {
        time: date.at(hour, 0, 0, 0),
        code: Code::Wmo(code),
        temperature,
        precipitation,
        humidity: 60.0,
        wind: 3.0,
    });
    Day::of(date, &points)
}

#[divan::bench(args = DAYS.map(|(name, ..)| name))]
fn one_place(bencher: Bencher<'_, '_>, kind: &str) {
    let (day, nothing, fresh) = (day(kind), BTreeSet::new(), Recent::default());
    let place = Places::embedded().get("東京").expect("a known place");
    bencher.bench(|| {
        let request = Request { place, day: &day, seed: 1, exclude: &nothing, recent: &fresh };
        choose(Corpus::embedded(), &request)
    });
}

#[divan::bench]
fn all_places(bencher: Bencher<'_, '_>) {
    let day = day("rain");
    bencher.bench(|| {
        let (nothing, mut used) = (BTreeSet::new(), Recent::default());
        used.begin(Places::embedded().all().len());
        for place in Places::embedded().all() {
            let request = Request { place, day: &day, seed: 1, exclude: &nothing, recent: &used };
            if let Ok(choice) = choose(Corpus::embedded(), &request) {
                used.note(&place.name, day.date, &choice.pair.id);
            }
        }
        used
    });
}

/// The floor: every phrase judged, nothing paired.
#[divan::bench(args = DAYS.map(|(name, ..)| name))]
fn only_the_rules(bencher: Bencher<'_, '_>, kind: &str) {
    let day = day(kind);
    let place = Places::embedded().get("東京").expect("a known place");
    let corpus = Corpus::embedded();
    bencher.bench(|| {
        let situation = Situation::of(Rules::embedded(), place, &day).expect("a day with a forecast");
        corpus.weather.iter().chain(&corpus.advice).filter(|phrase| situation.refuses(phrase).is_none()).count()
    });
}
