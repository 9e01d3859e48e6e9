//! What an editor would strike from the corpus: form, words that are never published, tags that contradict each
//! other or the words, and phrases that are there twice in another spelling.

use std::collections::BTreeMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::{Corpus, Kind, Phenomenon, Phrase, Sky, Theme, Time};

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The phrase's number.
    pub id: String,
    /// Its words.
    pub text: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.id, self.text, self.message)
    }
}

/// Words that are never published: insults, promises, exaggeration, death, and what broken data leaves behind.
const NEVER: [&str; 37] = [
    "くそ",
    "クソ",
    "やばい",
    "ヤバい",
    "ヤバイ",
    "最悪",
    "最低",
    "ひどい",
    "死",
    "殺",
    "地獄",
    "絶望",
    "うざい",
    "きもい",
    "バカ",
    "アホ",
    "ムカつく",
    "つまらない",
    "退屈",
    "憂鬱",
    "うんざり",
    "がっかり",
    "いやだ",
    "つらい",
    "絶対",
    "必ず",
    "間違いない",
    "確実",
    "めちゃくちゃ",
    "すごく",
    "とても",
    "コメント",
    "アドバイス",
    "メッセージ",
    "エラー",
    "ＮＵＬＬ",
    "？？？",
];

/// Words of caution, and from which level of caution a phrase may hold them.
const CAUTION: [(&str, u8); 7] =
    [("注意", 1), ("用心", 1), ("警戒", 2), ("厳重", 2), ("危険", 3), ("避難", 3), ("命に", 3)];

/// Phrases that the editors have banned, in any spelling.
const BANNED: [&str; 9] = [
    "ニワカ雨が心配",
    "スッキリしない空",
    "変わりやすい空",
    "蒸し暑い",
    "厳しい暑さ",
    "過ごしやすい体感",
    "過ごしやすい",
    "過ごし易い",
    "快適",
];

/// Endings of polite speech; headlines have none.
const POLITE: [&str; 9] =
    ["です", "ます", "ください", "下さい", "ました", "でしょう", "ましょう", "ません", "ございます"];

/// A word, and one of the themes or phenomena that a phrase with it must have.
const NAMED: [(&str, &[Theme], &[Phenomenon]); 15] = [
    ("傘", &[Theme::Umbrella, Theme::Uv, Theme::Pollen], &[]),
    ("花粉", &[Theme::Pollen], &[Phenomenon::Pollen]),
    ("霧", &[Theme::Fog, Theme::Rain], &[Phenomenon::Fog]),
    ("雷", &[Theme::Thunder], &[Phenomenon::Thunder]),
    ("熱中症", &[Theme::Heatstroke], &[]),
    ("猛暑", &[Theme::Heat], &[Phenomenon::Heat]),
    ("酷暑", &[Theme::Heat], &[Phenomenon::Heat]),
    ("台風", &[Theme::Typhoon], &[]),
    ("暴風", &[Theme::Storm], &[Phenomenon::Storm]),
    ("大雨", &[Theme::HeavyRain], &[Phenomenon::HeavyRain]),
    ("吹雪", &[Theme::Blizzard], &[Phenomenon::Snow]),
    ("みぞれ", &[Theme::Snow], &[]),
    ("高波", &[Theme::Waves], &[]),
    ("凍結", &[Theme::Freeze, Theme::Ice], &[]),
    ("洗濯", &[Theme::Laundry], &[]),
];

/// What a phrase says that is tagged with a danger: who reads it must see which. One of these words is enough.
const SEEN: [(Phenomenon, &[&str]); 6] = [
    (Phenomenon::Thunder, &["雷", "カミナリ", "稲光", "稲妻", "ゴロゴロ"]),
    (Phenomenon::Storm, &["嵐", "荒", "風", "台風", "吹", "しけ", "ストーム", "横なぐり"]),
    (Phenomenon::HeavyRain, &["雨", "降り", "水", "川", "土砂", "側溝"]),
    (Phenomenon::Fog, &["霧", "もや", "見", "かす", "視", "白く", "景色"]),
    (
        Phenomenon::Heat,
        &["暑", "熱", "猛", "炎", "灼", "焼", "焦", "燃", "冷", "涼", "塩", "水", "氷", "凍らせ", "高温"],
    ),
    (Phenomenon::StrongWind, &["風"]),
];

/// Everything that is wrong with a corpus, in its order.
pub fn lint(corpus: &Corpus) -> Vec<Finding> {
    let mut findings = Vec::new();
    for phrase in corpus.weather.iter().chain(&corpus.advice) {
        let mut refuse = |message: String| {
            findings.push(Finding { id: phrase.id.clone(), text: phrase.text.clone(), message });
        };
        form(phrase, &mut refuse);
        words(phrase, &mut refuse);
        tags(phrase, &mut refuse);
    }
    findings.extend(twice(corpus));
    findings
}

fn form(phrase: &Phrase, refuse: &mut dyn FnMut(String)) {
    let length = phrase.text.chars().count();
    if !(3..=12).contains(&length) {
        refuse(format!("has {length} characters, not 3 to 12"));
    }
    let odd: String = phrase.text.chars().filter(|it| !is_usual(*it)).collect();
    if !odd.is_empty() {
        refuse(format!("has {odd:?}; usual are kana, kanji and full-width digits, ＯＫ and ＵＶ"));
    }
    if let Some(ending) = POLITE.iter().find(|ending| phrase.text.ends_with(**ending)) {
        refuse(format!("ends politely in {ending}"));
    }
    let (prefix, number) = phrase.id.split_at_checked(1).unwrap_or(("", &phrase.id));
    let wanted = if phrase.kind == Kind::Weather { "w" } else { "a" };
    if prefix != wanted || number.len() != 4 || number.parse::<u16>().is_err() {
        refuse(format!("its number is not {wanted} and four digits"));
    }
}

fn is_usual(character: char) -> bool {
    matches!(character, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '々' | '\u{4e00}'..='\u{9fff}' | '０'..='９')
        || "ＯＫＵＶ".contains(character)
}

fn words(phrase: &Phrase, refuse: &mut dyn FnMut(String)) {
    let text = spelling(&phrase.text);
    if let Some(word) = NEVER.iter().find(|word| phrase.text.contains(**word)) {
        refuse(format!("says {word}, which is never published"));
    }
    for (word, least) in CAUTION {
        if phrase.text.contains(word) && phrase.caution < least {
            refuse(format!("says {word} with caution {}, not {least}", phrase.caution));
        }
    }
    if let Some(banned) = BANNED.iter().find(|banned| text == spelling(banned)) {
        refuse(format!("is {banned}, which editors have banned"));
    }
    for (phenomenon, words) in SEEN {
        if phrase.phenomena.contains(phenomenon) && !words.iter().any(|word| phrase.text.contains(word)) {
            refuse(format!("is tagged {} and says nothing of it", phenomenon.word()));
        }
    }
    for (word, themes, phenomena) in NAMED {
        let tagged = themes.iter().any(|theme| phrase.themes.contains(*theme))
            || phenomena.iter().any(|phenomenon| phrase.phenomena.contains(*phenomenon));
        if phrase.text.contains(word) && !tagged {
            refuse(format!("says {word} without a tag for it"));
        }
    }
}

fn tags(phrase: &Phrase, refuse: &mut dyn FnMut(String)) {
    let mut forbid = |wrong: bool, message: &str| {
        if wrong {
            refuse(message.to_owned());
        }
    };
    for window in [phrase.rain, phrase.temperature, phrase.wind, phrase.humidity] {
        forbid(matches!((window.min, window.max), (Some(min), Some(max)) if min > max), "has a window that ends first");
    }
    forbid(phrase.themes.is_empty(), "has no theme");
    forbid(phrase.caution > 3, "has a caution above 3");
    forbid(!(-2..=2).contains(&phrase.tone), "has a tone beyond -2 to 2");
    forbid(phrase.weight == 0, "has no weight");
    forbid(!phrase.regions_only.is_disjoint(phrase.regions_excluded), "is only and not in the same region");
    forbid(phrase.caution >= 2 && phrase.tone > 0, "warns gladly");
    let wet = Sky::Rain | Sky::HeavyRain | Sky::Thunder | Sky::Storm | Sky::Snow | Sky::HeavySnow | Sky::Sleet;
    let fair = Sky::Sunny | Sky::ThinCloud | Sky::ExtremeHeat;
    let only_fair = !phrase.skies.is_empty() && phrase.skies.is_subset(fair | Sky::Cloudy);
    forbid(only_fair && phrase.rain.min.is_some_and(|min| min > 0.0), "wants rain from a fair sky");
    forbid(only_fair && phrase.themes.contains(Theme::Umbrella), "wants an umbrella under a fair sky");
    forbid(
        phrase.skies.is_subset(wet) && !phrase.skies.is_empty() && phrase.themes.contains(Theme::Uv),
        "wants sun in rain",
    );
    let heat = phrase.phenomena.contains(Phenomenon::Heat) && phrase.temperature.max.is_some_and(|max| max < 25.0);
    forbid(heat, "is hot in the cold");
    forbid(phrase.time.contains(Time::Shower) && phrase.time.contains(Time::Continuous), "is short and never ends");
    let snowy = phrase.themes.contains(Theme::Snow) && !phrase.skies.is_empty();
    let warm_only = phrase.temperature.min.is_some_and(|min| min > 20.0);
    forbid(snowy && warm_only, "has snow in the warmth");
    forbid(
        phrase.coastal
            && phrase.regions_only.is_empty()
            && phrase.themes.is_disjoint(Theme::Waves | Theme::Outing | Theme::Fog | Theme::Sky | Theme::Storm),
        "needs the sea without speaking of it",
    );
}

/// Phrases that are the same once spelling is set aside, on the same side.
fn twice(corpus: &Corpus) -> Vec<Finding> {
    let mut findings = Vec::new();
    for phrases in [&corpus.weather, &corpus.advice] {
        let mut seen: BTreeMap<String, &Phrase> = BTreeMap::new();
        for phrase in phrases {
            if let Some(before) = seen.insert(spelling(&phrase.text), phrase) {
                let message = format!("is {} {} in another spelling", before.id, before.text);
                findings.push(Finding { id: phrase.id.clone(), text: phrase.text.clone(), message });
            }
        }
    }
    findings
}

/// Kanji and endings that are written in two ways, in the one that is compared.
const VARIANTS: [(&str, &str); 26] = [
    ("事", "こと"),
    ("時", "とき"),
    ("易い", "やすい"),
    ("良い", "よい"),
    ("良く", "よく"),
    ("出来", "でき"),
    ("暖か", "あたたか"),
    ("温か", "あたたか"),
    ("濡れ", "ぬれ"),
    ("傘さし", "傘差し"),
    ("曇り", "くもり"),
    ("曇", "くもり"),
    ("陽射し", "日差し"),
    ("陽ざし", "日差し"),
    ("日ざし", "日差し"),
    ("日射し", "日差し"),
    ("滑り", "すべり"),
    ("滑る", "すべる"),
    ("涼し", "すずし"),
    ("爽やか", "さわやか"),
    ("穏やか", "おだやか"),
    ("控え", "ひかえ"),
    ("片付け", "片づけ"),
    ("行き", "いき"),
    ("持って", "もって"),
    ("一息", "ひと息"),
];

/// The text with width (NFKC), katakana and variants evened out.
fn spelling(text: &str) -> String {
    let mut even: String = text.nfkc().collect();
    for (variant, common) in VARIANTS {
        even = even.replace(variant, common);
    }
    even.chars().map(hiragana).filter(|it| *it != 'ー').collect()
}

fn hiragana(character: char) -> char {
    match character {
        'ァ'..='ヶ' => char::from_u32(u32::from(character) - 0x60).unwrap_or(character),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_corpus_has_nothing_to_mend() {
        let findings: Vec<_> = lint(Corpus::embedded()).iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn whatever_an_editor_would_strike_is_found() {
        let mut corpus = Corpus { weather: Corpus::embedded().weather[..2].to_vec(), advice: Vec::new() };
        let mut change = |text: &str| {
            corpus.weather[0].text = text.to_owned();
            lint(&corpus).into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(change("晴れの空"), "");
        assert!(change("晴れます").contains("politely"));
        assert!(change("晴れ。いい空").contains("has \"。\""));
        assert!(change("絶対に晴れる").contains("never published"));
        assert!(change("スッキリしない空").contains("banned"));
        assert!(change("すっきりしない空").contains("banned"));
        assert!(change("花粉の舞う晴れ").contains("without a tag"));
        let other = Corpus::embedded().weather[1].text.replace("みわたる", "ミワタル");
        assert!(change(&other).contains("another spelling") || lint(&corpus).len() == 1);
    }
}
