//! WxTech's point forecast, which needs a key.

use anyhow::{Context as _, Result};
use config::places::Place;
use config::weather_codes::weather_code;
use jiff::Timestamp;
use jiff::civil::Date;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{Upstream, WeatherError};
use crate::domain::day::{Code, HOURS, HourlyPoint, japan};

/// Its public address.
pub const PUBLIC: &str = "https://wxtech.weathernews.com";

const JSON: &str = "application/json";
/// The farthest that it looks ahead, in hours.
const FARTHEST: i64 = 168;
/// A humidity that claims nothing, neither damp nor dry, for rows that give none.
const NEITHER: f64 = 50.0;
/// Of what it says about a refusal, so many characters are passed on.
const LONGEST_REASON: usize = 200;

/// A client, with connections that are kept.
#[derive(Debug)]
pub struct Client {
    upstream: Upstream,
    key: SecretString,
    /// The same as a header that is never written down.
    header: HeaderValue,
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
    prec: Option<f64>,
    rhum: Option<f64>,
    wndspd: Option<f64>,
}

impl Client {
    /// Makes a client of the API at an address.
    ///
    /// # Errors
    /// When TLS cannot be set up, or when the key holds what no key can.
    pub fn new(base: &str, key: SecretString) -> Result<Self> {
        let header = HeaderValue::from_str(key.expose_secret());
        let mut header =
            header.ok().context("WXTECH_API_KEY holds a line break or another character that no key has")?;
        header.set_sensitive(true);
        Ok(Self { upstream: Upstream::new(base)?, key, header })
    }

    pub(super) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(super) async fn fetch(
        &self,
        place: &Place,
        date: Date,
        now: Timestamp,
    ) -> Result<Vec<HourlyPoint>, WeatherError> {
        let request = self
            .upstream
            .get("/api/v1/ss1wx")
            .header("X-API-Key", self.header.clone())
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, JSON)
            .query(&[
                ("lat", place.latitude.to_string()),
                ("lon", place.longitude.to_string()),
                ("hours", hours(date, now).to_string()),
            ]);
        let reason = |body: &[u8]| self.reason(serde_json::from_slice::<Answer>(body).ok()?.message);
        let body = self.upstream.ask(request, reason).await?;
        self.read(&body, place, date)
    }

    /// Its own words about a refusal, short, and without the key if it repeats that.
    fn reason(&self, message: Option<String>) -> Option<String> {
        let message = message?.replace(self.key.expose_secret(), "(the key)");
        Some(message.chars().take(LONGEST_REASON).collect())
    }

    fn read(&self, body: &[u8], place: &Place, date: Date) -> Result<Vec<HourlyPoint>, WeatherError> {
        let answer: Answer =
            serde_json::from_slice(body).map_err(|error| WeatherError::Unreadable(error.to_string()))?;
        if let Some(error) = answer.error {
            return Err(refusal(&error, self.reason(answer.message)));
        }
        let Some(data) = answer.wxdata.into_iter().next() else {
            return Err(WeatherError::Unreadable("it holds no place".to_owned()));
        };
        let rows = data.srf.len();
        let points: Vec<_> = data.srf.into_iter().filter_map(point).collect();
        self.upstream.skip(place, rows - points.len());
        let points: Vec<_> = points.into_iter().filter(|point| point.time.date() == date).collect();
        if points.is_empty() { Err(WeatherError::Empty) } else { Ok(points) }
    }
}

/// What a failure with status 200 means: by the status or the words that it names.
fn refusal(error: &Value, message: Option<String>) -> WeatherError {
    let message = message.unwrap_or_else(|| "no reason given".to_owned());
    let code = error.to_string().to_lowercase();
    let words = format!("{code} {}", message.to_lowercase());
    let says = |status: &str, parts: &[&str]| code.contains(status) || parts.iter().any(|part| words.contains(part));
    if says("401", &["api key", "api_key", "apikey", "unauthorized"]) || says("403", &["forbidden"]) {
        WeatherError::KeyRefused
    } else if says("429", &["rate limit", "rate_limit", "too many"]) {
        WeatherError::Busy { retry_after: None }
    } else if says("404", &["not found", "not_found", "no data", "no_data"]) {
        WeatherError::NoData
    } else if says("50", &["server error", "server_error", "unavailable"]) {
        WeatherError::Failed { status: 500, retry_after: None }
    } else {
        WeatherError::Refused(message)
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
    let (rain, humidity, wind) =
        (row.prec.unwrap_or_default(), row.rhum.unwrap_or(NEITHER), row.wndspd.unwrap_or_default());
    let point = HourlyPoint {
        time: japan().to_datetime(time),
        code: Code::Wxtech(code),
        temperature: row.temp,
        precipitation: rain,
        humidity,
        wind,
    };
    point.is_possible().then_some(point)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

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

    #[test]
    fn what_is_not_always_there_may_be_absent_or_null_and_claims_nothing() {
        let row = |more: &str| {
            let text = format!(r#"{{"date":"2026-11-25T09:00:00+09:00","wx":"200","temp":5{more}}}"#);
            point(serde_json::from_str(&text).unwrap())
        };
        let bare = row("").unwrap();
        assert_eq!((bare.precipitation, bare.humidity, bare.wind), (0.0, NEITHER, 0.0));
        assert_eq!(row(r#","prec":null,"rhum":null,"wndspd":null,"pres":null"#), Some(bare));
        for impossible in [r#","prec":-1"#, r#","prec":301"#, r#","rhum":101"#, r#","wndspd":101"#] {
            assert_eq!(row(impossible), None, "{impossible}");
        }
    }

    #[test]
    fn a_failure_in_a_good_answer_is_understood_by_its_code_or_its_words() {
        let meant = |error: Value, message: &str| refusal(&error, Some(message.to_owned()));
        assert_eq!(meant("api_key_invalid".into(), ""), WeatherError::KeyRefused);
        assert_eq!(meant(401.into(), ""), WeatherError::KeyRefused);
        assert_eq!(meant(true.into(), "Too many requests"), WeatherError::Busy { retry_after: None });
        assert_eq!(meant("not_found".into(), ""), WeatherError::NoData);
        assert_eq!(meant("server_error".into(), ""), WeatherError::Failed { status: 500, retry_after: None });
        assert_eq!(meant("bad_request".into(), "no such mesh"), WeatherError::Refused("no such mesh".to_owned()));
    }

    #[test]
    fn the_key_is_never_written_down_and_one_that_cannot_be_sent_is_refused() {
        let client = Client::new(PUBLIC, "a-secret".into()).unwrap();
        assert!(!format!("{client:?}").contains("a-secret"));
        let reason = client.reason(Some("key a-secret is unknown".to_owned())).unwrap();
        assert_eq!(reason, "key (the key) is unknown");
        let error = Client::new(PUBLIC, "a-secret\n".into()).unwrap_err().to_string();
        assert!(error.contains("WXTECH_API_KEY") && !error.contains("a-secret"), "{error}");
    }
}
