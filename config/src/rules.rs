//! The numbers and word lists of the rules: `data/rules.toml`, checked as a whole before anything is chosen.

use std::fmt;
use std::sync::LazyLock;

use enumset::EnumSet;

use crate::corpus::{Phenomenon, Theme, Time};
use crate::problems::Problems;
use crate::reader::Reader;
use crate::words::words;

words! {
    /// A rule that can refuse a phrase or a pair. H is hard and R1 safety: neither is ever relaxed.
    Rule {
        /// The sky.
        H1 = "H1",
        /// How strong the rain is.
        H2 = "H2",
        /// How warm or cold, dry or windy it is.
        H3 = "H3",
        /// How the rain falls.
        H4 = "H4",
        /// Stable and changeable days.
        H5 = "H5",
        /// The phenomenon must be there.
        H6 = "H6",
        /// Time of year and region.
        H7 = "H7",
        /// Time of day.
        H8 = "H8",
        /// Danger must be named.
        R1 = "R1",
        /// Rain must be named, once.
        R2 = "R2",
        /// The two halves do not say the same.
        P1 = "P1",
        /// Not two warnings without danger.
        P2 = "P2",
        /// Variety.
        D1 = "D1",
        /// The caller excluded the pair.
        Excluded = "excluded",
    }
}

words! {
    /// What a day is asked for.
    Measure {
        /// Degrees in the slot that stands for the day.
        Temperature = "temperature",
        /// Degrees in the warmest slot.
        Warmest = "warmest",
        /// Degrees in the coldest slot.
        Coldest = "coldest",
        /// Rain in mm/h in the slot that stands for the day.
        Precipitation = "precipitation",
        /// The hardest rain in mm/h that is not snow.
        HardestRain = "hardest_rain",
        /// Degrees from the coldest to the warmest slot.
        Range = "range",
        /// Percent in the slot that stands for the day.
        Humidity = "humidity",
        /// The strongest wind in m/s.
        Wind = "wind",
        /// Slots with rain or snow.
        WetSlots = "wet_slots",
        /// How often rain or snow begins.
        WetRuns = "wet_runs",
        /// How often the sky changes from slot to slot.
        Changes = "changes",
        /// 1 if the sky gets better through the day, else 0.
        Improving = "improving",
        /// 1 if the sky gets worse through the day, else 0.
        Worsening = "worsening",
        /// How many degrees warmer than the day before, over all slots; 0 if that is not known.
        Warmer = "warmer",
        /// Slots with sunshine, also through thin cloud.
        SunnySlots = "sunny_slots",
        /// Slots with rain, also mixed with snow.
        RainSlots = "rain_slots",
        /// Slots with heavy rain.
        HeavyRainSlots = "heavy_rain_slots",
        /// Slots with snow, also mixed with rain.
        SnowSlots = "snow_slots",
        /// Slots with heavy snow.
        HeavySnowSlots = "heavy_snow_slots",
        /// Slots with thunder.
        ThunderSlots = "thunder_slots",
        /// Slots with a storm.
        StormSlots = "storm_slots",
        /// Slots with fog.
        FogSlots = "fog_slots",
        /// Slots with one of the phrase's own skies.
        OwnSlots = "own_slots",
        /// 1 by the sea, 0 inland.
        Coastal = "coastal",
        /// 1 while pollen flies in the prefecture, else 0.
        PollenSeason = "pollen_season",
    }
}

/// A comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub measure: Measure,
    operator: Operator,
    number: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    AtLeast,
    AtMost,
    Below,
}

impl Comparison {
    /// Whether a value passes.
    pub fn holds(self, value: f64) -> bool {
        match self.operator {
            Operator::AtLeast => value >= self.number,
            Operator::AtMost => value <= self.number,
            Operator::Below => value < self.number,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split_whitespace();
        let measure = Measure::of(parts.next()?)?;
        let operator = match parts.next()? {
            ">=" => Operator::AtLeast,
            "<=" => Operator::AtMost,
            "<" => Operator::Below,
            _ => return None,
        };
        let number = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { measure, operator, number })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::AtLeast => ">=",
            Operator::AtMost => "<=",
            Operator::Below => "<",
        };
        write!(f, "{} {operator} {}", self.measure.word(), self.number)
    }
}

/// What must all hold; each item may have alternatives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs(pub Vec<Vec<Comparison>>);

impl Needs {
    /// The first item of which no alternative holds.
    pub fn broken(&self, of: impl Fn(Measure) -> f64) -> Option<&[Comparison]> {
        let broken = |item: &&Vec<Comparison>| !item.iter().any(|comparison| comparison.holds(of(comparison.measure)));
        self.0.iter().find(broken).map(Vec::as_slice)
    }

    /// Whether everything holds.
    pub fn hold(&self, of: impl Fn(Measure) -> f64) -> bool {
        self.broken(of).is_none()
    }
}

/// A word of the corpus that needs something of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tag {
    /// What a phrase is about.
    Theme(Theme),
    /// How the day must be built.
    Time(Time),
    /// What must be there.
    Phenomenon(Phenomenon),
    /// A comment on rain that says neither when nor how short.
    PlainRain,
}

impl Tag {
    /// The word in the corpus.
    pub fn word(self) -> &'static str {
        match self {
            Self::Theme(theme) => theme.word(),
            Self::Time(time) => time.word(),
            Self::Phenomenon(phenomenon) => phenomenon.word(),
            Self::PlainRain => "plain_rain",
        }
    }
}

/// A tag with what it needs, and by which rule.
#[derive(Clone, Debug, PartialEq)]
pub struct TagRule {
    /// The rule.
    pub rule: Rule,
    /// The word in the corpus.
    pub tag: Tag,
    /// What the day must have.
    pub needs: Needs,
}

/// A danger with when it is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Danger {
    /// What must be named.
    pub phenomenon: Phenomenon,
    /// When it is there.
    pub when: Needs,
    /// Whether it is named even beside a worse one.
    pub besides: bool,
}

/// Something that makes the day, so that a pair names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    /// What it is, for people.
    pub name: String,
    /// When it is asked for.
    pub when: Needs,
    /// What names it.
    pub themes: EnumSet<Theme>,
    /// Whether only one half may.
    pub once: bool,
    /// Whether it is asked for even when a danger must be named.
    pub beside_danger: bool,
}

/// The words that a phrase holds of those that a pair may hold only once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaidOnce(u64);

impl SaidOnce {
    /// Whether both hold a word of the same kind.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Where the classes of the sky begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkyNumbers {
    /// Rain, in mm/h.
    pub wet: f64,
    /// Heavy rain, in mm/h.
    pub heavy_rain: f64,
    /// Heavy snow, in mm/h of water.
    pub heavy_snow: f64,
    /// Heat that is a danger, in degrees.
    pub extreme_heat: f64,
    /// Below, rain is snow; in degrees.
    pub snow_below: f64,
    /// Below, rain is mixed with snow; in degrees.
    pub sleet_below: f64,
    /// Below, what the source calls rain or snow is mixed; in degrees.
    pub rain_or_snow_below: f64,
    /// With rain or snow, a storm; in m/s.
    pub storm_wind: f64,
}

/// Points for what makes a pair better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// For each condition.
    pub fit: f64,
    /// So many conditions count.
    pub fit_most: u8,
    /// Shared among the skies that a phrase suits.
    pub narrow: f64,
    /// For a temperature in the middle of the window.
    pub centre: f64,
    /// For words that fit no fair sky, when the sky is not fair.
    pub weather: f64,
    /// For a comment that names the worst danger.
    pub danger: f64,
    /// For saying how rain falls or the sky changes.
    pub shape: f64,
    /// For naming something that is not there every day.
    pub phenomenon: f64,
    /// What is there for months.
    pub everyday: EnumSet<Phenomenon>,
    /// For naming something that is there for months.
    pub everyday_phenomenon: f64,
    /// For saying where a day's sky is going.
    pub trend: f64,
    /// For a word of the season.
    pub season: f64,
    /// Times the logarithm of the usage.
    pub usage: f64,
    /// At most, from the seed.
    pub chance: f64,
    /// Less, for each use in the same batch.
    pub used_in_batch: f64,
    /// Less, for a use at the same place the day before.
    pub used_lately: f64,
    /// After so many days a use is forgotten.
    pub days: u8,
}

/// All rules that are data.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Where the classes of the sky begin.
    pub sky: SkyNumbers,
    /// H3 to H8, as far as they go by a word of the corpus.
    pub tags: Vec<TagRule>,
    /// H8: the hours of morning, noon, afternoon and evening.
    pub hours: [Vec<i8>; 4],
    /// R1, worst first.
    pub dangers: Vec<Danger>,
    /// R1: beside a danger, the advice has at least this level of caution.
    pub danger_caution: u8,
    /// R1: what the advice beside a danger is not about, however cautious it is.
    pub danger_beside: EnumSet<Theme>,
    /// R2, the most important first.
    pub wants: Vec<Want>,
    /// P1: the greatest distance of tone.
    pub tone_gap: i8,
    /// P1: a theme of the comment, and one that no advice beside it has.
    pub contradictions: Vec<(Theme, Theme)>,
    /// P1: a theme that a comment must have, so that an advice beside it may have the other.
    pub only_beside: Vec<(Theme, Theme)>,
    /// P1: kinds of words that a pair holds once.
    once: Vec<Vec<String>>,
    /// P2: from here on a phrase is a warning.
    pub caution: u8,
    /// S1.
    pub weights: Weights,
    /// D1: for so many days a pair rests at the same place.
    pub sessions: u8,
    /// D1: the percentage of a batch that may have the same pair.
    pub share: u8,
    /// What is given up, in this order.
    pub ladder: Vec<Rule>,
}

/// What may be given up at all.
const RELAXABLE: [Rule; 4] = [Rule::D1, Rule::P2, Rule::P1, Rule::R2];

static EMBEDDED: LazyLock<Rules> = LazyLock::new(|| {
    let rules = Rules::parse("rules.toml", include_str!("../data/rules.toml"));
    rules.unwrap_or_else(|problems| panic!("the built-in rules are checked by a test: {problems}"))
});

impl Rules {
    /// The built-in rules.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// The words in a text that a pair may hold only once.
    pub fn said_once(&self, text: &str) -> SaidOnce {
        let holds = |kind: &Vec<String>| kind.iter().any(|word| text.contains(word.as_str()));
        SaidOnce(self.once.iter().zip(0..).filter(|(kind, _)| holds(kind)).fold(0, |set, (_, bit)| set | 1 << bit))
    }

    /// Reads the rules.
    ///
    /// # Errors
    /// Everything that is wrong with them, by line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let mut reader = Reader::of_toml(file, text)?;
        let rules = Self::read(&mut reader);
        reader.finish()?;
        Ok(rules)
    }

    fn read(reader: &mut Reader) -> Self {
        let mut mm_or_degrees = |key: &str| reader.decimal(key, -10.0..=50.0);
        let sky = SkyNumbers {
            wet: mm_or_degrees("sky.wet"),
            heavy_rain: mm_or_degrees("sky.heavy_rain"),
            heavy_snow: mm_or_degrees("sky.heavy_snow"),
            extreme_heat: mm_or_degrees("sky.extreme_heat"),
            snow_below: mm_or_degrees("sky.snow_below"),
            sleet_below: mm_or_degrees("sky.sleet_below"),
            rain_or_snow_below: mm_or_degrees("sky.rain_or_snow_below"),
            storm_wind: mm_or_degrees("sky.storm_wind"),
        };
        Self {
            sky,
            tags: tags(reader),
            hours: ["H8.morning", "H8.noon", "H8.afternoon", "H8.evening"].map(|key| reader.numbers(key, 0..=23)),
            dangers: dangers(reader),
            danger_caution: reader.number("R1.advice_caution", 0..=3),
            danger_beside: known(reader, "R1.advice_not_about", Theme::of).into_iter().collect(),
            wants: wants(reader),
            tone_gap: reader.number("P1.tone_gap", 0..=4),
            contradictions: known(reader, "P1.contradictions", two_themes),
            only_beside: known(reader, "P1.only_beside", two_themes),
            once: once(reader),
            caution: reader.number("P2.caution", 0..=3),
            weights: weights(reader),
            sessions: reader.number("D1.sessions", 0..=7),
            share: reader.number("D1.share", 1..=100),
            ladder: known(reader, "ladder.steps", |word| Rule::of(word).filter(|rule| RELAXABLE.contains(rule))),
        }
    }
}

/// Every tag that needs something, in the order of the rules.
fn tags(reader: &mut Reader) -> Vec<TagRule> {
    let themes = [
        Theme::Heatstroke,
        Theme::Hydration,
        Theme::Freeze,
        Theme::Cold,
        Theme::TempGap,
        Theme::Leisure,
        Theme::Parasol,
    ];
    let themes = themes.map(|it| (Rule::H3, Tag::Theme(it)));
    let rain = [Tag::Theme(Theme::Rain), Tag::Theme(Theme::Umbrella), Tag::PlainRain].map(|it| (Rule::H4, it));
    let shape =
        [Time::Shower, Time::Brief, Time::Continuous, Time::Wet, Time::OnAndOff].map(|it| (Rule::H4, Tag::Time(it)));
    let changes =
        [Time::Changeable, Time::Improving, Time::Clearing, Time::Worsening].map(|it| (Rule::H5, Tag::Time(it)));
    let there = EnumSet::<Phenomenon>::all().into_iter().map(|it| (Rule::H6, Tag::Phenomenon(it)));
    let hours = [Time::AllDay, Time::Most, Time::Overcast].map(|it| (Rule::H8, Tag::Time(it)));
    let all = themes.into_iter().chain(rain).chain(shape).chain(changes).chain(there).chain(hours);
    all.map(|(rule, tag)| TagRule { rule, tag, needs: needs(reader, &format!("{}.{}", rule.word(), tag.word())) })
        .collect()
}

fn dangers(reader: &mut Reader) -> Vec<Danger> {
    let order = known(reader, "R1.order", Phenomenon::of);
    let besides = known(reader, "R1.besides", Phenomenon::of);
    let danger = |phenomenon: Phenomenon| Danger {
        phenomenon,
        when: needs(reader, &format!("R1.{}", phenomenon.word())),
        besides: besides.contains(&phenomenon),
    };
    order.into_iter().map(danger).collect()
}

fn wants(reader: &mut Reader) -> Vec<Want> {
    let names = known(reader, "R2.order", |name| Some(name.to_owned()));
    let want = |name: String| Want {
        when: needs(reader, &format!("R2.{name}.when")),
        themes: known(reader, &format!("R2.{name}.themes"), Theme::of).into_iter().collect(),
        once: reader.choice(&format!("R2.{name}.times"), &[("once", true), ("at least once", false)]),
        beside_danger: reader.choice(&format!("R2.{name}.beside_danger"), &[("yes", true), ("no", false)]),
        name,
    };
    names.into_iter().map(want).collect()
}

fn weights(reader: &mut Reader) -> Weights {
    let fit_most = reader.number("S1.fit_most", 0..=10);
    let days = reader.number("S1.days", 1..=60);
    let everyday = known(reader, "S1.everyday", Phenomenon::of).into_iter().collect();
    let mut points = |key: &str| reader.decimal(key, 0.0..=10.0);
    Weights {
        fit: points("S1.fit"),
        fit_most,
        narrow: points("S1.narrow"),
        centre: points("S1.centre"),
        weather: points("S1.weather"),
        danger: points("S1.danger"),
        shape: points("S1.shape"),
        phenomenon: points("S1.phenomenon"),
        everyday,
        everyday_phenomenon: points("S1.everyday_phenomenon"),
        trend: points("S1.trend"),
        season: points("S1.season"),
        usage: points("S1.usage"),
        chance: points("S1.chance"),
        used_in_batch: points("S1.used_in_batch"),
        used_lately: points("S1.used_lately"),
        days,
    }
}

/// A theme of the comment and one of the advice: `cold x uv`.
fn two_themes(text: &str) -> Option<(Theme, Theme)> {
    let (comment, advice) = text.split_once(" x ")?;
    Some((Theme::of(comment)?, Theme::of(advice)?))
}

fn once(reader: &mut Reader) -> Vec<Vec<String>> {
    let kinds = known(reader, "P1.said_once", |text| {
        let words: Vec<_> = text.split('|').map(str::to_owned).collect();
        words.iter().all(|word| !word.is_empty()).then_some(words)
    });
    if kinds.len() > 64 {
        reader.problem("P1.said_once", "has more than 64 kinds of words", "join kinds with |");
    }
    kinds.into_iter().take(64).collect()
}

fn needs(reader: &mut Reader, key: &str) -> Needs {
    let item = |text: &str| text.split(" or ").map(Comparison::parse).collect::<Option<Vec<_>>>();
    Needs(known(reader, key, item))
}

/// A list of which every item must mean something.
fn known<T>(reader: &mut Reader, key: &str, meaning: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let check = |text: &str| {
        let refusal = || {
            (format!("{text:?} is not understood"), "look at the comments and the other lines of this file".to_owned())
        };
        meaning(text).map(|_| ()).ok_or_else(refusal)
    };
    reader.list(key, check).iter().filter_map(|text| meaning(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_correct() {
        let rules = Rules::embedded();
        assert_eq!(rules.dangers[0].phenomenon, Phenomenon::Storm);
        assert_eq!(rules.ladder, RELAXABLE);
        assert_eq!(rules.tags.len(), 7 + 3 + 5 + 4 + EnumSet::<Phenomenon>::all().len() + 3);
    }

    #[test]
    fn everything_wrong_is_reported_at_once_and_safety_cannot_be_put_on_the_ladder() {
        let text = include_str!("../data/rules.toml")
            .replace("heatstroke = [\"warmest >= 35\"]", "heatstroke = [\"warmest = 35\"]")
            .replace("noon = [12, 15]", "noon = [12, 25]")
            .replace("tone_gap = 3", "tone_gab = 3")
            .replace("usage = 0.3", "usage = \"much\"")
            .replace("steps = [\"D1\"", "steps = [\"R1\"");
        let problems = Rules::parse("rules.toml", &text).unwrap_err();
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
        // What is missing has no line, and comes first.
        assert_eq!(keys, ["P1.tone_gap", "H3.heatstroke", "H8.noon", "P1.tone_gab", "S1.usage", "ladder.steps"]);
    }

    #[test]
    fn an_item_holds_when_one_alternative_does() {
        let needs =
            Needs(vec![vec![Comparison::parse("wind >= 10").unwrap(), Comparison::parse("changes < 2").unwrap()]]);
        assert!(needs.hold(|measure| if measure == Measure::Wind { 10.0 } else { 2.0 }));
        assert!(!needs.hold(|measure| if measure == Measure::Wind { 9.9 } else { 2.0 }));
        assert_eq!(needs.0[0][0].to_string(), "wind >= 10");
        assert_eq!(Comparison::parse("wind >= 10 m/s"), None);
    }
}
