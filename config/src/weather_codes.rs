//! The weather codes of WxTech: what each says, and what kind of weather that is.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A kind of weather that a code can name; hours and numbers decide the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fine.
    Sunny,
    /// Fine with clouds, or thin clouds.
    ThinCloud,
    /// Overcast.
    Cloudy,
    /// Rain at some time.
    Rain,
    /// Rain or snow: the temperature decides.
    RainOrSnow,
    /// Heavy rain.
    HeavyRain,
    /// Thunder.
    Thunder,
    /// A storm.
    Storm,
    /// Snow at some time.
    Snow,
    /// Heavy snow.
    HeavySnow,
    /// Sleet.
    Sleet,
    /// Fog.
    Fog,
    /// Very hot at some time.
    Heat,
}

/// A code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WeatherCode {
    /// Its three digits.
    pub code: u16,
    /// Its words.
    pub label: String,
    /// Its kind.
    pub kind: Kind,
}

static EMBEDDED: LazyLock<BTreeMap<u16, WeatherCode>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("../data/wxtech_codes.csv").as_bytes());
    let codes = reader.deserialize().map(|code| code.map(|code: WeatherCode| (code.code, code)));
    codes.collect::<Result<_, _>>().expect("the built-in table of codes is checked by a test")
});

/// Finds a code; one that is not in the table is not guessed.
pub fn weather_code(code: u16) -> Option<&'static WeatherCode> {
    EMBEDDED.get(&code)
}

/// Every code.
pub fn weather_codes() -> impl Iterator<Item = &'static WeatherCode> {
    EMBEDDED.values()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_148_codes_are_there_and_their_kinds_agree_with_their_words() {
        assert_eq!(weather_codes().count(), 148);
        for code in weather_codes() {
            let says = |word: &str| code.label.contains(word);
            let fits = match code.kind {
                Kind::Sunny => says("晴"),
                Kind::ThinCloud => says("晴") || says("うす"),
                Kind::Cloudy => says("くもり"),
                Kind::Rain => says("雨"),
                Kind::RainOrSnow => says("雪") && says("雨"),
                Kind::Snow => says("雪"),
                Kind::HeavyRain => says("大雨") || says("強く"),
                Kind::HeavySnow => says("大雪") || says("強く"),
                Kind::Thunder => says("雷"),
                Kind::Storm => says("嵐") || says("暴風") || says("風雪"),
                Kind::Sleet => says("みぞれ"),
                Kind::Fog => says("霧"),
                Kind::Heat => says("猛暑"),
            };
            assert!(fits, "{code:?}");
        }
    }
}
