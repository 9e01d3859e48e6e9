//! The words that say when a phrase is true.

use crate::words::words;

words! {
    /// Which half of a pair a phrase is.
    Kind {
        /// About the weather.
        Weather = "weather",
        /// About what to do.
        Advice = "advice",
    }
}

words! {
    /// What the sky does.
    Sky {
        /// Sunshine.
        Sunny = "sunny",
        /// Sunshine through thin cloud.
        ThinCloud = "thin_cloud",
        /// Cloud.
        Cloudy = "cloudy",
        /// Rain.
        Rain = "rain",
        /// Heavy rain.
        HeavyRain = "heavy_rain",
        /// Thunder.
        Thunder = "thunder",
        /// Storm.
        Storm = "storm",
        /// Snow.
        Snow = "snow",
        /// Heavy snow.
        HeavySnow = "heavy_snow",
        /// Rain and snow at once.
        Sleet = "sleet",
        /// Fog.
        Fog = "fog",
        /// Heat that is a danger.
        ExtremeHeat = "extreme_heat",
    }
}

words! {
    /// A part of the year that words belong to.
    Season {
        /// March to May.
        Spring = "spring",
        /// The rainy season.
        Rainy = "rainy",
        /// Summer.
        Summer = "summer",
        /// After the rainy season, until the heat ends.
        Midsummer = "midsummer",
        /// When typhoons come.
        Typhoon = "typhoon",
        /// Autumn.
        Autumn = "autumn",
        /// Winter.
        Winter = "winter",
        /// While cherries blossom.
        Blossom = "blossom",
        /// While leaves are red.
        Foliage = "foliage",
    }
}

words! {
    /// How the day must be built for a phrase to be true.
    Time {
        /// What it names is there in the morning.
        Morning = "morning",
        /// What it names is there around noon.
        Noon = "noon",
        /// What it names is there in the afternoon.
        Afternoon = "afternoon",
        /// What it names is there in the evening.
        Evening = "evening",
        /// What it names is there all day.
        AllDay = "all_day",
        /// Rain is short.
        Shower = "shower",
        /// Rain does not stay: nobody can say so of what begins in the evening.
        Brief = "brief",
        /// The sky changes more than once.
        Changeable = "changeable",
        /// Rain does not stop.
        Continuous = "continuous",
        /// It rains or snows at some time.
        Wet = "wet",
        /// Rain stops and begins again.
        OnAndOff = "on_and_off",
        /// What it names is there most of the day.
        Most = "most",
        /// The sun is never out.
        Overcast = "overcast",
        /// The sky gets better.
        Improving = "improving",
        /// The sky gets better, and the sun comes out.
        Clearing = "clearing",
        /// The sky gets worse.
        Worsening = "worsening",
    }
}

words! {
    /// What must really be there for a phrase to be true.
    Phenomenon {
        /// Fog.
        Fog = "fog",
        /// Snow.
        Snow = "snow",
        /// Heavy snow.
        HeavySnow = "heavy_snow",
        /// Thunder.
        Thunder = "thunder",
        /// Wind of 10 m/s.
        Wind = "wind",
        /// Wind of 15 m/s.
        StrongWind = "strong_wind",
        /// Waves: the sea, and wind of 10 m/s.
        Waves = "waves",
        /// Pollen: its season, dry air, and not too much wind. (Yellow sand is not here: no source forecasts it.)
        Pollen = "pollen",
        /// Dry air.
        Dryness = "dryness",
        /// Heat.
        Heat = "heat",
        /// Rain of 10 mm an hour.
        HeavyRain = "heavy_rain",
        /// A storm.
        Storm = "storm",
        /// Ice on the ground.
        Ice = "ice",
        /// Much warmer than the day before.
        Warmer = "warmer",
        /// Much colder than the day before.
        Colder = "colder",
    }
}

words! {
    /// What a phrase is about.
    Theme {
        /// Sunshine.
        Sun = "sun",
        /// Ultraviolet light.
        Uv = "uv",
        /// Parasols.
        Parasol = "parasol",
        /// Heat.
        Heat = "heat",
        /// Heat stroke.
        Heatstroke = "heatstroke",
        /// Drinking enough.
        Hydration = "hydration",
        /// Warmth, or warming up.
        Warm = "warm",
        /// Coolness.
        Cool = "cool",
        /// Cold.
        Cold = "cold",
        /// Freezing.
        Freeze = "freeze",
        /// Rain.
        Rain = "rain",
        /// What keeps rain off.
        Umbrella = "umbrella",
        /// Rain that comes and goes.
        Shower = "shower",
        /// Heavy rain.
        HeavyRain = "heavy_rain",
        /// Thunder.
        Thunder = "thunder",
        /// A storm.
        Storm = "storm",
        /// A typhoon.
        Typhoon = "typhoon",
        /// Water where none should be.
        Flood = "flood",
        /// Wind.
        Wind = "wind",
        /// Waves.
        Waves = "waves",
        /// Snow.
        Snow = "snow",
        /// Driven snow.
        Blizzard = "blizzard",
        /// Ice on the ground.
        Ice = "ice",
        /// Fog.
        Fog = "fog",
        /// Dry air.
        Dry = "dry",
        /// Damp air.
        Humid = "humid",
        /// Pollen.
        Pollen = "pollen",
        /// What helps against pollen without naming it.
        PollenCare = "pollen_care",
        /// Laundry.
        Laundry = "laundry",
        /// Masks.
        Mask = "mask",
        /// What to wear.
        Clothes = "clothes",
        /// Cool mornings and warm noons.
        TempGap = "temp_gap",
        /// Being out.
        Outing = "outing",
        /// Being out for pleasure.
        Leisure = "leisure",
        /// Being inside.
        Indoors = "indoors",
        /// Health.
        Health = "health",
        /// The look of the sky.
        Sky = "sky",
        /// Clouds.
        Cloud = "cloud",
        /// The night.
        Night = "night",
        /// The season.
        Season = "season",
    }
}

words! {
    /// A part of Japan, as the table of places names it.
    Region {
        /// Hokkaido.
        Hokkaido = "北海道",
        /// Tohoku.
        Tohoku = "東北",
        /// Hokuriku.
        Hokuriku = "北陸",
        /// Kanto.
        Kanto = "関東",
        /// Nagano and Yamanashi.
        Koshin = "甲信",
        /// Tokai.
        Tokai = "東海",
        /// Kinki.
        Kinki = "近畿",
        /// Chugoku.
        Chugoku = "中国",
        /// Shikoku.
        Shikoku = "四国",
        /// Kyushu.
        Kyushu = "九州",
        /// Okinawa.
        Okinawa = "沖縄",
    }
}
