//! A WxTech that does what it is told: any weather, and every way to fail.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::civil::DateTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One hour of a scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hour {
    pub(crate) code: &'static str,
    pub(crate) temperature: f64,
    pub(crate) rain: f64,
    pub(crate) humidity: f64,
    pub(crate) wind: f64,
}

/// An hour with a code, degrees and millimetres, neither damp nor windy.
pub(crate) fn hour(code: &'static str, temperature: f64, rain: f64) -> Hour {
    Hour { code, temperature, rain, humidity: 60.0, wind: 3.0 }
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum Scenario {
    /// The same weather at the four slots.
    Steady(Hour),
    /// The weather of 9, 12, 15 and 18 o'clock.
    Slots([Hour; 4]),
    /// Each place and day its own weather, and always the same.
    Seeded,
    /// The same weather, but without these hours of the day.
    Without(&'static [i8]),
    /// Only the first so many hourly rows.
    OnlyFirst(usize),
    /// Nothing is known of places south of this latitude.
    NothingSouthOf(f64),
    /// A whole body of one's own.
    Body(u16, String),
    /// It fails so often with a status, and is well then.
    Fails(u16, usize),
    /// It sends its callers elsewhere.
    Redirects(String),
    /// It takes the question and never answers.
    Hangs,
}

/// The server, and what it was asked.
#[derive(Clone)]
pub(crate) struct WxTech {
    pub(crate) base: String,
    began: Arc<Mutex<DateTime>>,
    asked: Arc<Mutex<Vec<String>>>,
    scenario: Arc<Mutex<Scenario>>,
}

impl WxTech {
    pub(crate) async fn start(scenario: Scenario) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let began = Arc::new(Mutex::new("2026-11-24T10:00:00".parse().unwrap()));
        let server = Self { base, began, asked: Arc::default(), scenario: Arc::new(Mutex::new(scenario)) };
        let router = Router::new().route("/api/v1/ss1wx", get(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn play(&self, scenario: Scenario) {
        *self.scenario.lock().unwrap() = scenario;
    }

    /// Sets the hour that its forecasts begin with.
    pub(crate) fn now_is(&self, time: &str) {
        *self.began.lock().unwrap() = time.parse().unwrap();
    }

    /// The queries so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(server): State<WxTech>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    server.asked.lock().unwrap().push(query.clone());
    if headers.get("x-api-key").and_then(|key| key.to_str().ok()) != Some(super::KEY) {
        return (StatusCode::UNAUTHORIZED, r#"{"message":"invalid key"}"#).into_response();
    }
    let number = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.and_then(|value| value.parse::<f64>().ok())
    };
    let (Some(lat), Some(lon), Some(hours)) = (number("lat"), number("lon"), number("hours")) else {
        return (StatusCode::BAD_REQUEST, r#"{"message":"lat, lon and hours are needed"}"#).into_response();
    };
    if !(20.0..=46.0).contains(&lat) || !(122.0..=154.0).contains(&lon) {
        return (StatusCode::NOT_FOUND, r#"{"message":"outside Japan"}"#).into_response();
    }
    if !(1.0..=168.0).contains(&hours) {
        return (StatusCode::BAD_REQUEST, r#"{"message":"hours must be 1 to 168"}"#).into_response();
    }
    let scenario = server.scenario.lock().unwrap().clone();
    let began = *server.began.lock().unwrap();
    let fine = [hour("100", 15.0, 0.0); 4];
    let body = |slots: &[Hour; 4], keep: &dyn Fn(usize, DateTime) -> bool| {
        let rows = rows(began, hours).enumerate().filter(|(index, at)| keep(*index, *at));
        let rows: Vec<_> = rows.map(|(_, at)| row(at, slots[slot(at)])).collect();
        json!({"wxdata": [{"srf": rows, "mrf": days(began)}]}).to_string().into_response()
    };
    let all = |_: usize, _: DateTime| true;
    match scenario {
        Scenario::Steady(hour) => body(&[hour; 4], &all),
        Scenario::Slots(slots) => body(&slots, &all),
        Scenario::Seeded => body(&[seeded(lat, lon, began); 4], &all),
        Scenario::Without(missing) => body(&fine, &|_, at| !missing.contains(&at.hour())),
        Scenario::OnlyFirst(count) => body(&fine, &|index, _| index < count),
        Scenario::NothingSouthOf(south) if lat < south => {
            (StatusCode::NOT_FOUND, r#"{"message":"no data"}"#).into_response()
        }
        Scenario::NothingSouthOf(_) => body(&fine, &all),
        Scenario::Body(status, body) => (StatusCode::from_u16(status).unwrap(), NO_WAIT, body).into_response(),
        Scenario::Fails(_, 0) => body(&fine, &all),
        Scenario::Fails(status, left) => {
            server.play(Scenario::Fails(status, left - 1));
            (StatusCode::from_u16(status).unwrap(), NO_WAIT, "").into_response()
        }
        Scenario::Redirects(to) => (StatusCode::FOUND, [("location", to)], "").into_response(),
        Scenario::Hangs => std::future::pending().await,
    }
}

/// So that tests do not wait between attempts.
const NO_WAIT: [(&str, &str); 1] = [("retry-after", "0")];

/// The times of the rows: one an hour, both ends included.
fn rows(began: DateTime, hours: f64) -> impl Iterator<Item = DateTime> {
    let count = (0..).take_while(move |hour| f64::from(*hour) <= hours);
    count.map(move |hour| began.saturating_add(jiff::Span::new().hours(hour)))
}

fn slot(at: DateTime) -> usize {
    match at.hour() {
        ..=10 => 0,
        11..=13 => 1,
        14..=16 => 2,
        _ => 3,
    }
}

fn seeded(lat: f64, lon: f64, began: DateTime) -> Hour {
    let mut hasher = DefaultHasher::new();
    (format!("{lat:.2} {lon:.2}"), began.date()).hash(&mut hasher);
    let kinds = [hour("100", 14.0, 0.0), hour("200", 12.0, 0.0), hour("300", 11.0, 2.0), hour("600", 13.0, 0.0)];
    kinds[usize::try_from(hasher.finish() % 4).unwrap()]
}

/// Daily rows, which the real one sends beside the hourly ones.
fn days(began: DateTime) -> Vec<Value> {
    let days = (0..11).map(|day| {
        let at = began.date().saturating_add(jiff::Span::new().days(day));
        json!({"date": format!("{at}T00:00:00+09:00"), "wx": "101", "maxtemp": 12, "mintemp": 4, "prec": 0, "rhum": 60, "wndspd": 3})
    });
    days.collect()
}

/// One row; every other one lacks what is not always there, and the codes come as text and as number.
pub(crate) fn row(at: DateTime, hour: Hour) -> Value {
    let odd = at.hour() % 2 == 1;
    let wx = if odd { json!(hour.code) } else { json!(hour.code.parse::<u16>().unwrap()) };
    let date = if odd { format!("{at}+09:00") } else { format!("{}Z", at.saturating_sub(jiff::Span::new().hours(9))) };
    let Hour { temperature, rain, humidity, wind, .. } = hour;
    let mut row = json!({"date": date, "wx": wx, "temp": temperature, "prec": rain, "rhum": humidity, "wndspd": wind});
    if odd {
        row["wnddir"] = json!(5);
        row["pres"] = json!(1008);
        row["vis"] = json!(20);
    }
    row
}
