//! What the sky does, decided once from the forecast's code and numbers; nobody looks at labels after.

use config::corpus::Sky;

/// From here on rain is heavy, in mm/h.
pub const HEAVY_RAIN: f64 = 10.0;
/// From here on heat is a danger, in degrees.
pub const EXTREME_HEAT: f64 = 35.0;
/// From here on it is wet, in mm/h.
const WET: f64 = 0.1;

/// Classifies a WMO weather code (table 4677, as Open-Meteo gives it) with rain and temperature.
pub fn of_wmo(code: u8, precipitation: f64, temperature: f64) -> Sky {
    match code {
        95..=99 => Sky::Thunder,
        75 | 86 => Sky::HeavySnow,
        71..=77 | 85 => Sky::Snow,
        56 | 57 | 66 | 67 => Sky::Sleet,
        45 | 48 => Sky::Fog,
        _ if precipitation >= HEAVY_RAIN => Sky::HeavyRain,
        51..=65 | 80..=82 => falling(precipitation, temperature),
        _ if precipitation >= WET => falling(precipitation, temperature),
        _ if temperature >= EXTREME_HEAT => Sky::ExtremeHeat,
        0 | 1 => Sky::Sunny,
        2 => Sky::ThinCloud,
        _ => Sky::Cloudy,
    }
}

/// Rain near freezing is no longer only rain.
fn falling(precipitation: f64, temperature: f64) -> Sky {
    match temperature {
        t if t < 0.5 => Sky::Snow,
        t if t < 2.0 => Sky::Sleet,
        _ if precipitation >= HEAVY_RAIN => Sky::HeavyRain,
        _ => Sky::Rain,
    }
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
            (68, 0.5, 1.0, Sky::Sleet),
            (45, 0.0, 12.0, Sky::Fog),
            (95, 0.0, 30.0, Sky::Thunder),
            (75, 2.0, -3.0, Sky::HeavySnow),
        ] {
            assert_eq!(of_wmo(code, rain, temperature), sky, "{code} {rain} {temperature}");
        }
    }
}
