//! The seasons of a place on a day: they differ by region, and several can hold at once.

use std::f64::consts::TAU;

use config::corpus::Season;
use config::places::Place;
use enumset::EnumSet;
use jiff::civil::Date;

/// Lists the seasons that a day belongs to somewhere.
pub fn seasons(place: &Place, date: Date) -> EnumSet<Season> {
    let day = (date.month(), date.day());
    EnumSet::<Season>::all()
        .into_iter()
        .filter(|season| spans(*season, &place.region).iter().any(|span| within(day, *span)))
        .collect()
}

type Span = ((i8, i8), (i8, i8));

/// First and last day. The rainy seasons are the usual ones, a little wide.
fn spans(season: Season, region: &str) -> Vec<Span> {
    match (season, region) {
        (Season::Rainy, "北海道") => vec![],
        (Season::Rainy, "沖縄") => vec![((5, 10), (6, 22))],
        (Season::Rainy, "東北") => vec![((6, 12), (7, 27))],
        (Season::Rainy, _) => vec![((6, 5), (7, 20))],
        (Season::Midsummer, "沖縄") => vec![((6, 23), (9, 10))],
        (Season::Midsummer, "北海道") => vec![((7, 15), (8, 15))],
        (Season::Midsummer, "東北") => vec![((7, 28), (8, 20))],
        (Season::Midsummer, _) => vec![((7, 21), (8, 25))],
        (Season::Typhoon, "沖縄") => vec![((6, 1), (11, 15))],
        (Season::Typhoon, "九州" | "四国") => vec![((7, 1), (10, 20))],
        (Season::Typhoon, _) => vec![((8, 1), (10, 15))],
        (Season::Spring, "沖縄") => vec![((2, 15), (4, 30))],
        (Season::Spring, "北海道") => vec![((3, 20), (6, 10))],
        (Season::Spring, _) => vec![((3, 1), (5, 31))],
        (Season::Summer, "沖縄") => vec![((5, 1), (10, 10))],
        (Season::Summer, _) => vec![((6, 1), (9, 10))],
        (Season::Autumn, "沖縄") => vec![((10, 1), (12, 10))],
        (Season::Autumn, _) => vec![((9, 1), (11, 30))],
        (Season::Winter, "北海道") => vec![((11, 10), (3, 31))],
        (Season::Winter, _) => vec![((12, 1), (2, 29))],
        // Those of Okinawa bloom in January, another kind that other words are for; and its leaves stay green.
        (Season::Blossom | Season::Foliage, "沖縄") => vec![],
        (Season::Blossom, "北海道") => vec![((4, 28), (5, 15))],
        (Season::Blossom, "東北") => vec![((4, 8), (4, 30))],
        (Season::Blossom, "甲信") => vec![((4, 2), (4, 22))],
        (Season::Blossom, "北陸") => vec![((3, 30), (4, 18))],
        (Season::Blossom, _) => vec![((3, 22), (4, 12))],
        (Season::Foliage, "北海道") => vec![((10, 1), (11, 3))],
        (Season::Foliage, "東北" | "甲信") => vec![((10, 10), (11, 18))],
        (Season::Foliage, "北陸") => vec![((10, 20), (11, 30))],
        (Season::Foliage, _) => vec![((11, 5), (12, 8))],
    }
}

/// Whether a day lies in a span that may cross the end of the year.
fn within(day: (i8, i8), (first, last): Span) -> bool {
    if first <= last { (first..=last).contains(&day) } else { day >= first || day <= last }
}

/// Degrees north: Yakushima.
const SOUTHERNMOST_CEDAR: f64 = 30.0;

/// Whether cedar, cypress or birch pollen flies at a place on a day.
pub fn pollen(place: &Place, date: Date) -> bool {
    // Neither tree grows on the islands farther south.
    if place.latitude < SOUTHERNMOST_CEDAR {
        return false;
    }
    let span = match (place.region.as_str(), place.prefecture.as_str()) {
        ("北海道", _) => ((4, 20), (6, 15)),
        (_, "青森") => ((3, 10), (5, 31)),
        ("東北", _) => ((3, 1), (5, 15)),
        ("北陸" | "甲信", _) => ((2, 20), (5, 10)),
        ("九州", _) => ((2, 1), (4, 25)),
        ("近畿" | "中国" | "四国", _) => ((2, 10), (4, 30)),
        _ => ((2, 10), (5, 10)),
    };
    within((date.month(), date.day()), span)
}

/// What the middle of a day has at a time of year: warmest in early August, and half a degree cooler with each step north.
pub fn usual_temperature(place: &Place, date: Date) -> f64 {
    let year = f64::from(date.day_of_year()) / 365.25;
    let middle = 21.5 - (place.latitude - 33.0) * 0.95;
    let swing = 7.0 + (place.latitude - 24.0) * 0.38;
    middle + swing * (TAU * (year - 0.59)).cos()
}

#[cfg(test)]
mod tests {
    use config::places::Places;
    use jiff::civil::date;

    use super::*;

    fn at(name: &str, month: i8, day: i8) -> EnumSet<Season> {
        seasons(Places::embedded().get(name).unwrap(), date(2026, month, day))
    }

    #[test]
    fn the_rainy_season_comes_early_to_okinawa_and_never_to_hokkaido() {
        assert!(at("那覇", 5, 15).contains(Season::Rainy) && !at("東京", 5, 15).contains(Season::Rainy));
        assert!(at("東京", 6, 15).contains(Season::Rainy) && !at("札幌", 6, 15).contains(Season::Rainy));
    }

    #[test]
    fn blossom_goes_north_and_foliage_south_and_pollen_ends_before_summer() {
        let blossom = |name, month, day| at(name, month, day).contains(Season::Blossom);
        assert!(blossom("福岡", 3, 28) && !blossom("札幌", 3, 28) && !blossom("福岡", 4, 20) && blossom("青森", 4, 20));
        assert!(blossom("札幌", 5, 5) && !blossom("青森", 5, 5) && !blossom("那覇", 1, 25));
        let foliage = |name, month, day| at(name, month, day).contains(Season::Foliage);
        assert!(
            foliage("旭川", 10, 10) && !foliage("京都", 10, 10) && foliage("京都", 11, 25) && !foliage("旭川", 11, 25)
        );
        let pollen = |name, month, day| pollen(Places::embedded().get(name).unwrap(), date(2026, month, day));
        assert!(pollen("東京", 3, 10) && pollen("東京", 5, 10) && !pollen("東京", 5, 11) && !pollen("東京", 1, 31));
        assert!(pollen("札幌", 5, 20) && !pollen("札幌", 3, 10) && !pollen("那覇", 3, 10));
        assert!(!pollen("父島", 3, 10) && !pollen("名瀬", 3, 10) && pollen("種子島", 3, 10));
    }

    #[test]
    fn every_place_has_a_season_on_every_day_and_winter_crosses_the_year() {
        for place in Places::embedded().all() {
            for day in (1..=365).map(|day| date(2025, 12, 31).saturating_add(jiff::Span::new().days(day))) {
                assert!(!seasons(place, day).is_empty() || place.region == "沖縄", "{} {day}", place.name);
            }
        }
        assert!(at("東京", 1, 1).contains(Season::Winter) && at("東京", 12, 31).contains(Season::Winter));
    }
}
