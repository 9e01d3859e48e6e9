//! Choosing a pair: the best of all that the rules leave, and why.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use config::corpus::{Corpus, Phrase};
use config::places::Place;
use serde::Serialize;

use super::day::{Day, Slot};
use super::rules::{Rule, Situation};

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
    /// Phrases that were used a moment ago, and should rest if others are as good.
    pub recent: &'a BTreeSet<String>,
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
}

/// A step down the ladder that was needed to find any pair. Hard rules have no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relaxed {
    /// Recently used phrases came back.
    Diversity,
    /// A required word is missing.
    Required,
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
/// How many halves on each side are paired: the best by their own score. Beyond, pairs only get worse.
const HALVES: usize = 160;

struct Half<'a> {
    phrase: &'a Phrase,
    score: f64,
    recent: bool,
}

/// Chooses the best pair of a corpus for a day.
///
/// # Errors
/// When there is no forecast, or when the rules leave nothing.
pub fn choose(corpus: &Corpus, request: &Request<'_>) -> Result<Choice, NoChoice> {
    let situation = Situation::of(request.place, request.day).ok_or(NoChoice::NoForecast)?;
    let mut refused = Vec::new();
    let weather = halves(&corpus.weather, &situation, request, &mut refused);
    let advice = halves(&corpus.advice, &situation, request, &mut refused);
    let ladder: [(&[Relaxed], bool, bool); 3] = [
        (&[], true, true),
        (&[Relaxed::Diversity], false, true),
        (&[Relaxed::Diversity, Relaxed::Required], false, false),
    ];
    for (relaxed, rest, required) in ladder {
        let pairs = pairs(&situation, request, &weather, &advice, rest, required);
        if let Some((pair, alternatives)) = best(pairs) {
            let reasons = reasons(&situation, weather.len(), advice.len());
            let representative = situation.slot.clone();
            return Ok(Choice { pair, alternatives, relaxed: relaxed.to_vec(), representative, reasons });
        }
    }
    Err(NoChoice::NothingLeft { worst: most_frequent(refused) })
}

fn halves<'a>(
    phrases: &'a [Phrase],
    situation: &Situation<'_>,
    request: &Request<'_>,
    refused: &mut Vec<Rule>,
) -> Vec<Half<'a>> {
    let mut halves = Vec::new();
    for phrase in phrases {
        match situation.refuses(phrase) {
            Some(rule) => refused.push(rule),
            None => {
                halves.push(Half {
                    phrase,
                    score: score(phrase, request),
                    recent: request.recent.contains(&phrase.id),
                });
            }
        }
    }
    // What names a danger must not be cut off by what is merely popular.
    let names = |half: &Half<'_>| half.phrase.phenomena.iter().any(|it| situation.dangers.contains(it));
    halves.sort_by(|a, b| names(b).cmp(&names(a)).then(b.score.total_cmp(&a.score)));
    halves
}

/// How well a phrase fits by itself: the closer its conditions, the more it says; then usage; then chance.
fn score(phrase: &Phrase, request: &Request<'_>) -> f64 {
    let conditions = [
        !phrase.skies.is_empty(),
        !phrase.seasons.is_empty() || !phrase.months.is_empty(),
        phrase.temperature.min.is_some() || phrase.temperature.max.is_some(),
        phrase.rain.min.is_some() || phrase.rain.max.is_some(),
        !phrase.phenomena.is_empty(),
        !phrase.time.is_empty(),
    ];
    let fit = conditions.iter().filter(|condition| **condition).count();
    // A sky that suits everything says little.
    let narrow = 1.0 / f64::from(u32::try_from(phrase.skies.len().max(1)).unwrap_or(1));
    let usage = f64::from(phrase.weight.max(1)).log10() * 0.3;
    f64::from(u32::try_from(fit).unwrap_or(0)) * 0.6 + narrow + usage + chance(request, &phrase.id)
}

/// From 0 to 1, the same for the same seed, place, day and phrase.
fn chance(request: &Request<'_>, id: &str) -> f64 {
    let mut hasher = DefaultHasher::new();
    (request.seed, &request.place.name, request.day.date, id).hash(&mut hasher);
    f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

fn pairs(
    situation: &Situation<'_>,
    request: &Request<'_>,
    weather: &[Half<'_>],
    advice: &[Half<'_>],
    rest: bool,
    required: bool,
) -> Vec<Pair> {
    let usable = |half: &&Half<'_>| !(rest && half.recent);
    let mut pairs = Vec::new();
    for one in weather.iter().filter(usable).take(HALVES) {
        for other in advice.iter().filter(usable).take(HALVES) {
            if situation.refuses_pair(one.phrase, other.phrase, required).is_some() {
                continue;
            }
            let id = format!("{}-{}", one.phrase.id, other.phrase.id);
            if !request.exclude.contains(&id) {
                let (weather, advice) = (one.phrase.text.clone(), other.phrase.text.clone());
                pairs.push(Pair { id, weather, advice, score: one.score + other.score });
            }
        }
    }
    pairs
}

/// The best pair, and the next best that share no half with it or with each other.
fn best(mut pairs: Vec<Pair>) -> Option<(Pair, Vec<Pair>)> {
    pairs.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    let mut chosen: Vec<Pair> = Vec::new();
    for pair in pairs {
        if chosen.iter().all(|before| before.weather != pair.weather && before.advice != pair.advice) {
            chosen.push(pair);
        }
        if chosen.len() > ALTERNATIVES {
            break;
        }
    }
    let mut chosen = chosen.into_iter();
    Some((chosen.next()?, chosen.collect()))
}

fn reasons(situation: &Situation<'_>, weather: usize, advice: usize) -> Vec<String> {
    let slot = situation.slot;
    let mut reasons = vec![
        format!(
            "{}時の{}を基準（{:.1}℃・降水{:.1}mm/h・風{:.0}m/s）",
            slot.hour, slot.label, slot.temperature, slot.precipitation, slot.wind
        ),
        format!("条件に合う表現：天気{weather}件・アドバイス{advice}件"),
    ];
    if !situation.dangers.is_empty() {
        reasons.push("危険な現象に必ず触れる".to_owned());
    }
    if situation.names_rain {
        reasons.push("1mm/h以上の雨があり、雨か傘に一度だけ触れる".to_owned());
    }
    reasons
}

fn most_frequent(mut rules: Vec<Rule>) -> Rule {
    rules.sort_unstable();
    let longest = rules.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
    longest.map_or(Rule::P1, |same| same[0])
}

#[cfg(test)]
mod tests {
    use config::corpus::{Phenomenon, Sky};
    use config::places::Places;
    use jiff::civil::date;
    use proptest::prelude::*;

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
        let recent = BTreeSet::new();
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

    fn phrase<'a>(corpus: &'a [Phrase], text: &str) -> &'a Phrase {
        corpus.iter().find(|phrase| phrase.text == text).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// Checked again, by code that shares nothing with the rules but the corpus.
        #[test]
        fn what_is_published_is_true(
            index in 0_usize..142, month in 1_i8..=12, base in -8.0_f64..36.0, wind in 0.0_f64..20.0,
            skies in prop::array::uniform4(prop::sample::select(vec![0_u8, 1, 2, 3, 45, 51, 61, 63, 65, 71, 75, 80, 95])),
        ) {
            let place = &Places::embedded().all()[index];
            let slots = skies.map(|code| {
                let rain = match code { 51 => 0.3, 61 => 1.5, 63 => 6.0, 65 => 14.0, 71 => 0.8, 75 => 3.0, 80 => 2.5, 95 => 8.0, _ => 0.0 };
                // Snow falls only when it is cold.
                let temperature = if matches!(code, 71 | 75) { base.min(1.0) } else { base };
                (code, temperature, rain, wind)
            });
            let day = day(month, &slots);
            let choice = ask(&place.name, &day, &BTreeSet::new());
            prop_assert!(choice.is_ok(), "{}: {choice:?} {day:?}", place.name);
            let choice = choice.unwrap();
            let corpus = Corpus::embedded();
            let halves = [phrase(&corpus.weather, &choice.pair.weather), phrase(&corpus.advice, &choice.pair.advice)];
            for half in halves {
                let slot = &choice.representative;
                prop_assert!(half.skies.is_empty() || half.skies.contains(&slot.sky), "{half:?}");
                prop_assert!(half.rain.min.is_none_or(|min| slot.precipitation >= min));
                prop_assert!(half.rain.max.is_none_or(|max| slot.precipitation <= max));
                let temperatures: Vec<f64> = day.slots.iter().map(|slot| slot.temperature).collect();
                if let Some(min) = half.temperature.min { prop_assert!(temperatures.iter().any(|t| *t >= min)); }
                if let Some(max) = half.temperature.max { prop_assert!(temperatures.iter().any(|t| *t <= max)); }
                if half.text.contains('雪') && half.phenomena.contains(&Phenomenon::Snow) {
                    prop_assert!(day.slots.iter().any(|slot| matches!(slot.sky, Sky::Snow | Sky::HeavySnow | Sky::Sleet)));
                }
                if half.text.contains("熱中症") { prop_assert!(temperatures.iter().any(|t| *t >= 35.0)); }
                if half.phenomena.contains(&Phenomenon::Thunder) { prop_assert!(skies.contains(&95)); }
                prop_assert!(!half.regions_excluded.contains(&place.region));
            }
        }
    }
}
