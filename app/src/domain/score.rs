//! S1: how well a phrase fits by itself, point by point, so that a score can explain itself.

use std::collections::HashMap;
use std::ops::Add;

use config::corpus::{Kind, Months, Phrase, Time};
use config::rules::Rules;
use enumset::{EnumSet, enum_set};
use serde::Serialize;

use super::choice::Request;
use super::rules::{FAIR, Situation};

/// The points of a phrase or a pair, by what they are for. Their weights are in `config/data/rules.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Points {
    /// It is narrow: for conditions, and for how few skies it suits.
    pub fit: f64,
    /// The temperature is in the middle of its window.
    pub centre: f64,
    /// It is about the weather, its dangers and how it goes.
    pub weather: f64,
    /// It is of the season.
    pub season: f64,
    /// Editors like it.
    pub usage: f64,
    /// The seed's doing.
    pub chance: f64,
    /// It was used in this batch or in the last days; 0 or less.
    pub used: f64,
}

impl Points {
    /// All together.
    pub fn sum(&self) -> f64 {
        self.fit + self.centre + self.weather + self.season + self.usage + self.chance + self.used
    }

    /// Each with its name in Japanese.
    pub fn named(&self) -> [(&'static str, f64); 7] {
        [
            ("条件との一致", self.fit),
            ("気温の近さ", self.centre),
            ("天気の特徴", self.weather),
            ("季節感", self.season),
            ("使用実績", self.usage),
            ("抽選", self.chance),
            ("最近の使用", self.used),
        ]
    }
}

impl Add for Points {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            fit: self.fit + other.fit,
            centre: self.centre + other.centre,
            weather: self.weather + other.weather,
            season: self.season + other.season,
            usage: self.usage + other.usage,
            chance: self.chance + other.chance,
            used: self.used + other.used,
        }
    }
}

/// Words for how rain falls or the sky changes.
const SHAPES: EnumSet<Time> = enum_set!(Time::Shower | Time::Continuous | Time::OnAndOff | Time::Changeable);
/// Words for where the sky is going.
const TRENDS: EnumSet<Time> = enum_set!(Time::Improving | Time::Clearing | Time::Worsening);
/// Words for when it is so.
const PARTS: EnumSet<Time> = enum_set!(Time::Morning | Time::Noon | Time::Afternoon | Time::Evening);

/// What scores are made of, for a situation.
pub(crate) struct Score<'a> {
    rules: &'a Rules,
    situation: &'a Situation<'a>,
    foul: bool,
    penalties: HashMap<&'a str, f64>,
    seed: u64,
}

impl<'a> Score<'a> {
    pub(crate) fn new(rules: &'a Rules, situation: &'a Situation<'a>, request: &Request<'a>) -> Self {
        let asked = format!("{} {} {}", request.seed, request.place.name, request.day.date);
        Self {
            rules,
            situation,
            foul: !FAIR.contains(situation.slot.sky),
            penalties: request.recent.penalties(rules, &request.place.name, request.day.date),
            seed: hash(0, asked.as_bytes()),
        }
    }

    /// The points of a phrase.
    pub(crate) fn of(&self, phrase: &Phrase) -> Points {
        let weights = &self.rules.weights;
        let of_season = !phrase.seasons.is_empty() || phrase.months != Months::ALL;
        let conditions = [
            !phrase.skies.is_empty(),
            of_season,
            !phrase.temperature.is_open(),
            !phrase.rain.is_open(),
            !phrase.phenomena.is_empty(),
            !phrase.time.is_empty(),
            !phrase.regions_only.is_empty(),
        ];
        let fit = conditions.iter().fold(0, |count, condition| count + u8::from(*condition)).min(weights.fit_most);
        let foul_only = self.foul && !phrase.skies.is_empty() && phrase.skies.is_disjoint(FAIR);
        let comment = phrase.kind == Kind::Weather;
        // Of weather that comes and goes, a comment says how or when.
        let shape = !phrase.time.is_disjoint(SHAPES) || foul_only && comment && !phrase.time.is_disjoint(PARTS);
        let points = |so: bool, points: f64| if so { points } else { 0.0 };
        let skies = u8::try_from(phrase.skies.len().max(1)).unwrap_or(u8::MAX);
        Points {
            fit: weights.fit * f64::from(fit) + weights.narrow / f64::from(skies),
            centre: weights.centre * phrase.temperature.nearness(self.situation.slot.temperature).unwrap_or(0.0),
            weather: points(foul_only, weights.weather)
                + points(comment && self.situation.names(phrase) & 1 == 1, weights.danger)
                + points(shape, weights.shape)
                + points(!phrase.time.is_disjoint(TRENDS), weights.trend)
                + match phrase.phenomena {
                    none if none.is_empty() => 0.0,
                    usual if usual.is_subset(weights.everyday) => weights.everyday_phenomenon,
                    _ => weights.phenomenon,
                },
            season: points(of_season, weights.season),
            usage: weights.usage * f64::from(phrase.weight.max(1)).log10(),
            chance: weights.chance * self.chance(&phrase.id),
            used: -self.penalties.get(phrase.id.as_str()).copied().unwrap_or(0.0),
        }
    }

    /// From 0 to 1, the same for the same seed, place, day and phrase.
    fn chance(&self, id: &str) -> f64 {
        let bits = u32::try_from(hash(self.seed, id.as_bytes()) >> 32).unwrap_or(0);
        f64::from(bits) / f64::from(u32::MAX)
    }
}

/// A hash that stays the same in every version of the compiler and library (FNV-1a, then mixed), because what
/// an editor saw an hour ago must not change with a deployment.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    let folded = bytes
        .iter()
        .fold(start ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (folded ^ folded >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
