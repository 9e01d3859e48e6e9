//! What the sky does, decided once from the forecast's code and numbers; nobody looks at labels after.

use config::corpus::Sky;
use config::rules::{Rules, SkyNumbers};
use config::weather_codes::{Kind, weather_code};

use super::day::Code;

fn numbers() -> &'static SkyNumbers {
    &Rules::embedded().sky
}

/// Classifies an hour by its source's code, with rain and temperature.
pub fn of(code: Code, precipitation: f64, temperature: f64) -> Sky {
    match code {
        Code::Wmo(code) => of_wmo(code, precipitation, temperature),
        Code::Wxtech(code) => of_wxtech(code, precipitation, temperature),
    }
}

/// Classifies a code of WxTech. Many of them speak of the whole day ("fine, later rain"), so the hour's own rain
/// decides between the wet and the dry half of them.
fn of_wxtech(code: u16, precipitation: f64, temperature: f64) -> Sky {
    let Some(known) = weather_code(code) else { return of_wmo(UNKNOWN, precipitation, temperature) };
    let SkyNumbers { wet, heavy_rain, sleet_below, rain_or_snow_below, .. } = *numbers();
    let wet = precipitation >= wet;
    // The first digit is what the day is apart from its showers.
    let dry = match code / 100 {
        1 | 5 => Sky::ThinCloud,
        2 => Sky::Cloudy,
        _ => Sky::Rain,
    };
    match known.kind {
        Kind::Thunder => Sky::Thunder,
        Kind::Storm => Sky::Storm,
        Kind::Fog => Sky::Fog,
        Kind::HeavySnow => Sky::HeavySnow,
        Kind::HeavyRain if temperature >= sleet_below => Sky::HeavyRain,
        _ if precipitation >= heavy_rain && temperature >= sleet_below => Sky::HeavyRain,
        Kind::Snow | Kind::Sleet | Kind::RainOrSnow | Kind::Rain if !wet && code / 100 == 2 => dry,
        Kind::Snow | Kind::Sleet | Kind::RainOrSnow | Kind::Rain if !wet && code / 100 == 1 => {
            heat_or(dry, temperature)
        }
        Kind::Snow => snowing(precipitation),
        Kind::Sleet => Sky::Sleet,
        Kind::RainOrSnow if temperature >= sleet_below && temperature < rain_or_snow_below => Sky::Sleet,
        Kind::RainOrSnow | Kind::Rain | Kind::HeavyRain => falling(precipitation, temperature),
        _ if wet => falling(precipitation, temperature),
        Kind::Sunny | Kind::Heat => heat_or(Sky::Sunny, temperature),
        Kind::ThinCloud => heat_or(Sky::ThinCloud, temperature),
        // Of burning sun nobody speaks under clouds; that it is hot, the day's numbers say.
        Kind::Cloudy => Sky::Cloudy,
    }
}

fn heat_or(sky: Sky, temperature: f64) -> Sky {
    if temperature >= numbers().extreme_heat { Sky::ExtremeHeat } else { sky }
}

/// A code that says nothing, so that rain and temperature decide.
const UNKNOWN: u8 = 3;

/// Classifies a WMO weather code (table 4677, as Open-Meteo gives it) with rain and temperature.
fn of_wmo(code: u8, precipitation: f64, temperature: f64) -> Sky {
    let SkyNumbers { wet, extreme_heat, .. } = *numbers();
    match code {
        95..=99 => Sky::Thunder,
        75 | 86 => Sky::HeavySnow,
        71..=77 | 85 => snowing(precipitation),
        56 | 57 | 66 | 67 => Sky::Sleet,
        45 | 48 => Sky::Fog,
        51..=65 | 80..=82 => falling(precipitation, temperature),
        _ if precipitation >= wet => falling(precipitation, temperature),
        0..=2 if temperature >= extreme_heat => Sky::ExtremeHeat,
        0 | 1 => Sky::Sunny,
        2 => Sky::ThinCloud,
        _ => Sky::Cloudy,
    }
}

/// Rain near freezing is no longer only rain.
fn falling(precipitation: f64, temperature: f64) -> Sky {
    match temperature {
        t if t < numbers().snow_below => snowing(precipitation),
        t if t < numbers().sleet_below => Sky::Sleet,
        _ if precipitation >= numbers().heavy_rain => Sky::HeavyRain,
        _ => Sky::Rain,
    }
}

/// Much of it is a danger, whether or not the code says so.
fn snowing(precipitation: f64) -> Sky {
    if precipitation >= numbers().heavy_snow { Sky::HeavySnow } else { Sky::Snow }
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
            (3, 0.0, 35.0, Sky::Cloudy),
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
            (73, 2.9, -3.0, Sky::Snow),
            (73, 3.0, -3.0, Sky::HeavySnow),
            (63, 3.0, -3.0, Sky::HeavySnow),
        ] {
            assert_eq!(of_wmo(code, rain, temperature), sky, "{code} {rain} {temperature}");
        }
    }

    #[test]
    fn codes_of_wxtech_speak_of_a_day_and_the_hour_decides() {
        for (code, rain, temperature, sky) in [
            (100, 0.0, 20.0, Sky::Sunny),
            (500, 0.0, 35.0, Sky::ExtremeHeat),
            (200, 0.0, 35.0, Sky::Cloudy),
            (202, 0.0, 35.0, Sky::Cloudy),
            (550, 0.0, 34.9, Sky::Sunny),
            (553, 1.0, 30.0, Sky::Rain),
            (600, 0.0, 20.0, Sky::ThinCloud),
            (200, 0.0, 20.0, Sky::Cloudy),
            // Fine, later rain: dry until it rains.
            (114, 0.0, 20.0, Sky::ThinCloud),
            (114, 0.5, 20.0, Sky::Rain),
            (217, 0.0, 1.0, Sky::Cloudy),
            (217, 0.5, 1.0, Sky::Snow),
            (300, 0.0, 20.0, Sky::Rain),
            (300, 10.0, 20.0, Sky::HeavyRain),
            (304, 1.0, 1.0, Sky::Sleet),
            (304, 1.0, 2.9, Sky::Sleet),
            (304, 1.0, 3.0, Sky::Rain),
            (304, 1.0, 0.4, Sky::Snow),
            (300, 1.0, 2.0, Sky::Rain),
            (300, 1.0, 1.9, Sky::Sleet),
            (430, 0.5, 3.0, Sky::Sleet),
            (400, 0.5, -1.0, Sky::Snow),
            (400, 2.9, -1.0, Sky::Snow),
            (400, 3.0, -1.0, Sky::HeavySnow),
            (300, 3.0, -1.0, Sky::HeavySnow),
            (405, 2.0, -1.0, Sky::HeavySnow),
            (306, 4.0, 20.0, Sky::HeavyRain),
            (209, 0.0, 10.0, Sky::Fog),
            (231, 0.0, 10.0, Sky::Fog),
            (800, 0.0, 28.0, Sky::Thunder),
            (850, 20.0, 25.0, Sky::Storm),
            (650, 0.4, 15.0, Sky::Rain),
        ] {
            assert_eq!(of(Code::Wxtech(code), rain, temperature), sky, "{code} {rain} {temperature}");
        }
    }
}
