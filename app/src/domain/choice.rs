//! Choosing a pair: the best of all that the rules leave, and why.

use std::collections::{BTreeMap, BTreeSet};

use config::corpus::{Corpus, Kind, Months, Phrase, Time};
use config::places::Place;
use config::rules::{Rule, Rules};
use enumset::{EnumSet, enum_set};
use serde::Serialize;

use super::day::{Day, Slot};
use super::decision::{Check, Decisions, Verdict};
use super::recent::Recent;
use super::rules::{FAIR, Situation};
use super::search::{Found, Half, Halves};

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
}

impl Pair {
    /// Both halves on one line, as they are published.
    pub fn text(&self) -> String {
        format!("{}\u{3000}{}", self.weather, self.advice)
    }

    fn of(found: Found<'_, '_>) -> Self {
        let (weather, advice) = (found.weather.phrase, found.advice.phrase);
        Self {
            id: format!("{}-{}", weather.id, advice.id),
            weather: weather.text.clone(),
            advice: advice.text.clone(),
            score: found.score(),
        }
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
    /// Why, in sentences for the editor.
    pub reasons: Vec<String>,
    /// Why, rule by rule.
    pub decisions: Decisions,
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
        let Some((best, others)) = chosen.split_first() else { continue };
        let mut relaxed: Vec<_> =
            rules.ladder.iter().filter(|rule| given_up.contains(**rule)).map(|rule| Relaxed::of(*rule)).collect();
        relaxed.dedup();
        return Ok(Choice {
            pair: Pair::of(*best),
            alternatives: others.iter().map(|found| Pair::of(*found)).collect(),
            relaxed,
            representative: situation.slot.clone(),
            reasons: reasons(&situation, counts),
            decisions: decisions(&situation, *best, &refused),
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
            None => halves.push(Half::new(situation, phrase, score.of(phrase))),
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

/// Words for how rain falls or the sky changes.
const SHAPES: EnumSet<Time> = enum_set!(Time::Shower | Time::Continuous | Time::OnAndOff | Time::Changeable);

/// S1: how well a phrase fits by itself.
struct Score<'a> {
    rules: &'a Rules,
    situation: &'a Situation<'a>,
    foul: bool,
    penalties: std::collections::HashMap<&'a str, f64>,
    seed: u64,
}

impl<'a> Score<'a> {
    fn new(rules: &'a Rules, situation: &'a Situation<'a>, request: &Request<'a>) -> Self {
        let asked = format!("{} {} {}", request.seed, request.place.name, request.day.date);
        Self {
            rules,
            situation,
            foul: !FAIR.contains(situation.slot.sky),
            penalties: request.recent.penalties(rules, &request.place.name, request.day.date),
            seed: hash(0, asked.as_bytes()),
        }
    }

    fn of(&self, phrase: &Phrase) -> f64 {
        let weights = &self.rules.weights;
        let of_season = !phrase.seasons.is_empty() || phrase.months != Months::ALL;
        let conditions = [
            !phrase.skies.is_empty(),
            of_season,
            !phrase.temperature.is_open(),
            !phrase.rain.is_open(),
            !phrase.phenomena.is_empty(),
            !phrase.time.is_empty(),
        ];
        let fit = conditions.iter().fold(0, |count, condition| count + u8::from(*condition)).min(weights.fit_most);
        let about_weather = self.foul && !phrase.skies.is_empty() && phrase.skies.is_disjoint(FAIR);
        let phenomenon = !phrase.phenomena.is_empty();
        let points = |so: bool, points: f64| if so { points } else { 0.0 };
        let skies = u8::try_from(phrase.skies.len().max(1)).unwrap_or(u8::MAX);
        weights.fit * f64::from(fit)
            + weights.narrow / f64::from(skies)
            + weights.centre * phrase.temperature.nearness(self.situation.slot.temperature).unwrap_or(0.0)
            + points(about_weather, weights.weather)
            + points(phrase.kind == Kind::Weather && self.situation.names(phrase) & 1 == 1, weights.danger)
            + points(!phrase.time.is_disjoint(SHAPES), weights.shape)
            + points(phenomenon, weights.phenomenon)
            + points(of_season, weights.season)
            + weights.usage * f64::from(phrase.weight.max(1)).log10()
            + weights.chance * self.chance(&phrase.id)
            - self.penalties.get(phrase.id.as_str()).copied().unwrap_or(0.0)
    }

    /// From 0 to 1, the same for the same seed, place, day and phrase.
    fn chance(&self, id: &str) -> f64 {
        let bits = u32::try_from(hash(self.seed, id.as_bytes()) >> 32).unwrap_or(0);
        f64::from(bits) / f64::from(u32::MAX)
    }
}

/// The score of a phrase, for comparing the search with trying all pairs.
#[cfg(test)]
pub(crate) fn score_for_tests(situation: &Situation<'_>, request: &Request<'_>, phrase: &Phrase) -> f64 {
    Score::new(Rules::embedded(), situation, request).of(phrase)
}

/// A hash that stays the same in every version of the compiler and library (FNV-1a, then mixed), because what
/// an editor saw an hour ago must not change with a deployment.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    let folded = bytes
        .iter()
        .fold(start ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (folded ^ folded >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Explains a kept pair: the comment, the advice, and both together.
pub fn kept(corpus: &Corpus, place: &Place, day: &Day, id: &str) -> Vec<Verdict> {
    let halves = id.split_once('-').and_then(|(weather, advice)| Some((corpus.get(weather)?, corpus.get(advice)?)));
    let (Some((weather, advice)), Some(situation)) = (halves, Situation::of(Rules::embedded(), place, day)) else {
        return Vec::new();
    };
    verdicts(&situation, weather, advice)
}

fn verdicts(situation: &Situation<'_>, weather: &Phrase, advice: &Phrase) -> Vec<Verdict> {
    let id = format!("{}-{}", weather.id, advice.id);
    let text = format!("{}\u{3000}{}", weather.text, advice.text);
    vec![
        Verdict::of(&weather.id, &weather.text, situation.checks(weather)),
        Verdict::of(&advice.id, &advice.text, situation.checks(advice)),
        Verdict::of(&id, text, situation.pair_checks(weather, advice)),
    ]
}

fn decisions(situation: &Situation<'_>, found: Found<'_, '_>, refused: &[usize]) -> Decisions {
    let kept = verdicts(situation, found.weather.phrase, found.advice.phrase);
    let counts = Rule::WORDS.iter().copied().zip(refused.iter().copied());
    Decisions { kept, rejected: counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>() }
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
        let dangers: Vec<_> = situation.dangers.iter().map(|danger| label(*danger)).collect();
        reasons.push(format!("危険な現象（{}）に必ず触れる", dangers.join("・")));
    }
    for want in &situation.wants {
        let times = if want.once { "一度だけ" } else { "" };
        reasons.push(format!("{}に{times}触れる", made_label(&want.name)));
    }
    reasons
}

/// The name in Japanese of what makes a day.
fn made_label(name: &str) -> &str {
    match name {
        "rain" => "1mm/h以上の雨（雨か傘）",
        "snow" => "雪",
        "heat" => "暑さ",
        "cold" => "寒さ",
        "wind" => "強い風",
        other => other,
    }
}

/// A danger's name in Japanese.
fn label(danger: config::corpus::Phenomenon) -> &'static str {
    use config::corpus::Phenomenon;
    match danger {
        Phenomenon::Storm => "暴風",
        Phenomenon::Thunder => "雷",
        Phenomenon::HeavyRain => "大雨",
        Phenomenon::Snow => "大雪",
        Phenomenon::Fog => "霧",
        Phenomenon::Heat => "猛暑",
        Phenomenon::StrongWind => "強風",
        other => other.word(),
    }
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
    fn a_day_without_a_forecast_has_no_comment() {
        let empty = Day { date: date(2026, 1, 1), slots: Vec::new() };
        assert_eq!(ask("東京", &empty, &BTreeSet::new()), Err(NoChoice::NoForecast));
    }
}
