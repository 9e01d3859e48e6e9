//! The target day and its four slots.

use config::corpus::Sky;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::sky;

/// Japan has one time zone and no summer time.
pub fn japan() -> TimeZone {
    TimeZone::fixed(Offset::constant(9))
}

/// Until this hour editors still speak of the day that has begun.
const BOUNDARY_HOUR: i8 = 6;
/// The hours of the four slots.
pub const HOURS: [i8; 4] = [9, 12, 15, 18];
/// From here on a slot is wet, in mm/h; less is not measured.
const WET: f64 = 0.1;
/// How far a forecast may be from a slot's hour and still stand for it.
const FARTHEST: SignedDuration = SignedDuration::from_mins(90);

/// The day that comments are made for: tomorrow, or today before six in the morning.
pub fn target_date(now: Timestamp) -> Date {
    let now = now.to_zoned_datetime(japan());
    if now.hour() < BOUNDARY_HOUR { now.date() } else { now.date().saturating_add(jiff::Span::new().days(1)) }
}

/// The weather of an hour in the words of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// Of table 4677 of the World Meteorological Organization.
    Wmo(u8),
    /// Of WxTech.
    Wxtech(u16),
}

/// A forecast for one hour.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct HourlyPoint {
    /// The hour, in Japan.
    pub time: DateTime,
    /// The weather code.
    pub code: Code,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Millimetres in the hour.
    pub precipitation: f64,
    /// Percent.
    pub humidity: f64,
    /// Metres a second.
    pub wind: f64,
}

impl HourlyPoint {
    /// Whether its numbers can be; a row with others is a mistake of its source.
    pub fn is_possible(&self) -> bool {
        (-60.0..=60.0).contains(&self.temperature)
            && (0.0..=300.0).contains(&self.precipitation)
            && (0.0..=100.0).contains(&self.humidity)
            && (0.0..=100.0).contains(&self.wind)
    }
}

/// A forecast for one slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slot {
    /// The slot's hour.
    pub hour: i8,
    /// What the sky does.
    pub sky: Sky,
    /// Its name in Japanese.
    pub label: &'static str,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Millimetres in the hour.
    pub precipitation: f64,
    /// Percent.
    pub humidity: f64,
    /// Metres a second.
    pub wind: f64,
    /// How many degrees warmer than what was forecast for the same hour of the day before, if that is known.
    pub warmer: Option<f64>,
}

/// A day as its four slots; one without a forecast near enough is missing, never borrowed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    /// The date.
    pub date: Date,
    /// The slots that have a forecast, in order.
    pub slots: Vec<Slot>,
}

impl Day {
    /// Takes the forecasts nearest to the slots of a date.
    pub fn of(date: Date, points: &[HourlyPoint]) -> Self {
        let slots = HOURS.iter().filter_map(|hour| {
            let at = date.at(*hour, 0, 0, 0);
            let distance = |point: &&HourlyPoint| point.time.duration_since(at).abs();
            let point = points.iter().min_by_key(distance).filter(|point| distance(point) <= FARTHEST)?;
            let calm = sky::of(point.code, point.precipitation, point.temperature);
            let sky = sky::under_wind(calm, point.wind);
            let snows = sky == Sky::Storm && matches!(calm, Sky::Snow | Sky::HeavySnow);
            Some(Slot {
                hour: *hour,
                sky,
                label: if snows { "暴風雪" } else { sky::label(sky) },
                temperature: point.temperature,
                precipitation: point.precipitation,
                humidity: point.humidity,
                wind: point.wind,
                warmer: None,
            })
        });
        Self { date, slots: slots.collect() }
    }

    /// Compares each slot with the same hour of the day before; one that is missing there stays without comparison.
    pub fn compared_with(mut self, day_before: &[HourlyPoint]) -> Self {
        let Ok(yesterday) = self.date.yesterday() else { return self };
        let before = Self::of(yesterday, day_before);
        for slot in &mut self.slots {
            let then = before.slots.iter().find(|then| then.hour == slot.hour);
            slot.warmer = then.map(|then| ((slot.temperature - then.temperature) * 10.0).round() / 10.0);
        }
        self
    }

    /// The slot that stands for the day: danger first, then wet, then hot, then the sky of most slots.
    pub fn representative(&self) -> Option<&Slot> {
        use Sky::{
            Cloudy, ExtremeHeat, Fog, HeavyRain, HeavySnow, Rain, Sleet, Snow, Storm, Sunny, ThinCloud, Thunder,
        };
        const FAIR: usize = 3;
        let rank = |slot: &Slot| match slot.sky {
            Storm => 11,
            Thunder => 10,
            HeavyRain => 9,
            HeavySnow => 8,
            Fog => 7,
            Snow | Sleet => 6,
            Rain => 5,
            ExtremeHeat => 4,
            Cloudy => FAIR,
            ThinCloud => 2,
            Sunny => 1,
        };
        let rank = |slot: &Slot| {
            // A fair day is as it mostly is; of skies that share it evenly, the less clear one counts.
            let often = self.slots.iter().filter(|other| other.sky == slot.sky).count();
            if rank(slot) <= FAIR { (0, often, rank(slot)) } else { (rank(slot), 0, 0) }
        };
        // Within a rank the wettest slot, then the hottest; of equals the earliest.
        self.slots.iter().rev().max_by(|a, b| {
            let by = |slot: &Slot| (rank(slot), slot.precipitation, slot.temperature);
            by(a).partial_cmp(&by(b)).unwrap_or(std::cmp::Ordering::Equal)
        })
    }

    /// The highest of a value over the slots.
    pub fn highest(&self, of: impl Fn(&Slot) -> f64) -> f64 {
        self.slots.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
    }

    /// The lowest temperature over the slots.
    pub fn coldest(&self) -> f64 {
        self.slots.iter().map(|slot| slot.temperature).fold(f64::INFINITY, f64::min)
    }

    /// How many slots are wet.
    pub fn wet(&self) -> usize {
        self.slots.iter().filter(|slot| slot.precipitation >= WET).count()
    }

    /// Whether it rains or snows at every slot.
    pub fn continuous(&self) -> bool {
        self.slots.len() == HOURS.len() && self.wet() == HOURS.len()
    }

    /// How often rain or snow begins.
    pub fn wet_runs(&self) -> usize {
        let wet: Vec<bool> = self.slots.iter().map(|slot| slot.precipitation >= WET).collect();
        usize::from(wet.first() == Some(&true)) + wet.windows(2).filter(|pair| !pair[0] && pair[1]).count()
    }

    /// How often the sky changes from slot to slot.
    pub fn changes(&self) -> usize {
        self.slots.windows(2).filter(|pair| pair[0].sky != pair[1].sky).count()
    }

    /// Whether the sky is any of these at some slot.
    pub fn has(&self, skies: &[Sky]) -> bool {
        self.slots.iter().any(|slot| skies.contains(&slot.sky))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Date {
        target_date(text.parse().unwrap())
    }

    #[test]
    fn the_day_is_tomorrow_and_before_six_it_is_today_also_at_the_end_of_a_month() {
        assert_eq!(at("2026-11-23T05:59:59+09:00"), jiff::civil::date(2026, 11, 23));
        assert_eq!(at("2026-11-23T06:00:00+09:00"), jiff::civil::date(2026, 11, 24));
        assert_eq!(at("2026-12-31T23:59:00+09:00"), jiff::civil::date(2027, 1, 1));
    }

    fn point(hour: i8, minute: i8, code: u8, temperature: f64, precipitation: f64) -> HourlyPoint {
        let time = jiff::civil::date(2026, 6, 10).at(hour, minute, 0, 0);
        HourlyPoint { time, code: Code::Wmo(code), temperature, precipitation, humidity: 60.0, wind: 2.0 }
    }

    #[test]
    fn a_slot_takes_the_nearest_forecast_and_none_that_is_farther_than_ninety_minutes() {
        let date = jiff::civil::date(2026, 6, 10);
        let day = Day::of(date, &[point(7, 30, 0, 20.0, 0.0), point(13, 31, 0, 25.0, 0.0), point(18, 0, 3, 22.0, 0.0)]);
        let hours: Vec<_> = day.slots.iter().map(|slot| slot.hour).collect();
        assert_eq!(hours, [9, 15, 18]);
        assert_eq!(Day::of(date.tomorrow().unwrap(), &[point(18, 0, 0, 20.0, 0.0)]).slots, []);
    }

    #[test]
    fn a_slot_is_compared_with_the_same_hour_of_the_day_before_and_with_no_other() {
        let today = jiff::civil::date(2026, 6, 11);
        let today_point =
            |hour, temperature| HourlyPoint { time: today.at(hour, 0, 0, 0), ..point(hour, 0, 0, temperature, 0.0) };
        let day = Day::of(today, &[today_point(9, 25.3), today_point(12, 20.0), today_point(15, 22.0)]);
        let warmer = |day: Day| day.slots.iter().map(|slot| slot.warmer).collect::<Vec<_>>();
        let before = [point(9, 0, 0, 20.0, 0.0), point(12, 0, 0, 25.5, 0.0)];
        assert_eq!(warmer(day.clone().compared_with(&before)), [Some(5.3), Some(-5.5), None]);
        assert_eq!(warmer(day.clone().compared_with(&[])), [None; 3]);
        let two_days_before =
            before.map(|it| HourlyPoint { time: it.time.saturating_sub(jiff::Span::new().days(1)), ..it });
        assert_eq!(warmer(day.compared_with(&two_days_before)), [None; 3], "an older day is not yesterday");
    }

    #[test]
    fn danger_stands_for_the_day_before_rain_and_rain_before_heat() {
        let sky = |points: &[HourlyPoint]| {
            Day::of(jiff::civil::date(2026, 6, 10), points).representative().map(|slot| (slot.hour, slot.sky))
        };
        assert_eq!(sky(&[point(9, 0, 61, 20.0, 3.0), point(12, 0, 95, 20.0, 1.0)]), Some((12, Sky::Thunder)));
        assert_eq!(sky(&[point(9, 0, 61, 20.0, 1.0), point(12, 0, 63, 20.0, 4.0)]), Some((12, Sky::Rain)));
        assert_eq!(sky(&[point(9, 0, 61, 20.0, 0.5), point(15, 0, 0, 36.0, 0.0)]), Some((9, Sky::Rain)));
        assert_eq!(sky(&[point(9, 0, 0, 20.0, 0.0), point(15, 0, 0, 24.0, 0.0)]), Some((15, Sky::Sunny)));
        assert_eq!(sky(&[]), None);
    }

    #[test]
    fn a_fair_day_is_as_it_mostly_is() {
        let sky = |codes: [u8; 4]| {
            let points: Vec<_> =
                HOURS.into_iter().zip(codes).map(|(hour, code)| point(hour, 0, code, 20.0, 0.0)).collect();
            Day::of(jiff::civil::date(2026, 6, 10), &points).representative().unwrap().sky
        };
        assert_eq!(sky([0, 0, 0, 3]), Sky::Sunny);
        assert_eq!(sky([0, 3, 0, 3]), Sky::Cloudy);
        assert_eq!(sky([0, 2, 2, 3]), Sky::ThinCloud);
    }
}
