//! Sixty named days, each with the pair that is chosen for it and why; `situations.md` is what an editor reads.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use app::domain::choice::{Choice, Request, choose};
use app::domain::day::{Code, Day, HOURS, HourlyPoint};
use config::corpus::Corpus;
use config::places::Places;
use jiff::civil::Date;

/// One hour: the WMO code, degrees, and mm/h.
type Hour = (u8, f64, f64);

struct Situation {
    name: &'static str,
    place: &'static str,
    date: &'static str,
    slots: [Hour; 4],
    humidity: f64,
    wind: f64,
    /// At least one of these is in the pair, if any are given.
    says: &'static [&'static str],
    /// None of these is in the pair.
    never: &'static [&'static str],
}

/// A day of mild humidity and little wind.
const fn day(name: &'static str, place: &'static str, date: &'static str, slots: [Hour; 4]) -> Situation {
    Situation { name, place, date, slots, humidity: 60.0, wind: 3.0, says: &[], never: &[] }
}

impl Situation {
    const fn says(mut self, words: &'static [&'static str]) -> Self {
        self.says = words;
        self
    }

    const fn never(mut self, words: &'static [&'static str]) -> Self {
        self.never = words;
        self
    }

    const fn wind(mut self, wind: f64) -> Self {
        self.wind = wind;
        self
    }

    const fn humidity(mut self, humidity: f64) -> Self {
        self.humidity = humidity;
        self
    }
}

const RAIN_WORDS: &[&str] = &["雨", "傘", "濡れ", "しっとり", "ぬれ", "本降り", "ザーザー", "レイン", "しぐれ"];
const HEAT_WORDS: &[&str] =
    &["猛暑", "酷暑", "熱中症", "暑", "炎天", "高温", "熱", "灼", "体温", "冷房", "冷やす", "焦がす"];
const SNOW_WORDS: &[&str] = &["雪", "銀世界", "白く"];
const HEAVY_RAIN_WORDS: &[&str] =
    &["大雨", "激し", "強い雨", "警戒", "豪雨", "滝", "冠水", "土砂降り", "雨量", "ワイパー", "浸水"];
const THUNDER_WORDS: &[&str] = &["雷", "稲", "ゴロゴロ"];
const FOG_WORDS: &[&str] = &["霧", "視界", "もや"];

const SITUATIONS: [Situation; 60] = [
    day("快晴の春", "東京", "2026-04-20", [(0, 14.0, 0.0), (0, 19.0, 0.0), (0, 21.0, 0.0), (0, 18.0, 0.0)])
        .never(RAIN_WORDS),
    day("快晴の初夏", "大阪", "2026-05-20", [(0, 19.0, 0.0), (0, 24.0, 0.0), (0, 26.0, 0.0), (0, 23.0, 0.0)])
        .never(RAIN_WORDS),
    day("秋晴れ", "名古屋", "2026-10-15", [(0, 16.0, 0.0), (0, 21.0, 0.0), (1, 22.0, 0.0), (0, 18.0, 0.0)]).never(&[
        "桜",
        "海水浴",
        "雪",
    ]),
    day("冬晴れ", "東京", "2026-01-15", [(0, 3.0, 0.0), (0, 8.0, 0.0), (0, 9.0, 0.0), (0, 6.0, 0.0)])
        .humidity(30.0)
        .never(&["熱中症", "雨"]),
    day("薄曇り", "広島", "2026-04-10", [(2, 13.0, 0.0), (2, 17.0, 0.0), (2, 18.0, 0.0), (2, 16.0, 0.0)])
        .never(RAIN_WORDS),
    day("終日曇り", "仙台", "2026-11-10", [(3, 9.0, 0.0), (3, 11.0, 0.0), (3, 12.0, 0.0), (3, 10.0, 0.0)]).never(&[
        "青空",
        "変わりやすい",
        "急変",
    ]),
    day("34.9℃", "熊谷", "2026-08-03", [(0, 30.0, 0.0), (0, 33.5, 0.0), (0, 34.9, 0.0), (0, 32.0, 0.0)])
        .never(&["熱中症", "猛暑日"]),
    day("35.0℃", "熊谷", "2026-08-03", [(0, 30.0, 0.0), (0, 33.5, 0.0), (0, 35.0, 0.0), (0, 32.0, 0.0)])
        .says(HEAT_WORDS),
    day("37.0℃", "熊谷", "2026-08-03", [(0, 32.0, 0.0), (0, 36.0, 0.0), (0, 37.0, 0.0), (0, 34.0, 0.0)])
        .says(HEAT_WORDS),
    day("39℃の北海道", "帯広", "2026-07-25", [(0, 30.0, 0.0), (0, 36.0, 0.0), (0, 39.0, 0.0), (0, 33.0, 0.0)])
        .says(HEAT_WORDS),
    day("25℃の北海道の夏", "札幌", "2026-07-25", [(0, 20.0, 0.0), (0, 24.0, 0.0), (0, 25.0, 0.0), (0, 22.0, 0.0)])
        .never(&["猛暑", "酷暑", "熱中症"]),
    day("蒸し暑い曇り", "福岡", "2026-07-28", [(3, 28.0, 0.0), (3, 31.0, 0.0), (3, 32.0, 0.0), (3, 30.0, 0.0)])
        .humidity(82.0)
        .never(&["熱中症", "カラッと", "乾燥"]),
    day("0.4mmの霧雨", "静岡", "2026-06-05", [(51, 20.0, 0.4), (51, 21.0, 0.4), (51, 22.0, 0.4), (51, 20.0, 0.4)])
        .never(&["大雨", "激しい", "土砂降り", "本降り"]),
    day("0.5mmの弱い雨", "静岡", "2026-06-05", [(61, 20.0, 0.5), (61, 21.0, 0.5), (61, 22.0, 0.5), (61, 20.0, 0.5)])
        .never(&["大雨", "激しい", "土砂降り", "本降り"]),
    day("1mmの雨", "静岡", "2026-06-05", [(61, 20.0, 1.0), (61, 21.0, 1.0), (61, 22.0, 1.0), (61, 20.0, 1.0)])
        .says(RAIN_WORDS)
        .never(&["大雨", "土砂降り"]),
    day("5mmの本降り", "静岡", "2026-06-05", [(63, 20.0, 5.0), (63, 21.0, 5.0), (63, 22.0, 5.0), (63, 20.0, 5.0)])
        .says(RAIN_WORDS)
        .never(&["小雨", "ぱらぱら", "ポツポツ"]),
    day("9.9mmの強い雨", "静岡", "2026-06-05", [(63, 20.0, 4.0), (63, 21.0, 9.9), (63, 22.0, 8.0), (63, 20.0, 4.0)])
        .says(RAIN_WORDS)
        .never(&["小雨", "大雨"]),
    day("10mmの大雨", "静岡", "2026-06-05", [(65, 20.0, 6.0), (65, 21.0, 10.0), (65, 22.0, 8.0), (65, 20.0, 4.0)])
        .says(HEAVY_RAIN_WORDS),
    day("30mmの豪雨", "高知", "2026-09-05", [(65, 24.0, 20.0), (65, 24.0, 30.0), (65, 24.0, 30.0), (65, 23.0, 18.0)])
        .says(HEAVY_RAIN_WORDS),
    day("一日続く雨", "金沢", "2026-06-20", [(61, 20.0, 1.5), (63, 21.0, 3.0), (63, 21.0, 3.0), (61, 20.0, 2.0)])
        .says(RAIN_WORDS)
        .never(&["にわか雨", "通り雨", "一時", "止み間", "折りたたみ"]),
    day("昼だけのにわか雨", "東京", "2026-05-15", [(1, 18.0, 0.0), (80, 21.0, 2.0), (2, 22.0, 0.0), (1, 20.0, 0.0)])
        .says(RAIN_WORDS)
        .never(&["一日中", "終日", "ずっと", "夕方から"]),
    day("夕方からの雨", "東京", "2026-05-15", [(1, 18.0, 0.0), (2, 21.0, 0.0), (3, 21.0, 0.0), (61, 19.0, 2.0)])
        .says(RAIN_WORDS)
        .never(&["一日中", "終日", "ずっと", "朝の雨"]),
    day("朝だけの雨", "東京", "2026-05-15", [(61, 16.0, 1.5), (3, 19.0, 0.0), (1, 21.0, 0.0), (0, 20.0, 0.0)])
        .says(RAIN_WORDS)
        .never(&["一日中", "終日", "夕方から"]),
    day("めまぐるしい空", "新潟", "2026-11-12", [(1, 10.0, 0.0), (61, 10.0, 0.8), (2, 11.0, 0.0), (3, 9.0, 0.0)])
        .never(&["一日中", "終日"]),
    day("変わらない曇り空", "新潟", "2026-03-12", [(3, 7.0, 0.0), (3, 9.0, 0.0), (3, 9.0, 0.0), (3, 8.0, 0.0)])
        .never(&["変わりやすい", "急変", "めまぐるしい"]),
    day("雷雨", "宇都宮", "2026-08-10", [(1, 28.0, 0.0), (2, 32.0, 0.0), (95, 30.0, 8.0), (80, 27.0, 3.0)])
        .says(THUNDER_WORDS),
    day("雨のない雷", "宇都宮", "2026-08-10", [(1, 28.0, 0.0), (2, 32.0, 0.0), (95, 31.0, 0.0), (3, 28.0, 0.0)])
        .says(THUNDER_WORDS),
    day("冬の雷", "金沢", "2026-12-15", [(3, 6.0, 0.0), (95, 6.0, 3.0), (61, 5.0, 2.0), (3, 4.0, 0.0)])
        .says(THUNDER_WORDS)
        .never(&["夏", "夕立"]),
    day("朝霧", "岡山", "2026-11-20", [(45, 6.0, 0.0), (1, 12.0, 0.0), (0, 15.0, 0.0), (0, 12.0, 0.0)]).says(FOG_WORDS),
    day("一日の濃霧", "釧路", "2026-07-05", [(45, 12.0, 0.0), (45, 14.0, 0.0), (45, 14.0, 0.0), (45, 12.0, 0.0)])
        .says(FOG_WORDS),
    day("みぞれ", "仙台", "2026-02-10", [(61, 1.5, 0.8), (61, 1.8, 0.8), (61, 1.6, 0.6), (61, 1.2, 0.5)])
        .never(&["熱中症", "快晴"]),
    day("雪から雨", "長野", "2026-02-20", [(71, -0.5, 0.8), (71, 0.2, 0.8), (61, 2.5, 1.0), (61, 3.0, 1.2)])
        .never(&["粉雪", "快晴"]),
    day("弱い雪", "札幌", "2026-12-20", [(71, -3.0, 0.4), (71, -2.0, 0.4), (71, -2.0, 0.3), (71, -4.0, 0.3)])
        .says(SNOW_WORDS),
    day("大雪", "高田", "2026-01-20", [(75, -1.0, 3.0), (75, 0.0, 4.0), (75, 0.0, 4.0), (73, -1.0, 2.0)])
        .says(SNOW_WORDS),
    day("東京の雪", "東京", "2026-02-05", [(3, 2.0, 0.0), (71, 0.3, 0.6), (73, 0.2, 1.0), (71, 0.1, 0.5)])
        .says(SNOW_WORDS),
    day("初雪のころ", "旭川", "2026-10-25", [(3, 3.0, 0.0), (71, 0.4, 0.3), (3, 2.0, 0.0), (3, 0.5, 0.0)])
        .says(SNOW_WORDS),
    day("真冬日の晴れ", "旭川", "2026-01-25", [(0, -15.0, 0.0), (0, -8.0, 0.0), (0, -7.0, 0.0), (0, -10.0, 0.0)])
        .never(&["暖か", "ぽかぽか", "熱中症"]),
    day("吹雪", "稚内", "2026-01-18", [(75, -5.0, 2.0), (75, -5.0, 2.5), (75, -6.0, 2.5), (73, -6.0, 1.5)])
        .wind(18.0)
        .says(&["雪"]),
    day("沖縄の冬", "那覇", "2026-01-20", [(3, 15.0, 0.0), (3, 17.0, 0.0), (3, 17.0, 0.0), (3, 16.0, 0.0)])
        .never(&["雪", "凍", "紅葉", "極寒"]),
    day("沖縄の冬晴れ", "那覇", "2026-01-28", [(0, 18.0, 0.0), (0, 22.0, 0.0), (0, 22.0, 0.0), (0, 20.0, 0.0)])
        .never(&["雪", "凍", "防寒"]),
    day("沖縄の梅雨", "那覇", "2026-05-20", [(63, 25.0, 4.0), (63, 26.0, 5.0), (63, 26.0, 5.0), (61, 25.0, 3.0)])
        .says(RAIN_WORDS),
    day("与那国の真夏", "与那国島", "2026-08-01", [(0, 30.0, 0.0), (0, 33.0, 0.0), (0, 33.0, 0.0), (0, 31.0, 0.0)])
        .humidity(78.0)
        .never(&["雨", "熱中症"]),
    day("梅雨の晴れ間", "東京", "2026-06-25", [(0, 23.0, 0.0), (1, 27.0, 0.0), (1, 28.0, 0.0), (1, 26.0, 0.0)])
        .never(&["本降り", "傘が必須"]),
    day("花粉の晴れ", "東京", "2026-03-10", [(0, 9.0, 0.0), (0, 15.0, 0.0), (0, 16.0, 0.0), (0, 13.0, 0.0)])
        .humidity(35.0)
        .wind(6.0)
        .never(RAIN_WORDS),
    day("雨の日の花粉", "東京", "2026-03-10", [(61, 9.0, 1.5), (61, 11.0, 2.0), (61, 12.0, 2.0), (61, 11.0, 1.2)])
        .says(RAIN_WORDS)
        .never(&["花粉"]),
    day("札幌の三月", "札幌", "2026-03-10", [(0, -2.0, 0.0), (0, 3.0, 0.0), (0, 4.0, 0.0), (0, 1.0, 0.0)])
        .never(&["桜", "花粉"]),
    day("強い風の晴れ", "東京", "2026-03-01", [(0, 8.0, 0.0), (0, 13.0, 0.0), (0, 14.0, 0.0), (0, 11.0, 0.0)])
        .wind(12.0)
        .never(&["そよ風", "穏やか"]),
    day("暴風の曇り", "銚子", "2026-10-05", [(3, 20.0, 0.0), (3, 21.0, 0.0), (3, 21.0, 0.0), (3, 20.0, 0.0)])
        .wind(18.0)
        .never(&["そよ風", "穏やか"]),
    day("内陸の強風", "甲府", "2026-04-05", [(0, 12.0, 0.0), (0, 17.0, 0.0), (1, 18.0, 0.0), (1, 15.0, 0.0)])
        .wind(11.0)
        .never(&["波", "海"]),
    day("風雨の海辺", "銚子", "2026-09-20", [(63, 22.0, 4.0), (63, 23.0, 6.0), (63, 23.0, 6.0), (61, 22.0, 3.0)])
        .wind(15.0)
        .says(RAIN_WORDS)
        .never(&["そよ風"]),
    day("乾いた冬", "前橋", "2026-01-10", [(0, 2.0, 0.0), (0, 8.0, 0.0), (0, 9.0, 0.0), (0, 5.0, 0.0)])
        .humidity(22.0)
        .never(&["除湿", "ジメジメ", "蒸し"]),
    day("じめじめした日", "鹿児島", "2026-06-15", [(3, 25.0, 0.0), (3, 27.0, 0.0), (3, 27.0, 0.0), (3, 26.0, 0.0)])
        .humidity(90.0)
        .never(&["乾燥", "カラッと", "からっと"]),
    day("氷点下の朝", "盛岡", "2026-12-25", [(0, -4.0, 0.0), (1, 2.0, 0.0), (1, 3.0, 0.0), (1, 0.0, 0.0)])
        .never(&["熱中症", "暑"]),
    day("月末の秋から冬へ", "東京", "2026-12-01", [(0, 8.0, 0.0), (0, 13.0, 0.0), (0, 14.0, 0.0), (0, 11.0, 0.0)])
        .never(&["紅葉狩り", "海水浴", "桜"]),
    day("大みそか", "京都", "2026-12-31", [(3, 4.0, 0.0), (3, 7.0, 0.0), (3, 7.0, 0.0), (3, 5.0, 0.0)])
        .never(&["桜", "海水浴"]),
    day("元日", "東京", "2027-01-01", [(0, 3.0, 0.0), (0, 9.0, 0.0), (0, 10.0, 0.0), (0, 6.0, 0.0)])
        .never(&["年末", "雨"]),
    day("桜のころ", "東京", "2026-03-30", [(0, 11.0, 0.0), (1, 16.0, 0.0), (1, 17.0, 0.0), (0, 15.0, 0.0)])
        .never(&["紅葉", "雪"]),
    day("残暑", "名古屋", "2026-09-10", [(0, 27.0, 0.0), (0, 32.0, 0.0), (0, 33.0, 0.0), (0, 30.0, 0.0)])
        .never(&["熱中症", "梅雨"]),
    day("寒暖の差", "長野", "2026-10-20", [(0, 5.0, 0.0), (0, 16.0, 0.0), (0, 19.0, 0.0), (0, 13.0, 0.0)])
        .never(RAIN_WORDS),
    day("冷たい雨", "東京", "2026-11-28", [(61, 7.0, 1.5), (61, 8.0, 2.0), (61, 8.0, 2.0), (61, 7.0, 1.5)])
        .says(RAIN_WORDS)
        .never(&["暖か", "ぽかぽか"]),
];

fn choice_for(situation: &Situation) -> Choice {
    let date: Date = situation.date.parse().unwrap();
    let points = HOURS.into_iter().zip(situation.slots).map(|(hour, (code, temperature, precipitation))| HourlyPoint {
        time: date.at(hour, 0, 0, 0),
        code: Code::Wmo(code),
        temperature,
        precipitation,
        humidity: if precipitation > 0.0 { situation.humidity.max(85.0) } else { situation.humidity },
        wind: situation.wind,
    });
    let points: Vec<_> = points.collect();
    let (day, nothing) = (Day::of(date, &points), BTreeSet::new());
    let place = Places::embedded().get(situation.place).unwrap_or_else(|| panic!("{} is no place", situation.place));
    let request = Request { place, day: &day, seed: 1, exclude: &nothing, recent: &nothing };
    choose(Corpus::embedded(), &request).unwrap_or_else(|error| panic!("{}: {error}", situation.name))
}

#[test]
fn sixty_days_have_pairs_that_can_be_published() {
    let mut page = "# Sixty days and their comments\n\nMade by `cargo test --package app --test situations`; \
                    read it after every change of a rule or the corpus.\n\n| day | forecast | chosen | also | why |\n|---|---|---|---|---|\n"
        .to_owned();
    let mut wrong = Vec::new();
    for situation in &SITUATIONS {
        let choice = choice_for(situation);
        let texts: Vec<_> =
            std::iter::once(&choice.pair).chain(&choice.alternatives).map(app::domain::choice::Pair::text).collect();
        for text in &texts {
            // A parasol is no umbrella.
            let text = &text.replace("終日傘", "終日、傘").replace("日傘", "");
            if !situation.says.is_empty() && !situation.says.iter().any(|word| text.contains(word)) {
                wrong.push(format!("{}: {text} says none of {:?}", situation.name, situation.says));
            }
            wrong.extend(
                situation
                    .never
                    .iter()
                    .filter(|word| text.contains(**word))
                    .map(|word| format!("{}: {text} says {word}", situation.name)),
            );
        }
        if !choice.relaxed.is_empty() {
            wrong.push(format!("{}: {:?} had to be relaxed", situation.name, choice.relaxed));
        }
        let slots: Vec<_> =
            situation.slots.iter().map(|(_, temperature, rain)| format!("{temperature}℃ {rain}mm")).collect();
        writeln!(
            page,
            "| {}（{}・{}） | {}・湿度{:.0}%・風{:.0}m/s | {} | {} | {} |",
            situation.name,
            situation.place,
            situation.date,
            slots.join("、"),
            situation.humidity,
            situation.wind,
            texts[0],
            texts[1..].join("／"),
            choice.reasons.join("。"),
        )
        .unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/situations.md");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    if before != page {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("situations.md");
        std::fs::write(&new, &page).unwrap();
        panic!(
            "the choices have changed; read {} and, if you would publish them, copy it to {}",
            new.display(),
            file.display()
        );
    }
}
