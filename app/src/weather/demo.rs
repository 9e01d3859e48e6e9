//! Sample days without a network: invented, but such as the place could have at that time of year.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use config::places::Place;
use jiff::civil::Date;

use crate::domain::day::{Code, HourlyPoint};
use crate::domain::season::usual_temperature;

/// A kind of day: code and rain at the four slots, how much cooler than usual, and the wind.
type Sample = ([(u8, f64); 4], f64, f64);

const SUNNY: Sample = ([(0, 0.0), (0, 0.0), (1, 0.0), (1, 0.0)], -1.0, 2.5);
const MIXED: Sample = ([(1, 0.0), (2, 0.0), (3, 0.0), (2, 0.0)], 0.0, 4.0);
const CLOUDY: Sample = ([(3, 0.0), (3, 0.0), (3, 0.0), (3, 0.0)], 2.0, 3.0);
const SHOWER: Sample = ([(2, 0.0), (80, 1.8), (3, 0.0), (1, 0.0)], 2.0, 5.0);
const RAIN: Sample = ([(61, 1.2), (63, 3.6), (63, 4.2), (61, 1.5)], 4.0, 5.0);
const HEAVY: Sample = ([(63, 6.0), (65, 14.0), (65, 18.0), (63, 7.0)], 4.0, 9.0);
const THUNDER: Sample = ([(1, 0.0), (2, 0.0), (95, 6.5), (80, 2.0)], -1.0, 6.0);
const FOG: Sample = ([(45, 0.0), (2, 0.0), (1, 0.0), (1, 0.0)], 1.0, 1.0);
const WINDY: Sample = ([(1, 0.0), (2, 0.0), (2, 0.0), (3, 0.0)], 1.0, 12.0);
const SNOW: Sample = ([(71, 0.5), (73, 1.0), (71, 0.6), (3, 0.0)], 5.0, 4.0);
const HEAVY_SNOW: Sample = ([(73, 1.5), (75, 3.0), (75, 3.0), (73, 1.2)], 7.0, 7.0);

/// The points of one day; the same place and date always have the same.
pub fn points(place: &Place, date: Date) -> Vec<HourlyPoint> {
    let mut hasher = DefaultHasher::new();
    // Neighbours share their weather: a cell is about a hundred kilometres wide.
    let (north, east) = (place.latitude.floor().to_bits(), place.longitude.floor().to_bits());
    (north, east, date).hash(&mut hasher);
    let chance = hasher.finish();
    let usual = usual_temperature(place, date);
    let kinds = kinds(date.month(), usual);
    let (slots, cooler, wind) = kinds[usize::try_from(chance % kinds.len() as u64).unwrap_or(0)];
    let by_hour = [-3.0, 0.0, 1.0, -1.5];
    let hours = crate::domain::day::HOURS.into_iter().zip(slots).zip(by_hour);
    hours
        .map(|((hour, (code, precipitation)), warmer)| {
            let mut temperature = usual - cooler + warmer;
            if matches!(code, 71..=77) {
                temperature = temperature.min(0.8);
            }
            HourlyPoint {
                time: date.at(hour, 0, 0, 0),
                code: Code::Wmo(code),
                temperature: (temperature * 10.0).round() / 10.0,
                precipitation,
                humidity: if precipitation > 0.0 { 88.0 } else { 58.0 },
                wind,
            }
        })
        .collect()
}

/// A mild and sunny day.
#[cfg(test)]
pub fn sunny(date: Date) -> Vec<HourlyPoint> {
    let hour = |hour| HourlyPoint {
        time: date.at(hour, 0, 0, 0),
        code: Code::Wmo(0),
        temperature: 15.0,
        precipitation: 0.0,
        humidity: 55.0,
        wind: 2.0,
    };
    crate::domain::day::HOURS.map(hour).to_vec()
}

fn kinds(month: i8, usual: f64) -> &'static [Sample] {
    match month {
        12 | 1..=3 if usual < 3.0 => &[SUNNY, CLOUDY, SNOW, SNOW, HEAVY_SNOW, WINDY, MIXED],
        12 | 1..=3 => &[SUNNY, SUNNY, MIXED, CLOUDY, RAIN, WINDY],
        6 | 7 => &[SUNNY, MIXED, CLOUDY, RAIN, SHOWER, HEAVY, THUNDER],
        8 | 9 => &[SUNNY, SUNNY, MIXED, THUNDER, SHOWER, HEAVY, WINDY],
        _ => &[SUNNY, SUNNY, MIXED, CLOUDY, SHOWER, RAIN, FOG, WINDY],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use config::places::Places;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_same_day_has_the_same_weather_and_the_country_has_many_kinds_at_once() {
        let day = date(2026, 11, 24);
        let of = |place: &Place| points(place, day);
        let tokyo = Places::embedded().get("東京").unwrap();
        assert_eq!(of(tokyo), of(tokyo));
        let codes: BTreeSet<_> =
            Places::embedded().all().iter().map(|place| format!("{:?}", of(place)[1].code)).collect();
        assert!(codes.len() >= 4, "{codes:?}");
    }

    #[test]
    fn every_sample_day_of_a_year_is_physically_possible() {
        for place in Places::embedded().all() {
            for month in 1..=12 {
                for point in points(place, date(2026, month, 15)) {
                    assert!((-25.0..=40.0).contains(&point.temperature), "{} {point:?}", place.name);
                    let snows = matches!(point.code, Code::Wmo(71..=77));
                    assert!(!snows || point.temperature <= 1.0, "{} {point:?}", place.name);
                }
            }
        }
    }
}
