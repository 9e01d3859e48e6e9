//! How many pairs the rules leave for a day.

use config::corpus::{Corpus, Phrase};
use config::places::Place;
use config::rules::Rules;

use super::day::Day;
use super::rules::Situation;
use super::search::{Half, Halves};

/// How much there is to say on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pairs that no rule refuses.
    pub pairs: usize,
    /// Comments in these pairs.
    pub weather: usize,
    /// Advices in these pairs.
    pub advice: usize,
}

/// Counts all admissible pairs; nothing for a day without a forecast.
pub fn count(corpus: &Corpus, rules: &Rules, place: &Place, day: &Day) -> Counts {
    let Some(situation) = Situation::of(rules, place, day) else { return Counts::default() };
    let weather = halves(&situation, &corpus.weather);
    let advice = halves(&situation, &corpus.advice);
    Halves::new(&situation, weather, advice).count()
}

fn halves<'a>(situation: &Situation<'_>, phrases: &'a [Phrase]) -> Vec<Half<'a>> {
    let left = phrases.iter().filter(|phrase| situation.refuses(phrase).is_none());
    left.map(|phrase| Half::new(situation, phrase, 0.0)).collect()
}
