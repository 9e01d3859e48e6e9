//! The best pair of all that the rules leave, without trying them all.
//!
//! Halves are sorted by score, and the advices are split into classes by what the pair rules ask: which dangers they
//! name, whether they name what makes the day, whether they warn. For each comment only the classes that can stand beside it are
//! read, from the best on, and only until a pair could no longer beat the best so far. A test compares the answer
//! with that of trying all pairs.

use config::corpus::{Phrase, Theme};
use config::rules::{Rule, Want};
use enumset::EnumSet;

use super::count::Counts;
use super::rules::Situation;

/// A phrase that is true on the day, with what the pair rules ask of it.
#[derive(Debug)]
pub(crate) struct Half<'a> {
    pub(crate) phrase: &'a Phrase,
    pub(crate) score: f64,
    class: usize,
}

/// A class is six bits: two dangers, two things that make the day, a warning, and whether an advice is cautious enough.
const CLASSES: usize = 64;
const MAKES: usize = 2;
const WARNS: usize = 16;
const CAUTIONS: usize = 32;

impl<'a> Half<'a> {
    pub(crate) fn new(situation: &Situation<'_>, phrase: &'a Phrase, score: f64) -> Self {
        let warns = if situation.warns(phrase) { WARNS } else { 0 };
        let cautions = if situation.cautions(phrase) { CAUTIONS } else { 0 };
        let class = usize::from(situation.names(phrase)) | usize::from(situation.makes(phrase)) << MAKES;
        Self { phrase, score, class: class | warns | cautions }
    }
}

/// All halves of a day, sorted and in classes.
pub(crate) struct Halves<'a, 's> {
    situation: &'s Situation<'s>,
    pub(crate) weather: Vec<Half<'a>>,
    pub(crate) advice: [Vec<Half<'a>>; CLASSES],
}

/// A pair, as positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found<'h, 'a> {
    pub(crate) weather: &'h Half<'a>,
    pub(crate) advice: &'h Half<'a>,
}

impl PartialEq for Half<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.phrase.id == other.phrase.id
    }
}

impl Found<'_, '_> {
    pub(crate) fn score(&self) -> f64 {
        self.weather.score + self.advice.score
    }
}

impl<'a, 's> Halves<'a, 's> {
    pub(crate) fn new(situation: &'s Situation<'s>, mut weather: Vec<Half<'a>>, advice: Vec<Half<'a>>) -> Self {
        let mut classes = [const { Vec::new() }; CLASSES];
        for half in advice {
            classes[half.class].push(half);
        }
        weather.sort_by(best_first);
        classes.iter_mut().for_each(|class| class.sort_by(best_first));
        Self { situation, weather, advice: classes }
    }

    /// The best pair that is not given up and of which the caller approves; of equals the first by number.
    pub(crate) fn best(
        &self,
        given_up: EnumSet<Rule>,
        approves: &dyn Fn(&Phrase, &Phrase) -> bool,
    ) -> Option<Found<'_, 'a>> {
        let first = |class: &Vec<Half<'a>>| class.first().map(|half| half.score);
        let highest = self.advice.iter().filter_map(first).fold(f64::NEG_INFINITY, f64::max);
        let mut best: Option<Found<'_, 'a>> = None;
        for weather in &self.weather {
            let beaten = |score: f64| best.is_some_and(|best| score <= best.score());
            if beaten(weather.score + highest) {
                break;
            }
            let taboo = self.situation.taboo(weather.phrase);
            for (class, halves) in self.advice.iter().enumerate() {
                if !self.classes_agree(weather.class, class, given_up) {
                    continue;
                }
                if let Some(found) = self.best_beside(weather, taboo, halves, best, given_up, approves) {
                    best = Some(found);
                }
            }
        }
        best
    }

    fn best_beside<'h>(
        &self,
        weather: &'h Half<'a>,
        taboo: EnumSet<Theme>,
        halves: &'h [Half<'a>],
        best: Option<Found<'h, 'a>>,
        given_up: EnumSet<Rule>,
        approves: &dyn Fn(&Phrase, &Phrase) -> bool,
    ) -> Option<Found<'h, 'a>> {
        for advice in halves {
            let found = Found { weather, advice };
            if best.is_some_and(|best| found.score() <= best.score()) {
                return None;
            }
            let clash = self.situation.clash(weather.phrase, taboo, advice.phrase) && !given_up.contains(Rule::P1);
            if !clash && approves(weather.phrase, advice.phrase) {
                return Some(found);
            }
        }
        None
    }

    /// Counts the pairs that no rule refuses, and the phrases in them.
    pub(crate) fn count(&self) -> Counts {
        let mut counts = Counts::default();
        let mut used: [Vec<bool>; CLASSES] = std::array::from_fn(|class| vec![false; self.advice[class].len()]);
        for weather in &self.weather {
            let taboo = self.situation.taboo(weather.phrase);
            let before = counts.pairs;
            for (class, halves) in self.advice.iter().enumerate() {
                if halves.is_empty() || !self.classes_agree(weather.class, class, EnumSet::new()) {
                    continue;
                }
                for (advice, used) in halves.iter().zip(&mut used[class]) {
                    let admissible = !self.situation.clash(weather.phrase, taboo, advice.phrase);
                    counts.pairs += usize::from(admissible);
                    *used |= admissible;
                }
            }
            counts.weather += usize::from(counts.pairs > before);
        }
        counts.advice = used.iter().flatten().filter(|used| **used).count();
        counts
    }

    /// Whether R1, R2 and P2 allow two classes side by side.
    fn classes_agree(&self, weather: usize, advice: usize, given_up: EnumSet<Rule>) -> bool {
        let dangers = (1 << self.situation.dangers.len()) - 1;
        let named = (weather | advice) & dangers == dangers;
        let made = |(want, bit): (&&Want, usize)| {
            let (weather, advice) = (weather >> bit & 1, advice >> bit & 1);
            if want.once { weather + advice == 1 } else { weather + advice >= 1 }
        };
        let made = self.situation.wants.iter().zip(MAKES..).all(made);
        let warns = !self.situation.dangers.is_empty() || weather & advice & WARNS == 0;
        named
            && advice & CAUTIONS != 0
            && (made || given_up.contains(Rule::R2))
            && (warns || given_up.contains(Rule::P2))
    }
}

fn best_first(a: &Half<'_>, b: &Half<'_>) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.phrase.id.cmp(&b.phrase.id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use config::corpus::Corpus;
    use config::places::Places;
    use config::rules::Rules;
    use jiff::civil::date;

    use super::*;
    use crate::domain::choice::{Request, score_for_tests};
    use crate::domain::day::{Code, Day, HOURS, HourlyPoint};
    use crate::domain::recent::Recent;

    #[test]
    fn the_best_pair_is_the_one_that_trying_all_pairs_finds() {
        let days = [(6, 63, 20.0, 3.0, 2.0), (1, 0, 4.0, 0.0, 12.0), (8, 95, 27.0, 12.0, 6.0), (2, 75, -3.0, 3.0, 5.0)];
        for (month, code, temperature, precipitation, wind) in days {
            let at = date(2026, month, 10);
            let point = |hour| HourlyPoint {
                time: at.at(hour, 0, 0, 0),
                code: Code::Wmo(code),
                temperature,
                precipitation,
                humidity: 70.0,
                wind,
            };
            let day = Day::of(at, &HOURS.map(point));
            let place = Places::embedded().get("長野").unwrap();
            let (exclude, recent) = (BTreeSet::new(), Recent::default());
            let request = Request { place, day: &day, seed: 3, exclude: &exclude, recent: &recent };
            let situation = Situation::of(Rules::embedded(), place, &day).unwrap();
            let corpus = Corpus::embedded();
            let scored = |phrases: &'static [Phrase]| -> Vec<Half<'static>> {
                let true_ones = phrases.iter().filter(|phrase| situation.refuses(phrase).is_none());
                true_ones.map(|it| Half::new(&situation, it, score_for_tests(&situation, &request, it))).collect()
            };
            let (weather, advice) = (scored(&corpus.weather), scored(&corpus.advice));
            let mut best = (f64::NEG_INFINITY, String::new());
            for one in &weather {
                for other in &advice {
                    let score = one.score + other.score;
                    if score > best.0 && situation.refuses_pair(one.phrase, other.phrase, EnumSet::new()).is_none() {
                        best = (score, format!("{}-{}", one.phrase.id, other.phrase.id));
                    }
                }
            }
            let halves = Halves::new(&situation, weather, advice);
            let found = halves.best(EnumSet::new(), &|_, _| true).unwrap();
            assert_eq!(format!("{}-{}", found.weather.phrase.id, found.advice.phrase.id), best.1);
        }
    }
}
