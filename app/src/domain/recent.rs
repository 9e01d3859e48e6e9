//! What was published lately, so that it may rest.

use std::collections::{BTreeMap, HashMap};

use config::rules::Rules;
use jiff::civil::Date;

/// The pairs of this batch and of the last days.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// How many places the batch has.
    batch: usize,
    /// How often this batch used a phrase.
    phrases: HashMap<String, u32>,
    /// How often this batch used a pair.
    pairs: HashMap<String, u32>,
    /// The pairs of each place by day.
    days: HashMap<String, BTreeMap<Date, String>>,
}

impl Recent {
    /// Begins a batch of so many places, with nothing used yet.
    pub fn begin(&mut self, places: usize) {
        self.batch = places;
        self.phrases.clear();
        self.pairs.clear();
    }

    /// Takes down a pair that was chosen, by its number.
    pub fn note(&mut self, place: &str, date: Date, pair: &str) {
        *self.pairs.entry(pair.to_owned()).or_default() += 1;
        for phrase in pair.split('-') {
            *self.phrases.entry(phrase.to_owned()).or_default() += 1;
        }
        self.remember(place, date, pair);
    }

    /// Takes down a pair of an earlier batch.
    pub fn remember(&mut self, place: &str, date: Date, pair: &str) {
        self.days.entry(place.to_owned()).or_default().insert(date, pair.to_owned());
    }

    /// Forgets the days that no rule looks at any more, and tells whether there were any.
    pub fn forget_before(&mut self, date: Date) -> bool {
        let mut any = false;
        for days in self.days.values_mut() {
            days.retain(|day, _| {
                any |= *day < date;
                *day >= date
            });
        }
        any
    }

    /// Whether a pair has had its share of this batch.
    pub fn is_spent(&self, rules: &Rules, pair: &str) -> bool {
        self.pairs.get(pair).is_some_and(|uses| usize::try_from(*uses).is_ok_and(|uses| uses >= self.most(rules)))
    }

    /// How often a batch may use a pair.
    fn most(&self, rules: &Rules) -> usize {
        (self.batch * usize::from(rules.share) / 100).max(1)
    }

    /// The points that phrases lose at a place on a day, by number.
    pub(crate) fn penalties(&self, rules: &Rules, place: &str, date: Date) -> HashMap<&str, f64> {
        let weights = &rules.weights;
        let in_batch = self.phrases.iter().map(|(id, uses)| (id.as_str(), weights.used_in_batch * f64::from(*uses)));
        let mut penalties: HashMap<&str, f64> = in_batch.collect();
        for (age, pair) in self.earlier(place, date) {
            let left = 1.0 - f64::from(age - 1) / f64::from(weights.days);
            if left > 0.0 {
                for phrase in pair.split('-') {
                    *penalties.entry(phrase).or_default() += weights.used_lately * left;
                }
            }
        }
        penalties
    }

    /// The pairs that rest (D1): used at the place in the last sessions, or often enough in this batch.
    pub(crate) fn resting(&self, rules: &Rules, place: &str, date: Date) -> Vec<&str> {
        let often = self.pairs.keys().map(String::as_str).filter(|pair| self.is_spent(rules, pair));
        let last = self.earlier(place, date).take(usize::from(rules.sessions));
        last.map(|(_, pair)| pair).chain(often).collect()
    }

    /// The pairs of a place before a day, the latest first, with their age in days.
    fn earlier(&self, place: &str, date: Date) -> impl Iterator<Item = (i32, &str)> {
        let days = self.days.get(place).into_iter();
        let before = days.flat_map(move |days| days.range(..date).rev());
        // The day itself is no earlier session: who asks again gets the same answer.
        before.map(move |(day, pair)| (date.since(*day).map_or(i32::MAX, |span| span.get_days()), pair.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_pair_rests_for_two_sessions_at_its_place_and_its_phrases_fade_over_a_week() {
        let rules = Rules::embedded();
        let mut recent = Recent::default();
        for (day, pair) in [(1, "w1-a1"), (2, "w2-a2"), (3, "w3-a3")] {
            recent.remember("東京", date(2026, 5, day), pair);
        }
        let day = date(2026, 5, 4);
        assert_eq!(recent.resting(rules, "東京", day), ["w3-a3", "w2-a2"]);
        assert!(recent.resting(rules, "大阪", day).is_empty());
        // The same day again is the same session.
        assert_eq!(recent.resting(rules, "東京", date(2026, 5, 3)), ["w2-a2", "w1-a1"]);
        let penalties = recent.penalties(rules, "東京", day);
        assert!(penalties["w3"] > penalties["w1"] && penalties["w1"] > 0.0);
        assert!(recent.penalties(rules, "東京", date(2026, 5, 20)).is_empty());
        recent.forget_before(day);
        assert!(recent.resting(rules, "東京", day).is_empty());
    }

    #[test]
    fn a_batch_uses_a_pair_only_for_its_share_of_the_places() {
        let rules = Rules::embedded();
        let mut recent = Recent::default();
        recent.begin(10);
        let day = date(2026, 5, 4);
        recent.note("東京", day, "w1-a1");
        assert!(recent.resting(rules, "大阪", day).is_empty());
        recent.note("大阪", day, "w1-a1");
        assert_eq!(recent.resting(rules, "名古屋", day), ["w1-a1"]);
        recent.begin(1);
        assert!(recent.resting(rules, "名古屋", day).is_empty());
    }
}
