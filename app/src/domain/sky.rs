//! What the sky does, decided once from the forecast's code and numbers; nobody looks at labels after.

use config::corpus::Sky;
use config::rules::{Rules, SkyNumbers};

fn numbers() -> &'static SkyNumbers {
    &Rules::embedded().sky
}

/// Classifies a WMO weather code (table 4677, as Open-Meteo gives it) with rain and temperature.
pub fn of_wmo(code: u8, precipitation: f64, temperature: f64) -> Sky {
    let SkyNumbers { wet, extreme_heat, .. } = *numbers();
    match code {
        95..=99 => Sky::Thunder,
        75 | 86 => Sky::HeavySnow,
        71..=77 | 85 => Sky::Snow,
        56 | 57 | 66 | 67 => Sky::Sleet,
        45 | 48 => Sky::Fog,
        51..=65 | 80..=82 => falling(precipitation, temperature),
        _ if precipitation >= wet => falling(precipitation, temperature),
        _ if temperature >= extreme_heat => Sky::ExtremeHeat,
        0 | 1 => Sky::Sunny,
        2 => Sky::ThinCloud,
        _ => Sky::Cloudy,
    }
}

/// Rain near freezing is no longer only rain.
fn falling(precipitation: f64, temperature: f64) -> Sky {
    match temperature {
        t if t < numbers().snow_below && precipitation >= numbers().heavy_snow => Sky::HeavySnow,
        t if t < numbers().snow_below => Sky::Snow,
        t if t < numbers().sleet_below => Sky::Sleet,
        _ if precipitation >= numbers().heavy_rain => Sky::HeavyRain,
        _ => Sky::Rain,
    }
}

/// With a storm's wind, rain and snow are a storm; no code of the sources says so.
pub fn under_wind(sky: Sky, wind: f64) -> Sky {
    let falls = matches!(sky, Sky::Rain | Sky::HeavyRain | Sky::Sleet | Sky::Snow | Sky::HeavySnow);
    if falls && wind >= numbers().storm_wind { Sky::Storm } else { sky }
}

/// The name in Japanese.
pub fn label(sky: Sky) -> &'static str {
    match sky {
        Sky::Sunny => "晴れ",
        Sky::ThinCloud => "薄曇り",
        Sky::Cloudy => "曇り",
        Sky::Rain => "雨",
        Sky::HeavyRain => "大雨",
        Sky::Thunder => "雷雨",
        Sky::Storm => "暴風雨",
        Sky::Snow => "雪",
        Sky::HeavySnow => "大雪",
        Sky::Sleet => "みぞれ",
        Sky::Fog => "霧",
        Sky::ExtremeHeat => "猛暑",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wind_with_rain_or_snow_is_a_storm() {
        assert_eq!(under_wind(Sky::Rain, 19.9), Sky::Rain);
        assert_eq!(under_wind(Sky::Rain, 20.0), Sky::Storm);
        assert_eq!(under_wind(Sky::HeavySnow, 24.0), Sky::Storm);
        assert_eq!(under_wind(Sky::Sunny, 24.0), Sky::Sunny);
    }

    #[test]
    fn boundaries_fall_on_the_right_side() {
        for (code, rain, temperature, sky) in [
            (0, 0.0, 34.9, Sky::Sunny),
            (0, 0.0, 35.0, Sky::ExtremeHeat),
            (3, 0.0, 20.0, Sky::Cloudy),
            (3, 0.1, 20.0, Sky::Rain),
            (63, 9.9, 20.0, Sky::Rain),
            (63, 10.0, 20.0, Sky::HeavyRain),
            (61, 1.0, 1.9, Sky::Sleet),
            (61, 1.0, 0.4, Sky::Snow),
            (65, 12.0, 0.4, Sky::HeavySnow),
            (68, 0.5, 1.0, Sky::Sleet),
            (45, 0.0, 12.0, Sky::Fog),
            (95, 0.0, 30.0, Sky::Thunder),
            (75, 2.0, -3.0, Sky::HeavySnow),
        ] {
            assert_eq!(of_wmo(code, rain, temperature), sky, "{code} {rain} {temperature}");
        }
    }
}
