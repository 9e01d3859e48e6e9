//! The places that comments are made for: one table, in the order editors know.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A place.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Place {
    /// Its name, which is unique here.
    pub name: String,
    /// How the name is read.
    pub reading: String,
    /// Its prefecture, without 都, 府 or 県.
    pub prefecture: String,
    /// The region it is listed under.
    pub region: String,
    /// The part of the region it is listed under: a prefecture, or a part of Hokkaido.
    pub group: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Whether the sea is part of its weather.
    #[serde(deserialize_with = "yes")]
    pub coastal: bool,
    /// Metres above the sea, where known: of the weather station that the place is named after, as the Japan
    /// Meteorological Agency publishes them, rounded. Empty where we were not sure of the figure.
    pub altitude: Option<f64>,
}

fn yes<'de, D: serde::Deserializer<'de>>(cell: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(cell)? == "yes")
}

impl Place {
    /// How far another place is, along the surface of the earth.
    pub fn distance_km(&self, other: &Self) -> f64 {
        const EARTH_KM: f64 = 6371.0;
        let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
        let across = self.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        let chord = half(self.latitude, other.latitude) + across * half(self.longitude, other.longitude);
        2.0 * EARTH_KM * chord.sqrt().asin()
    }

    /// How many metres another place is higher or lower, if both altitudes are known.
    pub fn climb(&self, other: &Self) -> Option<f64> {
        Some((self.altitude? - other.altitude?).abs())
    }
}

/// All places.
#[derive(Debug)]
pub struct Places(Vec<Place>);

static EMBEDDED: LazyLock<Places> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("../data/locations.csv").as_bytes());
    let places = reader.deserialize().collect::<Result<_, _>>();
    Places(places.expect("the built-in table of places is checked by a test"))
});

impl Places {
    /// The built-in table.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Every place, in display order.
    pub fn all(&self) -> &[Place] {
        &self.0
    }

    /// Finds a place by its name, whatever space stands around it.
    pub fn get(&self, name: &str) -> Option<&Place> {
        let name = name.trim();
        self.0.iter().find(|place| place.name == name)
    }

    /// The places whose name or reading holds what was typed, nearest first; at most five.
    pub fn suggest(&self, typed: &str) -> Vec<&str> {
        let typed = typed.trim();
        let near = |place: &&Place| {
            !typed.is_empty()
                && (place.name.contains(typed) || place.reading.contains(typed) || typed.contains(&place.name))
        };
        let mut found: Vec<_> = self.0.iter().filter(near).collect();
        found.sort_by_key(|place| place.name.chars().count());
        found.into_iter().take(5).map(|place| place.name.as_str()).collect()
    }

    /// The regions with their places, in display order.
    pub fn regions(&self) -> Vec<(&str, &[Place])> {
        self.0.chunk_by(|a, b| a.region == b.region).map(|places| (places[0].region.as_str(), places)).collect()
    }
}

/// The parts of a region with their places, in display order.
pub fn groups(region: &[Place]) -> Vec<(&str, &[Place])> {
    region.chunk_by(|a, b| a.group == b.group).map(|places| (places[0].group.as_str(), places)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_142_places_with_unique_names_in_11_regions_in_japan() {
        let places = Places::embedded();
        let names: BTreeSet<_> = places.all().iter().map(|place| &place.name).collect();
        assert_eq!((places.all().len(), names.len(), places.regions().len()), (142, 142, 11));
        for place in places.all() {
            assert!((20.0..46.0).contains(&place.latitude) && (122.0..154.0).contains(&place.longitude), "{place:?}");
        }
        let counts: Vec<_> = places.regions().iter().map(|(region, places)| (*region, places.len())).collect();
        assert_eq!(counts[0], ("北海道", 16));
        assert_eq!(counts[10], ("沖縄", 7));
        let groups: Vec<_> = groups(places.regions()[0].1).into_iter().map(|(name, it)| (name, it.len())).collect();
        assert_eq!(groups, [("道北", 3), ("道央", 3), ("道東", 6), ("道南", 4)]);
        let all: usize = places.regions().iter().map(|(_, places)| super::groups(places).len()).sum();
        assert_eq!(all, 4 + 46, "and 46 prefectures, each in one piece");
    }

    #[test]
    fn altitudes_are_those_of_inhabited_japan_and_unknown_ones_stay_unknown() {
        let places = Places::embedded();
        let known: Vec<_> = places.all().iter().filter_map(|place| place.altitude).collect();
        assert!(known.len() >= 100 && known.iter().all(|metres| (0.0..1000.0).contains(metres)), "{known:?}");
        let get = |name| places.get(name).unwrap();
        assert_eq!((get("松本").altitude, get("河口湖").altitude), (Some(610.0), Some(860.0)));
        assert_eq!(get("河口湖").climb(get("甲府")), Some(587.0));
        assert_eq!(get("甲府").climb(get("河口湖")), Some(587.0));
        assert_eq!((get("新居浜").altitude, get("新居浜").climb(get("甲府"))), (None, None));
    }

    #[test]
    fn a_name_is_found_with_space_around_it_and_a_part_of_it_is_suggested() {
        let places = Places::embedded();
        assert_eq!(places.get(" 東京\u{3000}").map(|place| place.reading.as_str()), Some("とうきょう"));
        assert_eq!(places.get("東京都"), None);
        assert_eq!(places.suggest("東京都"), ["東京", "京都"]);
        assert!(places.suggest("さっぽろ").contains(&"札幌"));
        assert!(places.suggest("").is_empty());
    }
}
