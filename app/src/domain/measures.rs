//! Everything the rules ask of a day, as numbers computed once.

use config::corpus::{Phrase, Sky};
use config::places::Place;
use config::rules::{Measure, Rules};
use enumset::EnumSet;

use super::day::{Day, Slot};
use super::outline::Trend;
use super::season;

/// The numbers of a day at a place.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    values: [f64; Measure::WORDS.len()],
    skies: Vec<Sky>,
}

impl Measures {
    pub(crate) fn of(place: &Place, day: &Day, slot: &Slot, rules: &Rules) -> Self {
        let mut measures =
            Self { values: [0.0; Measure::WORDS.len()], skies: day.slots.iter().map(|slot| slot.sky).collect() };
        for measure in EnumSet::<Measure>::all() {
            measures.values[measure as usize] = value(measure, place, day, slot, rules);
        }
        measures
    }

    /// A number that is the same for all phrases.
    pub(crate) fn get(&self, measure: Measure) -> f64 {
        self.values[measure as usize]
    }

    /// A number, also one that depends on the phrase.
    pub(crate) fn get_for(&self, phrase: &Phrase, measure: Measure) -> f64 {
        if measure == Measure::OwnSlots {
            return number(
                self.skies.iter().filter(|sky| phrase.skies.is_empty() || phrase.skies.contains(**sky)).count(),
            );
        }
        self.get(measure)
    }
}

fn value(measure: Measure, place: &Place, day: &Day, slot: &Slot, rules: &Rules) -> f64 {
    let slots = |which: &dyn Fn(&Slot) -> bool| number(day.slots.iter().filter(|slot| which(slot)).count());
    match measure {
        Measure::Temperature => slot.temperature,
        Measure::Warmest => day.highest(|slot| slot.temperature),
        Measure::Coldest => day.coldest(),
        Measure::Range => day.range(),
        Measure::Precipitation => slot.precipitation,
        Measure::HardestRain => day.highest(|slot| if rains(slot, rules) { slot.precipitation } else { 0.0 }),
        Measure::Humidity => slot.humidity,
        Measure::Wind => day.highest(|slot| slot.wind),
        Measure::WetSlots => number(day.wet()),
        Measure::WetRuns => number(day.wet_runs()),
        Measure::Changes => number(day.changes()),
        Measure::Improving => number(usize::from(day.trend() == Trend::Improving)),
        Measure::Worsening => number(usize::from(day.trend() == Trend::Worsening)),
        Measure::Warmer => day.warmer().unwrap_or(0.0),
        Measure::SunnySlots => slots(&|slot| matches!(slot.sky, Sky::Sunny | Sky::ThinCloud | Sky::ExtremeHeat)),
        Measure::RainSlots => slots(&|slot| rains(slot, rules) || slot.sky == Sky::Sleet),
        Measure::HeavyRainSlots => slots(&|slot| {
            slot.sky == Sky::HeavyRain || rains(slot, rules) && slot.precipitation >= rules.sky.heavy_rain
        }),
        Measure::SnowSlots => slots(&|slot| snows(slot, rules) || slot.sky == Sky::Sleet),
        Measure::HeavySnowSlots => slots(&|slot| {
            slot.sky == Sky::HeavySnow
                || slot.sky == Sky::Storm && snows(slot, rules) && slot.precipitation >= rules.sky.heavy_snow
        }),
        Measure::ThunderSlots => slots(&|slot| slot.sky == Sky::Thunder),
        Measure::StormSlots => slots(&|slot| slot.sky == Sky::Storm),
        Measure::FogSlots => slots(&|slot| slot.sky == Sky::Fog),
        Measure::Coastal => number(usize::from(place.coastal)),
        Measure::PollenSeason => number(usize::from(season::pollen(place, day.date))),
        // Asked for with a phrase.
        Measure::OwnSlots => 0.0,
    }
}

/// Whether what falls in a slot is snow and nothing else. Thunder and storms are told apart by the temperature.
fn snows(slot: &Slot, rules: &Rules) -> bool {
    let cold = matches!(slot.sky, Sky::Storm | Sky::Thunder) && slot.temperature < rules.sky.snow_below;
    matches!(slot.sky, Sky::Snow | Sky::HeavySnow) || cold && slot.precipitation >= rules.sky.wet
}

/// Whether rain falls in a slot, without snow.
fn rains(slot: &Slot, rules: &Rules) -> bool {
    // Thunder comes without rain, too.
    let named = matches!(slot.sky, Sky::Rain | Sky::HeavyRain);
    (named || slot.precipitation >= rules.sky.wet) && slot.sky != Sky::Sleet && !snows(slot, rules)
}

/// A count as a number.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
