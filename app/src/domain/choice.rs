//! Choosing a pair: the best of all that the rules leave, and why.

use std::collections::{BTreeMap, BTreeSet};

use config::corpus::{Corpus, Phrase};
use config::places::Place;
use config::rules::{Rule, Rules};
use enumset::EnumSet;
use serde::Serialize;

use super::day::{Day, Slot};
use super::decision::{Check, Verdict};
use super::recent::Recent;
use super::rules::Situation;
use super::score::Score;
use super::search::{Found, Half, Halves};
use super::why::{Why, danger_label, made_label};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Where.
    pub place: &'a Place,
    /// The day.
    pub day: &'a Day,
    /// The same seed gives the same answer.
    pub seed: u64,
    /// Pairs that must not come (again).
    pub exclude: &'a BTreeSet<String>,
    /// What was used a moment ago and in the last days, and should rest if something else is as good.
    pub recent: &'a Recent,
}

/// A pair of phrases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Both phrases' numbers.
    pub id: String,
    /// The words about the weather.
    pub weather: String,
    /// The words about what to do.
    pub advice: String,
    /// Higher is better; only within one choice.
    pub score: f64,
    /// Why it stands where it stands.
    pub why: Why,
}

impl Pair {
    /// Both halves on one line, as they are published.
    pub fn text(&self) -> String {
        format!("{}\u{3000}{}", self.weather, self.advice)
    }

    fn of(found: Found<'_, '_>, situation: &Situation<'_>, score: &Score<'_>, rest: &[&str]) -> Self {
        let (weather, advice) = (found.weather.phrase, found.advice.phrase);
        let id = format!("{}-{}", weather.id, advice.id);
        let points = (score.of(weather), score.of(advice));
        let why = Why::of(situation, weather, advice, points, rest.contains(&id.as_str()));
        Self { id, weather: weather.text.clone(), advice: advice.text.clone(), score: found.score(), why }
    }
}

/// A step down the ladder that was needed to find any pair. Hard rules and safety have no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relaxed {
    /// Recently used pairs came back.
    Diversity,
    /// Two warnings, or two halves that say nearly the same.
    Style,
    /// Rain is not named exactly once.
    Required,
}

impl Relaxed {
    fn of(rule: Rule) -> Self {
        match rule {
            Rule::D1 => Self::Diversity,
            Rule::R2 => Self::Required,
            _ => Self::Style,
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The chosen pair.
    pub pair: Pair,
    /// The next best, differing in both halves.
    pub alternatives: Vec<Pair>,
    /// What had to be relaxed.
    pub relaxed: Vec<Relaxed>,
    /// The slot that stands for the day.
    pub representative: Slot,
    /// What the day asks for, in sentences for the editor. Each pair has its own reasons besides.
    pub reasons: Vec<String>,
    /// How many phrases each rule refused.
    pub rejected: BTreeMap<&'static str, usize>,
}

/// Nothing can be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoChoice {
    /// The day has no forecast.
    #[error("there is no forecast for any of the four hours")]
    NoForecast,
    /// The rules leave nothing.
    #[error("no pair is left; most phrases fell to {worst:?}")]
    NothingLeft {
        /// The rule that refused most.
        worst: Rule,
    },
}

/// How many alternatives are offered.
const ALTERNATIVES: usize = 5;

/// Chooses the best pair of a corpus for a day.
///
/// # Errors
/// When there is no forecast, or when the rules leave nothing.
pub fn choose(corpus: &Corpus, request: &Request<'_>) -> Result<Choice, NoChoice> {
    let rules = Rules::embedded();
    let situation = Situation::of(rules, request.place, request.day).ok_or(NoChoice::NoForecast)?;
    let mut refused = [0; Rule::WORDS.len()];
    let score = Score::new(rules, &situation, request);
    let mut halves = |phrases| halves(phrases, &situation, &score, &mut refused);
    let (weather, advice) = (halves(&corpus.weather), halves(&corpus.advice));
    let counts = (weather.len(), advice.len());
    let halves = Halves::new(&situation, weather, advice);
    let resting = request.recent.resting(rules, &request.place.name, request.day.date);
    let mut given_up = EnumSet::new();
    for step in std::iter::once(None).chain(rules.ladder.iter().copied().map(Some)) {
        given_up.extend(step);
        let rest: &[&str] = if given_up.contains(Rule::D1) { &[] } else { &resting };
        let chosen = some_best(&halves, given_up, request, rest);
        let mut pairs = chosen.into_iter().map(|found| Pair::of(found, &situation, &score, &resting));
        let Some(pair) = pairs.next() else { continue };
        let mut relaxed: Vec<_> =
            rules.ladder.iter().filter(|rule| given_up.contains(**rule)).map(|rule| Relaxed::of(*rule)).collect();
        relaxed.dedup();
        return Ok(Choice {
            pair,
            alternatives: pairs.collect(),
            relaxed,
            representative: situation.slot.clone(),
            reasons: reasons(&situation, counts),
            rejected: Rule::WORDS.iter().copied().zip(refused).filter(|(_, count)| *count > 0).collect(),
        });
    }
    let worst = (0..refused.len()).max_by_key(|index| refused[*index]).and_then(|index| Rule::of(Rule::WORDS[index]));
    Err(NoChoice::NothingLeft { worst: worst.unwrap_or(Rule::P1) })
}

/// Explains one phrase or pair of a corpus by its number: kept, or refused by which rule with which numbers.
/// `None` when there is no such phrase, or no forecast.
pub fn explain(corpus: &Corpus, request: &Request<'_>, id: &str) -> Option<Verdict> {
    let rules = Rules::embedded();
    let situation = Situation::of(rules, request.place, request.day)?;
    let Some((weather, advice)) = id.split_once('-') else {
        let phrase = corpus.get(id)?;
        return Some(Verdict::of(id, &phrase.text, situation.checks(phrase)));
    };
    let (weather, advice) = (corpus.get(weather)?, corpus.get(advice)?);
    let mut checks = situation.checks(weather);
    checks.extend(situation.checks(advice));
    checks.extend(situation.pair_checks(weather, advice));
    let rests = request.recent.resting(rules, &request.place.name, request.day.date).contains(&id);
    checks.push(Check::new(Rule::D1, "not used lately", if rests { "used" } else { "" }, !rests));
    let excluded = request.exclude.contains(id);
    checks.push(Check::new(Rule::Excluded, "not excluded", if excluded { "excluded" } else { "" }, !excluded));
    Some(Verdict::of(id, format!("{}\u{3000}{}", weather.text, advice.text), checks))
}

fn halves<'a>(
    phrases: &'a [Phrase],
    situation: &Situation<'_>,
    score: &Score<'_>,
    refused: &mut [usize],
) -> Vec<Half<'a>> {
    let mut halves = Vec::with_capacity(phrases.len() / 3);
    for phrase in phrases {
        match situation.refuses(phrase) {
            Some(rule) => refused[rule as usize] += 1,
            None => halves.push(Half::new(situation, phrase, score.of(phrase).sum())),
        }
    }
    halves
}

/// The best pair, and the next best that share no half with it or with each other.
fn some_best<'h, 'a>(
    halves: &'h Halves<'a, '_>,
    given_up: EnumSet<Rule>,
    request: &Request<'_>,
    rest: &[&str],
) -> Vec<Found<'h, 'a>> {
    let mut chosen: Vec<Found<'h, 'a>> = Vec::new();
    while chosen.len() <= ALTERNATIVES {
        let approves = |weather: &Phrase, advice: &Phrase| {
            let fresh =
                |found: &Found<'_, '_>| found.weather.phrase.id != weather.id && found.advice.phrase.id != advice.id;
            chosen.iter().all(fresh) && !is_listed(request.exclude, rest, weather, advice)
        };
        let Some(found) = halves.best(given_up, &approves) else { break };
        chosen.push(found);
    }
    chosen
}

/// Whether a pair is excluded or rests.
fn is_listed(exclude: &BTreeSet<String>, rest: &[&str], weather: &Phrase, advice: &Phrase) -> bool {
    if exclude.is_empty() && rest.is_empty() {
        return false;
    }
    let id = format!("{}-{}", weather.id, advice.id);
    exclude.contains(&id) || rest.contains(&id.as_str())
}

/// The score of a phrase, for comparing the search with trying all pairs.
#[cfg(test)]
pub(crate) fn score_for_tests(situation: &Situation<'_>, request: &Request<'_>, phrase: &Phrase) -> f64 {
    Score::new(Rules::embedded(), situation, request).of(phrase).sum()
}

fn reasons(situation: &Situation<'_>, (weather, advice): (usize, usize)) -> Vec<String> {
    let slot = situation.slot;
    let mut reasons = vec![
        format!(
            "{}時の{}を基準（{:.1}℃・降水{:.1}mm/h・風{:.0}m/s）",
            slot.hour, slot.label, slot.temperature, slot.precipitation, slot.wind
        ),
        format!("条件に合う表現：天気{weather}件・アドバイス{advice}件"),
    ];
    if !situation.dangers.is_empty() {
        let dangers: Vec<_> = situation.dangers.iter().map(|danger| danger_label(*danger)).collect();
        reasons.push(format!("危険な現象（{}）に必ず触れる", dangers.join("・")));
    }
    for want in &situation.wants {
        let times = if want.once { "一度だけ" } else { "" };
        reasons.push(format!("{}に{times}触れる", made_label(&want.name)));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use config::places::Places;
    use jiff::civil::date;

    use super::*;
    use crate::domain::day::{Code, HourlyPoint};

    fn day(month: i8, points: &[(u8, f64, f64, f64)]) -> Day {
        let date = date(2026, month, 15);
        let hours = super::super::day::HOURS;
        let points = points.iter().zip(hours).map(|((code, temperature, rain, wind), hour)| HourlyPoint {
            time: date.at(hour, 0, 0, 0),
            code: Code::Wmo(*code),
            temperature: *temperature,
            precipitation: *rain,
            humidity: 60.0,
            wind: *wind,
        });
        Day::of(date, &points.collect::<Vec<_>>())
    }

    fn ask(place: &str, day: &Day, exclude: &BTreeSet<String>) -> Result<Choice, NoChoice> {
        let recent = Recent::default();
        let place = Places::embedded().get(place).unwrap();
        choose(Corpus::embedded(), &Request { place, day, seed: 7, exclude, recent: &recent })
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_an_excluded_pair_never_comes_back() {
        let day = day(11, &[(0, 12.0, 0.0, 2.0); 4]);
        let mut excluded = BTreeSet::new();
        assert_eq!(ask("東京", &day, &excluded), ask("東京", &day, &excluded));
        for _ in 0..30 {
            let choice = ask("東京", &day, &excluded).unwrap();
            assert!(excluded.insert(choice.pair.id), "it came back");
        }
    }

    #[test]
    fn every_pair_explains_itself_by_points_that_make_its_score_and_by_every_rule() {
        let choice = ask(
            "前橋",
            &day(7, &[(1, 29.0, 0.0, 2.0), (1, 35.2, 0.0, 3.0), (95, 27.0, 6.0, 6.0), (3, 25.0, 0.0, 3.0)]),
            &BTreeSet::new(),
        )
        .unwrap();
        assert_eq!(choice.alternatives.len(), ALTERNATIVES);
        for pair in std::iter::once(&choice.pair).chain(&choice.alternatives) {
            let why = &pair.why;
            assert!((why.points.sum() - pair.score).abs() < 1e-9, "{pair:?}");
            let ids: Vec<_> = why.verdicts.iter().map(|verdict| verdict.id.as_str()).collect();
            let (weather, advice) = pair.id.split_once('-').unwrap();
            assert_eq!(ids, [weather, advice, &pair.id]);
            assert!(why.relaxed.is_empty() && why.verdicts.iter().all(|verdict| verdict.rejected.is_none()), "{why:?}");
            let (fits, touched, scored) = (&why.reasons[0], &why.reasons[2], &why.reasons[3]);
            assert!(fits.starts_with("天気：") && fits.contains("空模様"), "{fits}");
            assert!(touched.contains("雷（") && touched.contains("猛暑（") && touched.contains("雨か傘"), "{touched}");
            assert!(scored.starts_with(&format!("得点{:.2}：", pair.score)), "{scored}");
        }
        let scores: Vec<_> = choice.alternatives.iter().map(|pair| pair.score).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b) && scores[0] <= choice.pair.score, "{scores:?}");
    }

    #[test]
    fn what_had_to_be_given_up_is_said_at_the_pair_that_breaks_it() {
        let (day, exclude) = (day(11, &[(0, 12.0, 0.0, 2.0); 4]), BTreeSet::new());
        let place = Places::embedded().get("東京").unwrap();
        let corpus = {
            // Two phrases: there is one pair, and it rests.
            let mut corpus = String::new();
            let source = include_str!("../../../config/data/corpus.csv").lines();
            for line in source.filter(|line| ["id,", "w0001,", "a0001,"].iter().any(|start| line.starts_with(start))) {
                corpus.push_str(line);
                corpus.push('\n');
            }
            Corpus::parse("two.csv", &corpus, Rules::embedded()).unwrap()
        };
        let mut recent = Recent::default();
        recent.remember("東京", day.date.yesterday().unwrap(), "w0001-a0001");
        let choice =
            choose(&corpus, &Request { place, day: &day, seed: 7, exclude: &exclude, recent: &recent }).unwrap();
        assert_eq!(
            (choice.relaxed.as_slice(), choice.pair.why.relaxed.as_slice()),
            (&[Relaxed::Diversity][..], &[Rule::D1][..])
        );
        assert!(choice.pair.why.reasons.last().unwrap().contains("使い回し") && choice.pair.why.points.used < 0.0);
    }

    #[test]
    fn a_day_without_a_forecast_has_no_comment() {
        let empty = Day { date: date(2026, 1, 1), slots: Vec::new() };
        assert_eq!(ask("東京", &empty, &BTreeSet::new()), Err(NoChoice::NoForecast));
    }
}
