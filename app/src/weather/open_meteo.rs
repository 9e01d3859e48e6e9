//! Open-Meteo's forecast API, which needs no key.

use anyhow::Result;
use config::places::Place;
use jiff::civil::{Date, DateTime};
use serde::Deserialize;

use super::{Upstream, WeatherError};
use crate::domain::day::{Code, HourlyPoint};

/// Its public address.
pub const PUBLIC: &str = "https://api.open-meteo.com";

const VARIABLES: &str = "temperature_2m,relative_humidity_2m,precipitation,weather_code,wind_speed_10m";

/// A client, with connections that are kept.
#[derive(Debug)]
pub struct Client {
    upstream: Upstream,
}

#[derive(Deserialize)]
struct Answer {
    hourly: Hourly,
}

/// One array a variable; hours beyond the model's reach are null.
#[derive(Deserialize)]
struct Hourly {
    time: Vec<DateTime>,
    temperature_2m: Vec<Option<f64>>,
    relative_humidity_2m: Vec<Option<f64>>,
    precipitation: Vec<Option<f64>>,
    weather_code: Vec<Option<u8>>,
    wind_speed_10m: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Refusal {
    reason: String,
}

impl Client {
    /// Makes a client of the API at an address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: &str) -> Result<Self> {
        Ok(Self { upstream: Upstream::new(base)? })
    }

    pub(super) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(super) async fn fetch(&self, place: &Place, date: Date) -> Result<Vec<HourlyPoint>, WeatherError> {
        let day = date.to_string();
        let altitude = place.altitude.map(|metres| ("elevation", metres.to_string()));
        let request = self.upstream.get("/v1/forecast").query(&[
            ("latitude", place.latitude.to_string().as_str()),
            ("longitude", place.longitude.to_string().as_str()),
            ("hourly", VARIABLES),
            // In metres a second and in Japan's time, so that nothing is converted here.
            ("wind_speed_unit", "ms"),
            ("timezone", "Asia/Tokyo"),
            ("start_date", day.as_str()),
            ("end_date", day.as_str()),
        ]);
        // Without it the service takes the altitude of its map, which in the mountains is often another one.
        let request = request.query(altitude.as_slice());
        let reason = |body: &[u8]| serde_json::from_slice::<Refusal>(body).ok().map(|refusal| refusal.reason);
        let (points, bad) = read(&self.upstream.ask(request, reason).await?)?;
        self.upstream.skip(place, bad);
        if points.is_empty() { Err(WeatherError::Empty) } else { Ok(points) }
    }
}

/// The hours that are whole, and how many are not.
fn read(body: &[u8]) -> Result<(Vec<HourlyPoint>, usize), WeatherError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| WeatherError::Unreadable(error.to_string()))?;
    let hourly = answer.hourly;
    let at = |values: &[Option<f64>], index: usize| values.get(index).copied().flatten();
    let points = hourly.time.iter().enumerate().filter_map(|(index, time)| {
        let point = HourlyPoint {
            time: *time,
            code: Code::Wmo(hourly.weather_code.get(index).copied().flatten()?),
            temperature: at(&hourly.temperature_2m, index)?,
            precipitation: at(&hourly.precipitation, index)?,
            humidity: at(&hourly.relative_humidity_2m, index)?,
            wind: at(&hourly.wind_speed_10m, index)?,
        };
        point.is_possible().then_some(point)
    });
    let points: Vec<_> = points.collect();
    let bad = hourly.time.len() - points.len();
    Ok((points, bad))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::extract::RawQuery;
    use axum::http::StatusCode as Status;
    use axum::response::IntoResponse as _;
    use axum::routing::get;
    use config::places::Places;
    use jiff::civil::date;

    use super::*;
    use crate::weather::Source;

    const RECORDED: &str = include_str!("open_meteo_answer.json");

    /// A server that gives these answers in turn, and then the last for ever.
    async fn server(answers: Vec<(u16, &'static str)>) -> (Source, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let handler = move |RawQuery(query): RawQuery| async move {
            let query = query.unwrap_or_default();
            for part in ["start_date=2026-11-24", "wind_speed_unit=ms", "elevation=25"] {
                assert!(query.contains(part), "{query}");
            }
            let call = counter.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let (status, body) = answers[call];
            (Status::from_u16(status).unwrap(), [("retry-after", "2")], body).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/forecast", get(handler));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (Source::OpenMeteo(Client::new(&base).unwrap()), calls)
    }

    fn now() -> jiff::Timestamp {
        "2026-11-23T10:00:00+09:00".parse().unwrap()
    }

    async fn ask(answers: Vec<(u16, &'static str)>) -> (Result<Vec<HourlyPoint>, WeatherError>, usize) {
        let (source, calls) = server(answers).await;
        let tokyo = Places::embedded().get("東京").unwrap();
        let result = source.fetch(tokyo, date(2026, 11, 24), now()).await;
        (result, calls.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_recorded_answer_becomes_24_hours_in_japan() {
        let (points, calls) = ask(vec![(200, RECORDED)]).await;
        let points = points.unwrap();
        assert_eq!((points.len(), calls), (24, 1));
        let noon = &points[12];
        assert_eq!(noon.time, date(2026, 11, 24).at(12, 0, 0, 0));
        assert_eq!((noon.code, noon.temperature, noon.precipitation, noon.wind), (Code::Wmo(61), 13.4, 0.6, 3.2));
    }

    #[tokio::test]
    async fn hours_with_a_null_or_an_impossible_number_are_left_out_and_an_answer_that_breaks_off_is_no_forecast() {
        let (points, _) = ask(vec![(
            200,
            r#"{"hourly":{"time":["2026-11-24T09:00","2026-11-24T10:00","2026-11-24T11:00"],
                "temperature_2m":[9.1,null,99.9],"relative_humidity_2m":[60,61,61],"precipitation":[0,0,0],
                "weather_code":[3,3,3],"wind_speed_10m":[1,1,1]}}"#,
        )])
        .await;
        assert_eq!(points.unwrap().len(), 1);
        let (broken, calls) = ask(vec![(200, r#"{"hourly":{"time":["2026-11"#)]).await;
        assert!(matches!(broken, Err(WeatherError::Unreadable(_))), "{broken:?}");
        assert_eq!(calls, 1, "asking again would not help");
    }

    #[tokio::test]
    async fn a_refusal_carries_its_reason_and_is_not_repeated() {
        let (refused, calls) = ask(vec![(400, r#"{"error":true,"reason":"Latitude must be in range"}"#)]).await;
        assert!(refused.unwrap_err().to_string().contains("Latitude must be in range"));
        assert_eq!(calls, 1);
    }
}
