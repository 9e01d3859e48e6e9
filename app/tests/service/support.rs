//! A service to ask, and servers that stand for the outside world; all on this machine.

pub(crate) mod llm_server;
pub(crate) mod log;
pub(crate) mod open_meteo_server;
pub(crate) mod wxtech_server;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::server;
use app::service::Service;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use config::llm::Llm;
use config::service::{App, Environment, LogFormat, Secrets, WeatherSource};
use serde_json::Value;
use tower::ServiceExt as _;

/// The settings of a service on sample days, at a fixed time, with its own folder.
pub(crate) fn settings(folder: &Path) -> App {
    App {
        environment: Environment::Local,
        page_addr: "127.0.0.1:0".parse().unwrap(),
        api_addr: "127.0.0.1:0".parse().unwrap(),
        weather: WeatherSource::Demo,
        open_meteo_base_url: None,
        wxtech_base_url: None,
        llm: Llm::default(),
        workers: 4,
        cache_dir: folder.to_owned(),
        memory_entries: 500,
        memory_ttl: Duration::from_secs(300),
        file_ttl: Duration::from_secs(21_600),
        spatial_radius_km: 10,
        history_days: 400,
        log_format: LogFormat::Text,
        log_filter: "warn".to_owned(),
        metrics_namespace: None,
        now: Some("2026-11-24T10:00:00+09:00".parse().unwrap()),
    }
}

/// The key that the service is given; nothing may ever show it.
pub(crate) const KEY: &str = "key-that-nobody-may-see";

/// Makes a service with a key for everything.
pub(crate) fn service(settings: &App) -> Arc<Service> {
    let secrets = Secrets::from_env(&|name| name.ends_with("_API_KEY").then(|| KEY.to_owned()));
    Arc::new(server::service(settings, &secrets).unwrap())
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let answer = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

pub(crate) async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(router: &Router, path: &str, body: impl Into<String>) -> Answer {
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body.into()));
    send(router, request.unwrap()).await
}
