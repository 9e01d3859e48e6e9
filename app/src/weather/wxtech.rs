//! WxTech's point forecast, which needs a key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use config::places::Place;
use config::weather_codes::weather_code;
use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::{WeatherError, answer};
use crate::domain::day::{Code, HOURS, HourlyPoint, japan};
use crate::http;

/// Its public address.
pub const PUBLIC: &str = "https://wxtech.weathernews.com";

/// No more than ten questions a second, from all places together.
const BETWEEN: Duration = Duration::from_millis(100);
/// The farthest that it looks ahead, in hours.
const FARTHEST: i64 = 168;

/// A client, with connections that are kept.
#[derive(Debug)]
pub struct Client {
    base: String,
    key: SecretString,
    http: reqwest::Client,
    throttle: Throttle,
    /// How many rows could not be read, since the start.
    skipped: AtomicU64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    wxdata: Vec<Data>,
    /// Some failures come with status 200.
    error: Option<Value>,
    message: Option<String>,
}

/// The hourly rows; the daily ones beside them say nothing of an hour.
#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    srf: Vec<Value>,
}

/// One hour. Rows are read one by one, because a bad one must not take the good ones with it.
#[derive(Deserialize)]
struct Row {
    date: String,
    wx: Value,
    temp: f64,
    #[serde(default)]
    prec: f64,
    #[serde(default)]
    rhum: f64,
    #[serde(default)]
    wndspd: f64,
}

impl Client {
    /// Makes a client of the API at an address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: &str, key: SecretString) -> Result<Self> {
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, key, http: http::client()?, throttle: Throttle::default(), skipped: AtomicU64::new(0) })
    }

    /// How many rows could not be read, since the start.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    pub(super) async fn fetch(
        &self,
        place: &Place,
        date: Date,
        now: Timestamp,
    ) -> Result<Vec<HourlyPoint>, WeatherError> {
        self.throttle.turn().await;
        let request = self
            .http
            .get(format!("{}/api/v1/ss1wx", self.base))
            .header("X-API-Key", self.key.expose_secret())
            .header("Accept", "application/json")
            .query(&[
                ("lat", place.latitude.to_string()),
                ("lon", place.longitude.to_string()),
                ("hours", hours(date, now).to_string()),
            ]);
        let body = answer::body_of(request, |body| serde_json::from_slice::<Answer>(body).ok()?.message).await?;
        self.read(&body, date)
    }

    fn read(&self, body: &[u8], date: Date) -> Result<Vec<HourlyPoint>, WeatherError> {
        let unreadable = |text: &str| WeatherError::Unreadable(text.to_owned());
        let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error.to_string()))?;
        if answer.error.is_some() {
            return Err(WeatherError::Refused(answer.message.unwrap_or_else(|| "no reason given".to_owned())));
        }
        let Some(data) = answer.wxdata.into_iter().next() else {
            return Err(unreadable("it holds no place"));
        };
        let rows = data.srf.len();
        let points: Vec<_> = data.srf.into_iter().filter_map(point).collect();
        let bad = rows - points.len();
        if bad > 0 {
            self.skipped.fetch_add(bad as u64, Ordering::Relaxed);
            tracing::warn!(bad, rows, "rows of a forecast could not be read and were left out");
        }
        let points: Vec<_> = points.into_iter().filter(|point| point.time.date() == date).collect();
        if points.is_empty() { Err(unreadable("it holds no hour of the day")) } else { Ok(points) }
    }
}

/// How many hours ahead the last slot of a day is; the API counts from now.
fn hours(date: Date, now: Timestamp) -> i64 {
    let last = japan().to_timestamp(date.at(HOURS[HOURS.len() - 1], 0, 0, 0));
    let ahead = last.map_or(0, |last| last.as_second() - now.as_second());
    // One more, for the row after the slot may be the nearer one.
    (ahead.div_euclid(3600) + 2).clamp(1, FARTHEST)
}

fn point(row: Value) -> Option<HourlyPoint> {
    let row: Row = serde_json::from_value(row).ok()?;
    let code = match &row.wx {
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        _ => return None,
    };
    weather_code(code)?;
    let time: Timestamp = row.date.parse().ok()?;
    let plausible = (-60.0..=60.0).contains(&row.temp)
        && (0.0..=300.0).contains(&row.prec)
        && (0.0..=100.0).contains(&row.rhum)
        && (0.0..=100.0).contains(&row.wndspd);
    plausible.then(|| HourlyPoint {
        time: japan().to_datetime(time),
        code: Code::Wxtech(code),
        temperature: row.temp,
        precipitation: row.prec,
        humidity: row.rhum,
        wind: row.wndspd,
    })
}

/// Lets callers through one after another, with a pause between.
#[derive(Debug, Default)]
struct Throttle {
    next: Mutex<Option<Instant>>,
}

impl Throttle {
    async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let at = next.unwrap_or_else(Instant::now).max(Instant::now());
            *next = Some(at + BETWEEN);
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_questions_a_second_and_no_more_whoever_asks() {
        let throttle = Throttle::default();
        let began = Instant::now();
        futures::future::join_all((0..21).map(|_| throttle.turn())).await;
        assert_eq!(began.elapsed(), Duration::from_secs(2));
    }

    #[test]
    fn enough_hours_are_asked_for_to_reach_the_last_slot() {
        let asked = |now: &str, day: Date| hours(day, now.parse().unwrap());
        assert_eq!(asked("2026-11-24T10:00:00+09:00", date(2026, 11, 25)), 34);
        assert_eq!(asked("2026-11-24T00:30:00+09:00", date(2026, 11, 24)), 19);
        assert_eq!(asked("2026-11-24T10:00:00+09:00", date(2027, 11, 25)), FARTHEST);
    }

    #[test]
    fn times_with_an_offset_and_in_utc_and_codes_as_text_and_number_are_the_same() {
        let row = |date: &str, wx: Value| point(serde_json::json!({"date": date, "wx": wx, "temp": 5}));
        let one = row("2026-11-25T09:00:00+09:00", "200".into());
        assert!(one.is_some());
        assert_eq!(one, row("2026-11-25T00:00:00Z", 200.into()));
        assert_eq!(row("2026-11-25T09:00:00+09:00", "999".into()), None);
        assert_eq!(row("soon", "200".into()), None);
    }
}
