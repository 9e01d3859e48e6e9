//! Which phrases are true on a day, and which two may stand side by side.
//!
//! The names are those of the published rule set: H is hard and never relaxed, R is required,
//! P is about pairs.

use config::corpus::{Phenomenon, Phrase, Season, Sky, Themes, Time};
use config::places::Place;
use jiff::civil::Date;
use serde::Serialize;

use super::day::{Day, Slot};
use super::season;
use super::sky::{EXTREME_HEAT, HEAVY_RAIN};

/// A rule that can refuse a phrase or a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Rule {
    /// The sky.
    H1,
    /// How strong the rain is.
    H2,
    /// How warm or cold it is.
    H3,
    /// Showers and lasting rain.
    H4,
    /// Stable and changeable days.
    H5,
    /// The phenomenon must be there.
    H6,
    /// Time of year and region.
    H7,
    /// Time of day.
    H8,
    /// Danger must be named.
    R1,
    /// Rain of 1 mm/h must be named, once.
    R2,
    /// The two halves do not say the same.
    P1,
    /// Not two cautions without danger.
    P2,
}

/// A place on a day, with everything that rules ask about computed once.
#[derive(Debug)]
pub struct Situation<'a> {
    place: &'a Place,
    date: Date,
    day: &'a Day,
    /// The slot that stands for the day.
    pub slot: &'a Slot,
    seasons: Vec<Season>,
    warmest: f64,
    coldest: f64,
    wind: f64,
    /// What must be named because it is dangerous.
    pub dangers: Vec<Phenomenon>,
    /// Whether rain must be named.
    pub names_rain: bool,
}

impl<'a> Situation<'a> {
    /// Looks at a day; `None` when it has no forecast at all.
    pub fn of(place: &'a Place, day: &'a Day) -> Option<Self> {
        let slot = day.representative()?;
        let warmest = day.highest(|slot| slot.temperature);
        let dangers = [
            (Phenomenon::Thunder, day.has(&[Sky::Thunder])),
            (Phenomenon::Fog, slot.sky == Sky::Fog),
            (Phenomenon::Storm, day.has(&[Sky::Storm])),
            (Phenomenon::HeavyRain, slot.sky == Sky::HeavyRain),
            (Phenomenon::Snow, day.has(&[Sky::HeavySnow])),
            (Phenomenon::Heat, slot.sky == Sky::ExtremeHeat),
        ];
        let liquid = |slot: &Slot| !matches!(slot.sky, Sky::Snow | Sky::HeavySnow | Sky::Sleet);
        Some(Self {
            place,
            date: day.date,
            slot,
            seasons: season::seasons(place, day.date),
            warmest,
            coldest: day.coldest(),
            wind: day.highest(|slot| slot.wind),
            dangers: dangers.into_iter().filter(|(_, there)| *there).map(|(danger, _)| danger).collect(),
            names_rain: day.slots.iter().any(|slot| liquid(slot) && slot.precipitation >= 1.0),
            day,
        })
    }

    /// The first hard rule that refuses a phrase.
    pub fn refuses(&self, phrase: &Phrase) -> Option<Rule> {
        let checks: [(Rule, bool); 8] = [
            (Rule::H7, self.in_season(phrase)),
            (Rule::H1, phrase.skies.is_empty() || phrase.skies.contains(&self.slot.sky)),
            (Rule::H2, phrase.rain.holds(self.slot.precipitation)),
            (Rule::H3, self.right_temperature(phrase)),
            (Rule::H4, self.right_kind_of_rain(phrase)),
            (Rule::H5, !phrase.time.contains(&Time::Changeable) || self.day.changes() >= 2),
            (Rule::H6, self.really_there(phrase)),
            (Rule::H8, self.right_hour(phrase)),
        ];
        checks.into_iter().find(|(_, kept)| !kept).map(|(rule, _)| rule)
    }

    fn in_season(&self, phrase: &Phrase) -> bool {
        let month = self.date.month();
        let in_month = |(from, to): &(i8, i8)| {
            if from <= to { (*from..=*to).contains(&month) } else { month >= *from || month <= *to }
        };
        let region = &self.place.region;
        (phrase.seasons.is_empty() || phrase.seasons.iter().any(|season| self.seasons.contains(season)))
            && (phrase.months.is_empty() || phrase.months.iter().any(in_month))
            && (phrase.regions_only.is_empty() || phrase.regions_only.contains(region))
            && !phrase.regions_excluded.contains(region)
            && (!phrase.coastal || self.place.coastal)
    }

    /// A lower bound alone is a word of heat and asks the warmest slot, an upper bound alone a
    /// word of cold and asks the coldest; both ask the slot that stands for the day.
    fn right_temperature(&self, phrase: &Phrase) -> bool {
        let window = phrase.temperature;
        let asked = match (window.min, window.max) {
            (Some(_), None) => self.warmest,
            (None, Some(_)) => self.coldest,
            _ => self.slot.temperature,
        };
        let heat_stroke = !phrase.themes.meets(Themes::of(&["heatstroke"])) || self.warmest >= EXTREME_HEAT;
        window.holds(asked) && heat_stroke && phrase.humidity.holds(self.slot.humidity) && phrase.wind.holds(self.wind)
    }

    fn right_kind_of_rain(&self, phrase: &Phrase) -> bool {
        phrase.time.iter().all(|time| match time {
            Time::Shower => !self.day.continuous() && self.day.wet() > 0,
            Time::Continuous => self.day.continuous(),
            Time::AllDay => self.day.wet() == 0 || self.day.continuous(),
            _ => true,
        })
    }

    fn really_there(&self, phrase: &Phrase) -> bool {
        phrase.phenomena.iter().all(|phenomenon| self.is_there(*phenomenon))
    }

    fn is_there(&self, phenomenon: Phenomenon) -> bool {
        let dry = self.day.wet() == 0;
        match phenomenon {
            Phenomenon::Fog => self.day.has(&[Sky::Fog]),
            Phenomenon::Snow => self.day.has(&[Sky::Snow, Sky::HeavySnow, Sky::Sleet]),
            Phenomenon::Thunder => self.day.has(&[Sky::Thunder]),
            Phenomenon::Wind => self.wind >= 10.0,
            Phenomenon::StrongWind => self.wind >= 15.0,
            Phenomenon::Waves => self.place.coastal && self.wind >= 10.0,
            Phenomenon::Pollen => {
                season::pollen(self.place, self.date) && dry && self.slot.humidity < 80.0 && self.wind < 15.0
            }
            Phenomenon::Dryness => self.slot.humidity < 40.0,
            // No source forecasts it, so nobody may claim it.
            Phenomenon::YellowSand => false,
            Phenomenon::Heat => self.warmest >= 30.0,
            Phenomenon::HeavyRain => self.slot.precipitation >= HEAVY_RAIN || self.slot.sky == Sky::HeavyRain,
            Phenomenon::Storm => self.day.has(&[Sky::Storm]),
            Phenomenon::Ice => self.coldest <= 2.0,
        }
    }

    /// What is said of a part of the day must be so in that part.
    fn right_hour(&self, phrase: &Phrase) -> bool {
        let so_at = |hours: &[i8]| {
            phrase.skies.is_empty()
                || self.day.slots.iter().any(|slot| hours.contains(&slot.hour) && phrase.skies.contains(&slot.sky))
        };
        // Of rain that never stops, nobody says that it comes in the evening.
        if self.day.continuous() && says_rain(phrase) && phrase.time.iter().any(|time| PARTS.contains(time)) {
            return false;
        }
        phrase.time.iter().all(|time| match time {
            Time::Morning => so_at(&[9]),
            Time::Noon => so_at(&[12, 15]),
            Time::Evening => so_at(&[18]),
            _ => true,
        })
    }

    /// The first required or pair rule that refuses two phrases side by side.
    pub fn refuses_pair(&self, weather: &Phrase, advice: &Phrase, with_required: bool) -> Option<Rule> {
        if weather.themes.meets(advice.themes) || (weather.tone - advice.tone).abs() > 3 {
            return Some(Rule::P1);
        }
        if self.dangers.is_empty() && weather.caution >= 2 && advice.caution >= 2 {
            return Some(Rule::P2);
        }
        if !with_required {
            return None;
        }
        let names = |danger: &Phenomenon| weather.phenomena.contains(danger) || advice.phenomena.contains(danger);
        if !self.dangers.is_empty() && !self.dangers.iter().any(names) {
            return Some(Rule::R1);
        }
        if self.names_rain && usize::from(says_rain(weather)) + usize::from(says_rain(advice)) != 1 {
            return Some(Rule::R2);
        }
        None
    }
}

/// The parts of a day.
const PARTS: [Time; 3] = [Time::Morning, Time::Noon, Time::Evening];

/// Whether a phrase speaks of rain or of what keeps it off.
fn says_rain(phrase: &Phrase) -> bool {
    phrase.themes.meets(Themes::of(&["rain", "umbrella", "shower", "heavy_rain"]))
}
