//! An Open-Meteo that answers in the shape of its documentation, or fails.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

/// The server, how often it was asked, and what it does: a status and a code for every hour.
#[derive(Clone)]
pub(crate) struct OpenMeteo {
    pub(crate) base: String,
    asked: Arc<Mutex<usize>>,
    plays: Arc<Mutex<(u16, Option<u8>)>>,
}

impl OpenMeteo {
    /// Starts a server with the same weather at every hour.
    pub(crate) async fn start(code: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { base, asked: Arc::default(), plays: Arc::new(Mutex::new((200, Some(code)))) };
        let router = Router::new().route("/v1/forecast", get(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    /// From now on: this status, and this code or null at every hour.
    pub(crate) fn play(&self, status: u16, code: Option<u8>) {
        *self.plays.lock().unwrap() = (status, code);
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

async fn answer(State(server): State<OpenMeteo>, RawQuery(query): RawQuery) -> Response {
    *server.asked.lock().unwrap() += 1;
    let (status, code) = *server.plays.lock().unwrap();
    if status != 200 {
        let body = json!({"error": true, "reason": "as the test wants it"}).to_string();
        return (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")], body).into_response();
    }
    let query = query.unwrap_or_default();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    let (Some(from), Some(to), Some("ms")) = (value("start_date"), value("end_date"), value("wind_speed_unit")) else {
        let body = json!({"error": true, "reason": "a parameter is missing"}).to_string();
        return (StatusCode::BAD_REQUEST, body).into_response();
    };
    assert_eq!(from, to, "one day is enough");
    assert_eq!(value("elevation"), Some("25"), "Tokyo's altitude is known");
    let times: Vec<_> = (0..24).map(|hour| format!("{from}T{hour:02}:00")).collect();
    let all = |value: serde_json::Value| vec![value; 24];
    json!({
        "latitude": 35.7, "longitude": 139.75, "utc_offset_seconds": 32400, "timezone": "Asia/Tokyo",
        "hourly_units": {"time": "iso8601", "temperature_2m": "°C", "wind_speed_10m": "m/s"},
        "hourly": {
            "time": times,
            "temperature_2m": all(json!(14.2)), "relative_humidity_2m": all(json!(55)),
            "precipitation": all(json!(0.0)), "weather_code": all(json!(code)), "wind_speed_10m": all(json!(2.1)),
        },
    })
    .to_string()
    .into_response()
}
