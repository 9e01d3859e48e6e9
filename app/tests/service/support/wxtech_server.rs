//! A WxTech that does what it is told: any weather, and every way to fail.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::civil::DateTime;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One hour of a scenario: the code, degrees, millimetres.
pub(crate) type Hour = (&'static str, f64, f64);

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum Scenario {
    /// The same weather at the four slots.
    Steady(Hour),
    /// The weather of 9, 12, 15 and 18 o'clock.
    Slots([Hour; 4]),
    /// A whole body of one's own.
    Body(u16, String),
    /// It fails once with a status, and is well then.
    Once(u16),
}

/// The server, and what it was asked.
#[derive(Clone)]
pub(crate) struct WxTech {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<String>>>,
    scenario: Arc<Mutex<Scenario>>,
}

impl WxTech {
    pub(crate) async fn start(scenario: Scenario) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { base, asked: Arc::default(), scenario: Arc::new(Mutex::new(scenario)) };
        let router = Router::new().route("/api/v1/ss1wx", get(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    pub(crate) fn play(&self, scenario: Scenario) {
        *self.scenario.lock().unwrap() = scenario;
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
    match scenario {
        Scenario::Steady(hour) => body(&[hour; 4], hours).into_response(),
        Scenario::Slots(slots) => body(&slots, hours).into_response(),
        Scenario::Body(status, body) => {
            (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")], body).into_response()
        }
        Scenario::Once(status) => {
            server.play(Scenario::Steady(("100", 15.0, 0.0)));
            (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")], "").into_response()
        }
    }
}

/// Rows from ten o'clock of the day before on, one an hour, both ends included; and daily rows, as the real one has.
fn body(slots: &[Hour; 4], hours: f64) -> String {
    let began: DateTime = "2026-11-24T10:00:00".parse().unwrap();
    let rows = (0..).take_while(|hour| f64::from(*hour) <= hours).map(|hour| {
        let at = began.saturating_add(jiff::Span::new().hours(hour));
        let slot = match at.hour() {
            ..=10 => 0,
            11..=13 => 1,
            14..=16 => 2,
            _ => 3,
        };
        row(at, slots[slot])
    });
    let days = (0..11).map(|day| {
        let at = began.date().saturating_add(jiff::Span::new().days(day));
        json!({"date": format!("{at}T00:00:00+09:00"), "wx": "101", "maxtemp": 12, "mintemp": 4, "prec": 0, "rhum": 60, "wndspd": 3})
    });
    json!({"wxdata": [{"srf": rows.collect::<Vec<_>>(), "mrf": days.collect::<Vec<_>>()}]}).to_string()
}

/// One row; every other one lacks what is not always there, and the codes come as text and as number.
pub(crate) fn row(at: DateTime, (code, temperature, precipitation): Hour) -> Value {
    let odd = at.hour() % 2 == 1;
    let wx = if odd { json!(code) } else { json!(code.parse::<u16>().unwrap()) };
    let date = if odd { format!("{at}+09:00") } else { format!("{}Z", at.saturating_sub(jiff::Span::new().hours(9))) };
    let mut row = json!({"date": date, "wx": wx, "temp": temperature, "prec": precipitation, "rhum": 60, "wndspd": 3, "wnddir": 5});
    if odd {
        row["pres"] = json!(1008);
        row["vis"] = json!(20);
    }
    row
}
