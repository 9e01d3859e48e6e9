//! Which phrases are true on a day, and which two may stand side by side.
//!
//! The names are those of the published rule set: H is hard and R1 is safety, neither is ever relaxed; R2 is
//! required, P is about pairs. The numbers are in `config/data/rules.toml`, this is the engine that applies them.

use config::corpus::{Kind, Phenomenon, Phrase, Region, Season, Sky, Theme, Time, Window};
use config::places::Place;
use config::rules::{Measure, Rule, Rules, Tag, TagRule, Want};
use enumset::{EnumSet, enum_set};
use jiff::civil::Date;

use super::day::{Day, Slot};
use super::decision::Check;
use super::measures::Measures;
use super::season;

/// A place on a day, with everything that rules ask about computed once.
#[derive(Debug)]
pub struct Situation<'a> {
    rules: &'a Rules,
    place: &'a Place,
    region: Option<Region>,
    date: Date,
    day: &'a Day,
    /// The slot that stands for the day.
    pub slot: &'a Slot,
    seasons: EnumSet<Season>,
    measures: Measures,
    absent: Absent,
    /// What must be named because it is dangerous; a pair has two halves, so at most two.
    pub dangers: Vec<Phenomenon>,
    /// What must be named because it makes the day; at most two.
    pub wants: Vec<&'a Want>,
}

/// The tags that the day does not allow.
#[derive(Debug, Default)]
struct Absent {
    themes: EnumSet<Theme>,
    rain_themes: EnumSet<Theme>,
    shapes: EnumSet<Time>,
    changes: EnumSet<Time>,
    hours: EnumSet<Time>,
    phenomena: EnumSet<Phenomenon>,
    plain_rain: bool,
}

/// The parts of a day, in the order of `Rules::hours`.
const PARTS: [Time; 4] = [Time::Morning, Time::Noon, Time::Afternoon, Time::Evening];
const PARTS_SET: EnumSet<Time> = enum_set!(Time::Morning | Time::Noon | Time::Afternoon | Time::Evening);
/// Skies without rain, snow, fog or danger.
pub(crate) const FAIR: EnumSet<Sky> = enum_set!(Sky::Sunny | Sky::ThinCloud | Sky::Cloudy);

impl<'a> Situation<'a> {
    /// Looks at a day; `None` when it has no forecast at all.
    pub fn of(rules: &'a Rules, place: &'a Place, day: &'a Day) -> Option<Self> {
        let slot = day.representative()?;
        let measures = Measures::of(place, day, slot, rules);
        let get = |measure| measures.get(measure);
        let there: Vec<_> = rules.dangers.iter().filter(|danger| danger.when.hold(get)).collect();
        let named = there.iter().enumerate().filter(|(index, danger)| *index == 0 || danger.besides);
        let wants = rules.wants.iter().filter(|want| (want.beside_danger || there.is_empty()) && want.when.hold(get));
        Some(Self {
            rules,
            place,
            region: Region::of(&place.region),
            date: day.date,
            day,
            slot,
            seasons: season::seasons(place, day.date),
            absent: Absent::of(rules, &measures),
            dangers: named.map(|(_, danger)| danger.phenomenon).take(2).collect(),
            wants: wants.take(2).collect(),
            measures,
        })
    }

    /// The first hard rule that refuses a phrase.
    pub fn refuses(&self, phrase: &Phrase) -> Option<Rule> {
        if !self.in_season(phrase) || !self.in_region(phrase) {
            return Some(Rule::H7);
        }
        if !(phrase.skies.is_empty() || phrase.skies.contains(self.slot.sky)) {
            return Some(Rule::H1);
        }
        if !phrase.rain.holds(self.slot.precipitation) {
            return Some(Rule::H2);
        }
        let absent = &self.absent;
        if !self.windows(phrase).into_iter().all(|(window, value, _)| window.holds(value))
            || !phrase.themes.is_disjoint(absent.themes)
        {
            return Some(Rule::H3);
        }
        if !phrase.phenomena.is_disjoint(absent.phenomena) {
            return Some(Rule::H6);
        }
        if !phrase.themes.is_disjoint(absent.rain_themes)
            || !phrase.time.is_disjoint(absent.shapes)
            || absent.plain_rain && is_plain_rain(phrase)
        {
            return Some(Rule::H4);
        }
        if !phrase.time.is_disjoint(absent.changes) {
            return Some(Rule::H5);
        }
        let right_hour = phrase.time.is_empty()
            || phrase.time.is_disjoint(absent.hours) && self.own_hours(phrase) && self.parts(phrase).all(|(_, so)| so);
        (!right_hour).then_some(Rule::H8)
    }

    fn in_season(&self, phrase: &Phrase) -> bool {
        (phrase.seasons.is_empty() || !phrase.seasons.is_disjoint(self.seasons))
            && phrase.months.contains(self.date.month())
    }

    fn in_region(&self, phrase: &Phrase) -> bool {
        let is = |regions: EnumSet<Region>| self.region.is_some_and(|region| regions.contains(region));
        (phrase.regions_only.is_empty() || is(phrase.regions_only))
            && !is(phrase.regions_excluded)
            && (!phrase.coastal || self.place.coastal)
    }

    /// The windows of H3 with what they are asked about. A lower bound alone is a word of heat and asks the
    /// warmest slot, an upper bound alone a word of cold and asks the coldest.
    pub(crate) fn windows(&self, phrase: &Phrase) -> [(Window, f64, Measure); 3] {
        let asked = match (phrase.temperature.min, phrase.temperature.max) {
            (Some(_), None) => Measure::Warmest,
            (None, Some(_)) => Measure::Coldest,
            _ => Measure::Temperature,
        };
        let window = |window, measure| (window, self.measures.get(measure), measure);
        [
            window(phrase.temperature, asked),
            window(phrase.humidity, Measure::Humidity),
            window(phrase.wind, Measure::Wind),
        ]
    }

    /// Whether what is said of most of the day is so in that many slots.
    fn own_hours(&self, phrase: &Phrase) -> bool {
        let asked = |rule: &&TagRule| matches!(rule.tag, Tag::Time(time) if phrase.time.contains(time));
        let mut own = self.rules.tags.iter().filter(|rule| asks_own_slots(rule)).filter(asked);
        own.all(|rule| rule.needs.hold(|measure| self.measures.get_for(phrase, measure)))
    }

    /// The parts of the day that a phrase names, and whether it is so there.
    fn parts(&self, phrase: &Phrase) -> impl Iterator<Item = (Time, bool)> {
        let own = |slot: &Slot| phrase.skies.is_empty() || phrase.skies.contains(slot.sky);
        let wet = Theme::Rain | Theme::Umbrella | Theme::Shower;
        // Of what never stops, nobody says that it comes in the evening.
        let endless = self.day.continuous() && !phrase.themes.is_disjoint(wet);
        let only = (phrase.time & PARTS_SET).len() == 1 && !phrase.skies.is_empty();
        let named = PARTS.into_iter().zip(&self.rules.hours).filter(|(part, _)| phrase.time.contains(*part));
        named.map(move |(part, hours)| {
            let (inside, outside) =
                self.day.slots.iter().filter(|slot| own(slot)).fold((0, 0), |(inside, outside), it| {
                    if hours.contains(&it.hour) { (inside + 1, outside) } else { (inside, outside + 1) }
                });
            // Nor of what is there longer at other hours.
            (part, inside > 0 && !(only && (endless || outside > inside)))
        })
    }

    /// Which of what makes the day a phrase names, one bit each.
    pub(crate) fn makes(&self, phrase: &Phrase) -> u8 {
        let named = self.wants.iter().zip(0..).filter(|(want, _)| !phrase.themes.is_disjoint(want.themes));
        named.fold(0, |set, (_, bit)| set | 1 << bit)
    }

    /// Whether an advice is cautious enough for the day.
    pub(crate) fn cautions(&self, advice: &Phrase) -> bool {
        let about_danger = advice.themes.is_disjoint(self.rules.danger_beside);
        self.dangers.is_empty() || advice.caution >= self.rules.danger_caution && about_danger
    }

    /// Which of the dangers that must be named a phrase names, one bit each.
    pub(crate) fn names(&self, phrase: &Phrase) -> u8 {
        let named = self.dangers.iter().zip(0..).filter(|(danger, _)| phrase.phenomena.contains(**danger));
        named.fold(0, |set, (_, bit)| set | 1 << bit)
    }

    /// Whether a phrase is a warning.
    pub(crate) fn warns(&self, phrase: &Phrase) -> bool {
        phrase.caution >= self.rules.caution
    }

    /// What no advice beside a comment may be about: the same, the opposite, or what only another comment explains.
    pub(crate) fn taboo(&self, weather: &Phrase) -> EnumSet<Theme> {
        let opposite = self.rules.contradictions.iter().filter(|(comment, _)| weather.themes.contains(*comment));
        let unexplained = self.rules.only_beside.iter().filter(|(comment, _)| !weather.themes.contains(*comment));
        opposite.chain(unexplained).fold(weather.themes, |set, (_, advice)| set | *advice)
    }

    /// Whether P1 refuses two halves, the taboo of the comment being known.
    pub(crate) fn clash(&self, weather: &Phrase, taboo: EnumSet<Theme>, advice: &Phrase) -> bool {
        !taboo.is_disjoint(advice.themes)
            || weather.said_once.meets(advice.said_once)
            || (weather.tone - advice.tone).abs() > self.rules.tone_gap
    }

    /// The first rule that refuses two phrases side by side, but for those that are given up.
    pub fn refuses_pair(&self, weather: &Phrase, advice: &Phrase, given_up: EnumSet<Rule>) -> Option<Rule> {
        self.pair_checks(weather, advice)
            .into_iter()
            .find(|check| !check.kept && !given_up.contains(check.rule))
            .map(|it| it.rule)
    }

    /// Everything that the pair rules ask of two phrases.
    pub fn pair_checks(&self, weather: &Phrase, advice: &Phrase) -> Vec<Check> {
        let mut checks = Vec::new();
        let named = self.names(weather) | self.names(advice);
        for (danger, bit) in self.dangers.iter().zip(0..) {
            let named = named >> bit & 1 == 1;
            checks.push(Check::new(Rule::R1, format!("{} is named", danger.word()), yes(named), named));
        }
        if !self.dangers.is_empty() {
            let needs = format!("caution of the advice >= {}, and of the danger", self.rules.danger_caution);
            let is = format!("{} of {}", advice.caution, words(advice.themes.into_iter().map(Theme::word)));
            checks.push(Check::new(Rule::R1, needs, is, self.cautions(advice)));
        }
        let made = (self.makes(weather), self.makes(advice));
        for (want, bit) in self.wants.iter().zip(0..) {
            let times = (made.0 >> bit & 1) + (made.1 >> bit & 1);
            let (needs, kept) = if want.once { ("once", times == 1) } else { ("at least once", times >= 1) };
            checks.push(Check::new(Rule::R2, format!("{} is named {needs}", want.name), times.to_string(), kept));
        }
        let shared: Vec<_> = (self.taboo(weather) & advice.themes).into_iter().map(Theme::word).collect();
        checks.push(Check::new(Rule::P1, "no theme shared or opposite", shared.join(", "), shared.is_empty()));
        let twice = weather.said_once.meets(advice.said_once);
        checks.push(Check::new(Rule::P1, "no word twice", if twice { "twice" } else { "" }, !twice));
        let gap = (weather.tone - advice.tone).abs();
        let most = self.rules.tone_gap;
        checks.push(Check::new(Rule::P1, format!("tone gap <= {most}"), gap.to_string(), gap <= most));
        let warnings = u8::from(self.warns(weather)) + u8::from(self.warns(advice));
        if self.dangers.is_empty() {
            checks.push(Check::new(Rule::P2, "warnings <= 1", warnings.to_string(), warnings <= 1));
        }
        checks
    }

    /// Everything that the hard rules ask of a phrase, with the day's numbers.
    pub fn checks(&self, phrase: &Phrase) -> Vec<Check> {
        let mut checks = Vec::new();
        if !phrase.seasons.is_empty() || phrase.months != config::corpus::Months::ALL {
            let needs = words(phrase.seasons.into_iter().map(Season::word));
            let is = format!("{} ({})", words(self.seasons.into_iter().map(Season::word)), self.date.month());
            checks.push(Check::new(Rule::H7, format!("season or month: {needs}"), is, self.in_season(phrase)));
        }
        if !phrase.regions_only.is_empty() || !phrase.regions_excluded.is_empty() || phrase.coastal {
            checks.push(Check::new(Rule::H7, "place", &self.place.region, self.in_region(phrase)));
        }
        if !phrase.skies.is_empty() {
            let needs = words(phrase.skies.into_iter().map(Sky::word));
            checks.push(Check::new(Rule::H1, needs, self.slot.sky.word(), phrase.skies.contains(self.slot.sky)));
        }
        self.window_check(&mut checks, Rule::H2, phrase.rain, self.slot.precipitation, Measure::Precipitation);
        for (window, value, measure) in self.windows(phrase) {
            self.window_check(&mut checks, Rule::H3, window, value, measure);
        }
        for rule in &self.rules.tags {
            if has(phrase, rule.tag) {
                checks.extend(self.tag_checks(phrase, rule));
            }
        }
        for (part, so) in self.parts(phrase) {
            checks.push(Check::new(Rule::H8, format!("so in the {}", part.word()), yes(so), so));
        }
        checks
    }

    fn window_check(&self, checks: &mut Vec<Check>, rule: Rule, window: Window, value: f64, measure: Measure) {
        if !window.is_open() {
            let end = |end: Option<f64>| end.map_or_else(String::new, |end| end.to_string());
            let needs = format!("{} {}..{}", measure.word(), end(window.min), end(window.max));
            checks.push(Check::new(rule, needs, value.to_string(), window.holds(value)));
        }
    }

    fn tag_checks(&self, phrase: &Phrase, rule: &TagRule) -> Vec<Check> {
        let get = |measure| self.measures.get_for(phrase, measure);
        let check = |item: &Vec<config::rules::Comparison>| {
            let needs: Vec<_> = item.iter().map(ToString::to_string).collect();
            let is: Vec<_> = item.iter().map(|comparison| get(comparison.measure).to_string()).collect();
            let kept = item.iter().any(|comparison| comparison.holds(get(comparison.measure)));
            Check::new(rule.rule, format!("{}: {}", rule.tag.word(), needs.join(" or ")), is.join(", "), kept)
        };
        rule.needs.0.iter().map(check).collect()
    }
}

impl Absent {
    fn of(rules: &Rules, measures: &Measures) -> Self {
        let mut absent = Self::default();
        let broken = |rule: &&TagRule| !asks_own_slots(rule) && !rule.needs.hold(|measure| measures.get(measure));
        for TagRule { rule, tag, .. } in rules.tags.iter().filter(broken) {
            match (tag, rule) {
                (Tag::Theme(theme), Rule::H4) => _ = absent.rain_themes.insert(*theme),
                (Tag::Theme(theme), _) => _ = absent.themes.insert(*theme),
                (Tag::Time(time), Rule::H4) => _ = absent.shapes.insert(*time),
                (Tag::Time(time), Rule::H5) => _ = absent.changes.insert(*time),
                (Tag::Time(time), _) => _ = absent.hours.insert(*time),
                (Tag::Phenomenon(phenomenon), _) => _ = absent.phenomena.insert(*phenomenon),
                (Tag::PlainRain, _) => absent.plain_rain = true,
            }
        }
        absent
    }
}

/// Whether a tag's needs depend on the phrase, so that they are asked anew for each.
fn asks_own_slots(rule: &TagRule) -> bool {
    rule.needs.0.iter().flatten().any(|comparison| comparison.measure == Measure::OwnSlots)
}

/// Whether a phrase is a comment on ordinary rain or snow that says neither when it falls nor for how long.
fn is_plain_rain(phrase: &Phrase) -> bool {
    let rain = phrase.themes.contains(Theme::Rain) && phrase.phenomena.is_empty();
    let snow = phrase.phenomena == Phenomenon::Snow && !phrase.skies.contains(Sky::HeavySnow);
    phrase.kind == Kind::Weather && phrase.time.is_empty() && (rain || snow)
}

fn has(phrase: &Phrase, tag: Tag) -> bool {
    match tag {
        Tag::Theme(theme) => phrase.themes.contains(theme),
        Tag::Time(time) => phrase.time.contains(time),
        Tag::Phenomenon(phenomenon) => phrase.phenomena.contains(phenomenon),
        Tag::PlainRain => is_plain_rain(phrase),
    }
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join("|")
}

fn yes(so: bool) -> &'static str {
    if so { "yes" } else { "no" }
}
