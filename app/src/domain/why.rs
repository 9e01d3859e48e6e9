//! Why a pair stands where it stands: its points, every rule that was asked, and the same in sentences.

use config::corpus::{Months, Phenomenon, Phrase, Window};
use config::rules::{Measure, Rule};
use serde::Serialize;

use super::decision::{Check, Verdict};
use super::rules::Situation;
use super::score::Points;

/// The reasons of one pair.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Why {
    /// In sentences for the editor.
    pub reasons: Vec<String>,
    /// What its score is made of.
    pub points: Points,
    /// Every check of the comment, of the advice, and of both together.
    pub verdicts: Vec<Verdict>,
    /// The rules that it breaks, all of them such as may be given up.
    pub relaxed: Vec<Rule>,
}

impl Why {
    pub(crate) fn of(
        situation: &Situation<'_>,
        weather: &Phrase,
        advice: &Phrase,
        (weather_points, advice_points): (Points, Points),
        rests: bool,
    ) -> Self {
        let id = format!("{}-{}", weather.id, advice.id);
        let text = format!("{}\u{3000}{}", weather.text, advice.text);
        let mut both = situation.pair_checks(weather, advice);
        both.push(Check::new(Rule::D1, "not used lately", if rests { "used" } else { "" }, !rests));
        let mut relaxed: Vec<_> = both.iter().filter(|check| !check.kept).map(|check| check.rule).collect();
        relaxed.dedup();
        let points = weather_points + advice_points;
        let verdicts = vec![
            Verdict::of(&weather.id, &weather.text, situation.checks(weather)),
            Verdict::of(&advice.id, &advice.text, situation.checks(advice)),
            Verdict::of(&id, text, both),
        ];
        let mut reasons: Vec<_> = [("天気", weather), ("アドバイス", advice)]
            .into_iter()
            .map(|(half, phrase)| fits(situation, half, phrase))
            .chain(touches(situation, weather, advice))
            .collect();
        reasons.push(scored(&points));
        if !relaxed.is_empty() {
            let names: Vec<_> = relaxed.iter().map(|rule| label(*rule)).collect();
            reasons.push(format!("ゆるめた条件：{}", names.join("・")));
        }
        Self { reasons, points, verdicts, relaxed }
    }
}

/// What a half asks for and the day has, with its numbers.
fn fits(situation: &Situation<'_>, half: &str, phrase: &Phrase) -> String {
    let mut asked = Vec::new();
    if !phrase.skies.is_empty() {
        asked.push(label(Rule::H1).to_owned());
    }
    let rain = (phrase.rain, situation.slot.precipitation, Measure::Precipitation);
    let windows = std::iter::once(rain).chain(situation.windows(phrase)).filter(|(window, ..)| !window.is_open());
    asked.extend(windows.map(|(window, value, measure)| span(window, value, measure)));
    if !phrase.seasons.is_empty() || phrase.months != Months::ALL {
        asked.push("時季".to_owned());
    }
    if !phrase.regions_only.is_empty() || !phrase.regions_excluded.is_empty() || phrase.coastal {
        asked.push("地域".to_owned());
    }
    if !phrase.time.is_empty() {
        asked.push("時間帯や変化".to_owned());
    }
    if !phrase.phenomena.is_empty() {
        asked.push(label(Rule::H6).to_owned());
    }
    if asked.is_empty() {
        format!("{half}：いつでも使える表現")
    } else {
        format!("{half}：{}に合う", asked.join("・"))
    }
}

/// A window with what the day has, such as `気温8〜27℃（8.6）`.
fn span(window: Window, value: f64, measure: Measure) -> String {
    let (name, unit) = match measure {
        Measure::Precipitation => ("雨", "mm/h"),
        Measure::Warmest => ("最も暖かい時刻", "℃"),
        Measure::Coldest => ("最も寒い時刻", "℃"),
        Measure::Temperature => ("気温", "℃"),
        Measure::Humidity => ("湿度", "%"),
        Measure::Wind => ("風", "m/s"),
        other => (other.word(), ""),
    };
    let end = |end: Option<f64>| end.map_or_else(String::new, |end| end.to_string());
    // That is as cold as it gets: no bound.
    let from = end(window.min.filter(|min| *min > -30.0));
    format!("{name}{from}〜{}{unit}（{value:.1}）", end(window.max))
}

/// What must be named, and is.
fn touches(situation: &Situation<'_>, weather: &Phrase, advice: &Phrase) -> Option<String> {
    let halves = [("天気", weather), ("アドバイス", advice)];
    let dangers = situation.dangers.iter().map(|danger| {
        let named = halves.iter().filter(|(_, phrase)| phrase.phenomena.contains(*danger)).map(|(half, _)| *half);
        (danger_label(*danger), named.collect::<Vec<_>>())
    });
    let wants = situation.wants.iter().map(|want| {
        let named = halves.iter().filter(|(_, phrase)| !phrase.themes.is_disjoint(want.themes)).map(|(half, _)| *half);
        (made_label(&want.name), named.collect::<Vec<_>>())
    });
    let named: Vec<_> = dangers
        .chain(wants)
        .filter(|(_, halves)| !halves.is_empty())
        .map(|(what, halves)| format!("{what}（{}）", halves.join("と")))
        .collect();
    (!named.is_empty()).then(|| format!("触れたもの：{}", named.join("・")))
}

/// The score with what it is made of, the most important first.
fn scored(points: &Points) -> String {
    let mut parts: Vec<_> = points.named().into_iter().filter(|(_, part)| part.abs() >= 0.05).collect();
    parts.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    let parts: Vec<_> = parts.into_iter().map(|(name, part)| format!("{name}{part:+.1}")).collect();
    format!("得点{:.2}：{}", points.sum(), parts.join("、"))
}

/// A rule's name in Japanese.
pub(crate) fn label(rule: Rule) -> &'static str {
    match rule {
        Rule::H1 => "空模様",
        Rule::H2 => "雨の強さ",
        Rule::H3 => "気温・湿度・風",
        Rule::H4 => "雨の降り方",
        Rule::H5 => "天気の変化",
        Rule::H6 => "現象",
        Rule::H7 => "時季・地域",
        Rule::H8 => "時間帯",
        Rule::R1 => "危険の明示",
        Rule::R2 => "その日の主役",
        Rule::P1 => "前後の重なり",
        Rule::P2 => "注意の数",
        Rule::D1 => "使い回し",
        Rule::Excluded => "除外指定",
    }
}

/// The name in Japanese of what makes a day.
pub(crate) fn made_label(name: &str) -> &str {
    match name {
        "rain" => "1mm/h以上の雨（雨か傘）",
        "snow" => "雪",
        "heat" => "暑さ",
        "cold" => "寒さ",
        "wind" => "強い風",
        "gap" => "寒暖差",
        other => other,
    }
}

/// A danger's name in Japanese.
pub(crate) fn danger_label(danger: Phenomenon) -> &'static str {
    match danger {
        Phenomenon::Storm => "暴風",
        Phenomenon::Thunder => "雷",
        Phenomenon::HeavyRain => "大雨",
        Phenomenon::Snow => "大雪",
        Phenomenon::Fog => "霧",
        Phenomenon::Heat => "猛暑",
        Phenomenon::StrongWind => "強風",
        other => other.word(),
    }
}
