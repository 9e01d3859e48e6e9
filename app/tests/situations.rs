//! Named weather situations, each with what an editor would and would not print; the chosen pairs are a file to read.
//!
//! `situations.csv` holds the questions, `situations.md` the answers. A change of rules or corpus that changes an
//! answer fails here until somebody has read the new one and set `UPDATE_SITUATIONS=1` to write it down.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use app::domain::choice::{Choice, Pair, Request, choose};
use app::domain::day::{Code, Day, HOURS, HourlyPoint, target_date};
use app::domain::recent::Recent;
use config::corpus::Corpus;
use config::places::{Place, Places};
use jiff::Span;
use jiff::civil::Date;

struct Situation {
    name: String,
    place: &'static Place,
    day: Day,
    must: Vec<Vec<String>>,
    must_not: Vec<String>,
}

fn situations() -> Vec<Situation> {
    let mut reader = csv::Reader::from_reader(include_str!("situations.csv").as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| {
        let date = target_date(row[2].parse().unwrap());
        let slots = HOURS.into_iter().zip(row.iter().skip(3)).filter(|(_, slot)| !slot.is_empty());
        let points = slots.map(|(hour, slot)| {
            let numbers: Vec<f64> = slot.split(' ').map(|number| number.parse().unwrap()).collect();
            let [_, temperature, precipitation, humidity, wind] = numbers[..] else { panic!("{}: {slot:?}", &row[0]) };
            let code = Code::Wmo(slot.split(' ').next().unwrap().parse().unwrap());
            HourlyPoint { time: date.at(hour, 0, 0, 0), code, temperature, precipitation, humidity, wind }
        });
        let words = |cell: &str| cell.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        Situation {
            name: row[0].to_owned(),
            place: Places::embedded().get(&row[1]).unwrap_or_else(|| panic!("{} is no place", &row[1])),
            day: day(date, points.collect(), row[9].parse().ok()),
            must: row[7].split(' ').map(words).filter(|words| !words.is_empty()).collect(),
            must_not: words(&row[8]),
        }
    })
    .collect()
}

/// A day, so many degrees warmer than the day before if that is known.
fn day(date: Date, points: Vec<HourlyPoint>, warmer: Option<f64>) -> Day {
    let day = Day::of(date, &points);
    let Some(warmer) = warmer else { return day };
    let yesterday = points.into_iter().map(|point| HourlyPoint {
        time: point.time.saturating_sub(Span::new().days(1)),
        temperature: point.temperature - warmer,
        ..point
    });
    day.compared_with(&yesterday.collect::<Vec<_>>())
}

fn answer(situation: &Situation) -> Choice {
    let (exclude, recent) = (BTreeSet::new(), Recent::default());
    let request = Request { place: situation.place, day: &situation.day, seed: 1, exclude: &exclude, recent: &recent };
    choose(Corpus::embedded(), &request).unwrap_or_else(|error| panic!("{}: {error}", situation.name))
}

#[test]
fn every_pair_says_what_an_editor_would_and_nothing_that_an_editor_would_strike() {
    let mut wrong = Vec::new();
    for situation in situations() {
        let choice = answer(&situation);
        for pair in std::iter::once(&choice.pair).chain(&choice.alternatives) {
            let text = pair.text();
            let missing = situation.must.iter().filter(|words| !words.iter().any(|word| text.contains(word.as_str())));
            wrong.extend(missing.map(|words| format!("{}: {text} says none of {words:?}", situation.name)));
            let said = situation.must_not.iter().filter(|word| text.contains(word.as_str()));
            wrong.extend(said.map(|word| format!("{}: {text} says {word}", situation.name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_chosen_pairs_are_those_that_somebody_has_read() {
    let page = page(&situations());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/situations.md");
    if std::env::var_os("UPDATE_SITUATIONS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let read = std::fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<_> = page.lines().filter(|line| !read.lines().any(|before| before == *line)).collect();
    assert!(
        read == page,
        "other pairs are chosen than tests/situations.md has; read them, then run again with UPDATE_SITUATIONS=1:\n{}",
        changed.join("\n")
    );
}

fn page(situations: &[Situation]) -> String {
    let mut page = String::from(
        "# What is chosen when\n\nWritten by `UPDATE_SITUATIONS=1 cargo test -p app --test situations`, read by people. \
         The questions are in `situations.csv`.\n",
    );
    for (index, situation) in situations.iter().enumerate() {
        let choice = answer(situation);
        let (place, date) = (&situation.place.name, situation.day.date);
        writeln!(page, "\n## {}. {}\n\n{place} {date}\n", index + 1, situation.name).unwrap();
        let slots = &situation.day.slots;
        let cells = |cell: &dyn Fn(&app::domain::day::Slot) -> String| {
            format!("| {} |", slots.iter().map(cell).collect::<Vec<_>>().join(" | "))
        };
        writeln!(page, "{}", cells(&|slot| format!("{}時", slot.hour))).unwrap();
        writeln!(page, "{}", cells(&|_| "---".to_owned())).unwrap();
        let numbers = cells(&|slot| {
            format!(
                "{} {:.1}℃ {:.1}mm/h 湿度{:.0}% 風{:.1}m/s",
                slot.label, slot.temperature, slot.precipitation, slot.humidity, slot.wind
            )
        });
        let outline = situation.day.outline();
        let warmer = outline.warmer.map_or_else(String::new, |warmer| format!("・前日差{warmer:+.1}℃"));
        writeln!(page, "{numbers}\n\n**{}**\n", choice.pair.text()).unwrap();
        writeln!(page, "* 傾向：{}{warmer}", outline.trend.label()).unwrap();
        for reason in choice.reasons.iter().chain(&choice.pair.why.reasons) {
            writeln!(page, "* {reason}").unwrap();
        }
        if !choice.relaxed.is_empty() {
            writeln!(page, "* 緩めた条件：{:?}", choice.relaxed).unwrap();
        }
        let score = |pair: &Pair| format!("{} ({:.1})", pair.text(), pair.score);
        let others: Vec<_> = choice.alternatives.iter().map(score).collect();
        writeln!(page, "* ほかの候補：{}", others.join("／")).unwrap();
    }
    page
}
