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
    /// Nobody is sent out for pleasure on a dangerous day.
    H9,
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
        let wind = day.highest(|slot| slot.wind);
        let dangers = [
            (Phenomenon::Thunder, day.has(&[Sky::Thunder])),
            (Phenomenon::Fog, slot.sky == Sky::Fog),
            (Phenomenon::Storm, day.has(&[Sky::Storm])),
            (Phenomenon::HeavyRain, slot.sky == Sky::HeavyRain),
            (Phenomenon::Snow, day.has(&[Sky::HeavySnow])),
            (Phenomenon::Heat, slot.sky == Sky::ExtremeHeat),
            (Phenomenon::StrongWind, wind >= STRONG_WIND),
            (Phenomenon::Wind, wind >= STRONG_WIND),
        ];
        let liquid = |slot: &Slot| !matches!(slot.sky, Sky::Snow | Sky::HeavySnow | Sky::Sleet);
        Some(Self {
            place,
            date: day.date,
            slot,
            seasons: season::seasons(place, day.date),
            warmest,
            coldest: day.coldest(),
            wind,
            dangers: dangers.into_iter().filter(|(_, there)| *there).map(|(danger, _)| danger).collect(),
            names_rain: day.slots.iter().any(|slot| liquid(slot) && slot.precipitation >= 1.0),
            day,
        })
    }

    /// The first hard rule that refuses a phrase; the cheap ones that refuse most come first.
    pub fn refuses(&self, phrase: &Phrase) -> Option<Rule> {
        if !phrase.skies.is_empty() && !phrase.skies.contains(&self.slot.sky) {
            return Some(Rule::H1);
        }
        if !self.in_season(phrase) {
            return Some(Rule::H7);
        }
        if !phrase.rain.holds(self.slot.precipitation) {
            return Some(Rule::H2);
        }
        if !self.right_temperature(phrase) {
            return Some(Rule::H3);
        }
        if !self.right_kind_of_rain(phrase) {
            return Some(Rule::H4);
        }
        if phrase.time.contains(&Time::Changeable) && self.day.changes() < 2 {
            return Some(Rule::H5);
        }
        if !self.really_there(phrase) {
            return Some(Rule::H6);
        }
        if !self.right_hour(phrase) {
            return Some(Rule::H8);
        }
        let pleasure =
            phrase.caution == 0 && phrase.phenomena.is_empty() && phrase.themes.meets(Themes::of(&["outing"]));
        (pleasure && !self.dangers.is_empty()).then_some(Rule::H9)
    }

    /// The numbers that a rule looks at, in words for the editor.
    pub fn because(&self, rule: Rule) -> String {
        let slot = self.slot;
        match rule {
            Rule::H1 => format!("{}時の空は{}", slot.hour, slot.label),
            Rule::H2 => format!("{}時の降水は{:.1}mm/h", slot.hour, slot.precipitation),
            Rule::H3 => format!(
                "気温は{:.1}～{:.1}℃、湿度{:.0}%、風{:.0}m/s",
                self.coldest, self.warmest, slot.humidity, self.wind
            ),
            Rule::H4 => format!("4つの時刻のうち雨や雪は{}回", self.day.wet()),
            Rule::H5 => format!("空の変化は{}回", self.day.changes()),
            Rule::H6 => "その現象は予報にない".to_owned(),
            Rule::H7 => format!("{}月{}日の{}", self.date.month(), self.date.day(), self.place.region),
            Rule::H8 => "その時間帯の空と合わない".to_owned(),
            Rule::H9 => "危険な現象のある日".to_owned(),
            Rule::R1 => "危険な現象に触れていない".to_owned(),
            Rule::R2 => "雨か傘に一度だけ触れていない".to_owned(),
            Rule::P1 => "二つの句が同じことを言う".to_owned(),
            Rule::P2 => "危険がないのに注意が重なる".to_owned(),
        }
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
            // Half the slots wet is no shower any more.
            Time::Shower => (1..=2).contains(&self.day.wet()),
            Time::Continuous => self.day.continuous(),
            Time::AllDay => {
                let throughout = |slot: &Slot| phrase.skies.is_empty() || phrase.skies.contains(&slot.sky);
                (self.day.wet() == 0 || self.day.continuous()) && self.day.slots.iter().all(throughout)
            }
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
            Phenomenon::StrongWind => self.wind >= STRONG_WIND,
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

    /// The first pair rule that refuses two phrases side by side.
    pub fn refuses_pair(&self, weather: &Phrase, advice: &Phrase) -> Option<Rule> {
        let contradicts = |one: &Phrase, other: &Phrase| {
            one.themes.meets(Themes::of(&["pollen"])) && other.themes.meets(Themes::of(&["outing", "laundry"]))
        };
        if contradicts(weather, advice) || contradicts(advice, weather) {
            return Some(Rule::P1);
        }
        let warned_twice = CAUTIONS.iter().any(|word| weather.text.contains(word) && advice.text.contains(word));
        if weather.themes.meets(advice.themes) || (weather.tone - advice.tone).abs() > 3 || warned_twice {
            return Some(Rule::P1);
        }
        (self.dangers.is_empty() && weather.caution >= 2 && advice.caution >= 2).then_some(Rule::P2)
    }

    /// What a phrase says, as far as it is required that somebody says it.
    pub fn says(&self, phrase: &Phrase) -> Says {
        Says {
            danger: phrase.phenomena.iter().any(|phenomenon| self.dangers.contains(phenomenon)),
            rain: says_rain(phrase),
        }
    }

    /// The required rule that refuses a pair of phrases that say this.
    pub fn requires(&self, weather: Says, advice: Says) -> Option<Rule> {
        if !self.dangers.is_empty() && !weather.danger && !advice.danger {
            return Some(Rule::R1);
        }
        (self.names_rain && weather.rain == advice.rain).then_some(Rule::R2)
    }
}

/// What a phrase says, as far as that can be required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Says {
    /// It names the day's danger.
    danger: bool,
    /// It speaks of rain or of what keeps it off.
    rain: bool,
}

/// From here on wind is a danger, in m/s.
const STRONG_WIND: f64 = 15.0;
/// Words that warn; two of the same are one too many.
const CAUTIONS: [&str; 4] = ["用心", "注意", "警戒", "油断"];

/// The parts of a day.
const PARTS: [Time; 3] = [Time::Morning, Time::Noon, Time::Evening];

/// Whether a phrase speaks of rain or of what keeps it off.
fn says_rain(phrase: &Phrase) -> bool {
    phrase.themes.meets(Themes::of(&["rain", "umbrella", "shower", "heavy_rain"]))
}
