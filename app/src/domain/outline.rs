//! A day in a few words: where it is going, how steady it is, and how it differs from the day before.

use config::corpus::Sky;
use serde::Serialize;

use super::day::{Day, HOURS};

/// Where the sky is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// It stays as it is.
    Steady,
    /// It only gets better.
    Improving,
    /// It only gets worse.
    Worsening,
    /// It gets better and worse.
    Fluctuating,
}

/// What holds for a day as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outline {
    /// Where the sky is going.
    pub trend: Trend,
    /// Whether all four slots are known, dry, and of one kind: sun, or cloud.
    pub stable: bool,
    /// Whether rain or snow falls at all four slots.
    pub continuous: bool,
    /// Degrees from the coldest to the warmest slot.
    pub range: f64,
    /// How many degrees warmer than the day before, over the slots that are known of both days.
    pub warmer: Option<f64>,
}

/// How good a sky is, from 0 to 5.
fn goodness(sky: Sky) -> u8 {
    match sky {
        Sky::Sunny | Sky::ExtremeHeat => 5,
        Sky::ThinCloud => 4,
        Sky::Cloudy => 3,
        Sky::Rain | Sky::Fog => 2,
        Sky::Snow | Sky::Sleet => 1,
        Sky::HeavyRain | Sky::HeavySnow | Sky::Thunder | Sky::Storm => 0,
    }
}

/// From the first slot to the last the sky must differ by so much; sun behind a little cloud is no change of weather.
const TURN: u8 = 2;
/// Of so many slots the day before must be known: a single hour is no day.
const COMPARED: usize = 2;

impl Day {
    /// Where the sky is going.
    pub fn trend(&self) -> Trend {
        let steps: Vec<u8> = self.slots.iter().map(|slot| goodness(slot.sky)).collect();
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Trend::Steady };
        let spread = steps.iter().max().zip(steps.iter().min()).map_or(0, |(most, least)| most - least);
        match () {
            () if spread < TURN => Trend::Steady,
            () if steps.is_sorted() && last - first >= TURN => Trend::Improving,
            () if steps.iter().rev().is_sorted() && first - last >= TURN => Trend::Worsening,
            () => Trend::Fluctuating,
        }
    }

    /// Whether all four slots are known, dry, and of one kind: sun, or cloud.
    pub fn stable(&self) -> bool {
        let sun = |sky| matches!(sky, Sky::Sunny | Sky::ThinCloud | Sky::ExtremeHeat);
        let all = |kind: &dyn Fn(Sky) -> bool| self.slots.iter().all(|slot| kind(slot.sky));
        self.slots.len() == HOURS.len() && self.wet() == 0 && (all(&sun) || all(&|sky| sky == Sky::Cloudy))
    }

    /// Degrees from the coldest to the warmest slot.
    pub fn range(&self) -> f64 {
        (self.highest(|slot| slot.temperature) - self.coldest()).max(0.0)
    }

    /// How many degrees warmer than the day before, if enough is known of that.
    pub fn warmer(&self) -> Option<f64> {
        let known: Vec<f64> = self.slots.iter().filter_map(|slot| slot.warmer).collect();
        let count = u32::try_from(known.len()).ok().filter(|_| known.len() >= COMPARED)?;
        Some((known.iter().sum::<f64>() / f64::from(count) * 10.0).round() / 10.0)
    }

    /// All of that.
    pub fn outline(&self) -> Outline {
        Outline {
            trend: self.trend(),
            stable: self.stable(),
            continuous: self.continuous(),
            range: (self.range() * 10.0).round() / 10.0,
            warmer: self.warmer(),
        }
    }
}

impl Trend {
    /// Its name in Japanese.
    pub fn label(self) -> &'static str {
        match self {
            Self::Steady => "大きな変化なし",
            Self::Improving => "回復へ",
            Self::Worsening => "下り坂",
            Self::Fluctuating => "変わりやすい",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::day::{Code, HourlyPoint};

    fn day(codes: &[u8], temperatures: [f64; 4]) -> Day {
        let date = date(2026, 5, 12);
        let hours = HOURS.into_iter().zip(codes).zip(temperatures);
        let points = hours.map(|((hour, code), temperature)| HourlyPoint {
            time: date.at(hour, 0, 0, 0),
            code: Code::Wmo(*code),
            temperature,
            precipitation: if *code > 50 { 1.0 } else { 0.0 },
            humidity: 60.0,
            wind: 2.0,
        });
        Day::of(date, &points.collect::<Vec<_>>())
    }

    const MILD: [f64; 4] = [14.0, 18.0, 19.5, 16.0];

    #[test]
    fn a_day_improves_or_worsens_when_it_never_turns_back() {
        for (codes, trend) in [
            ([0, 0, 1, 0], Trend::Steady),
            ([0, 2, 2, 0], Trend::Steady),
            ([61, 61, 3, 1], Trend::Improving),
            ([3, 3, 2, 0], Trend::Improving),
            ([0, 2, 3, 61], Trend::Worsening),
            ([3, 3, 3, 95], Trend::Worsening),
            ([0, 3, 0, 3], Trend::Fluctuating),
            ([2, 80, 3, 1], Trend::Fluctuating),
        ] {
            assert_eq!(day(&codes, MILD).trend(), trend, "{codes:?}");
        }
        assert_eq!(day(&[], MILD).trend(), Trend::Steady);
    }

    #[test]
    fn a_stable_day_is_dry_whole_and_of_one_kind() {
        assert!(day(&[0, 2, 1, 2], MILD).stable() && day(&[3; 4], MILD).stable());
        assert!(day(&[0, 0, 1, 1], [33.0, 35.0, 36.0, 34.0]).stable(), "heat is sun, too");
        assert!(!day(&[0, 0, 3, 0], MILD).stable() && !day(&[61; 4], MILD).stable() && !day(&[0; 3], MILD).stable());
    }

    #[test]
    fn the_difference_to_the_day_before_is_that_of_all_hours_and_one_hour_is_not_enough() {
        let today = day(&[0; 4], MILD);
        let before = |hours: &[i8]| {
            let date = date(2026, 5, 11);
            let point = |hour: &i8| HourlyPoint {
                time: date.at(*hour, 0, 0, 0),
                code: Code::Wmo(0),
                temperature: 10.0,
                precipitation: 0.0,
                humidity: 60.0,
                wind: 2.0,
            };
            hours.iter().map(point).collect::<Vec<_>>()
        };
        let warmer = |hours: &[i8]| today.clone().compared_with(&before(hours)).outline().warmer;
        assert_eq!(warmer(&[9, 12, 15, 18]), Some(6.9));
        assert_eq!(warmer(&[9, 12]), Some(6.0));
        assert_eq!((warmer(&[12]), warmer(&[])), (None, None));
        assert_eq!(today.outline().range, 5.5);
    }
}
