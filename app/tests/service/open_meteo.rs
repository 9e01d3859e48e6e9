//! Forecasts of Open-Meteo through the whole service.

use crate::support::open_meteo_server::OpenMeteo;
use crate::support::{get, post, service, settings};
use crate::wxtech::TOKYO;
use axum::Router;
use axum::http::StatusCode;
use config::service::{App, WeatherSource};
use tempfile::TempDir;

async fn desk(code: u8) -> (Router, OpenMeteo, TempDir) {
    let (folder, server) = (TempDir::new().unwrap(), OpenMeteo::start(code).await);
    let base = Some(server.base.clone());
    let settings = App { weather: WeatherSource::OpenMeteo, open_meteo_base_url: base, ..settings(folder.path()) };
    (app::server::api_router(service(&settings)), server, folder)
}

#[tokio::test]
async fn an_answer_in_its_documented_shape_becomes_a_comment_and_is_remembered() {
    let (router, server, _folder) = desk(3).await;
    let json = post(&router, "/api/generate", TOKYO).await.json();
    assert_eq!((json["weather_source"].as_str(), json["found"].as_str()), (Some("open-meteo"), Some("source")));
    let slots = json["day"]["slots"].as_array().unwrap();
    assert!(slots.len() == 4 && slots.iter().all(|slot| slot["sky"] == "cloudy" && slot["wind"] == 2.1), "{json}");
    assert_eq!(post(&router, "/api/generate", TOKYO).await.json()["found"], "memory");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn failures_mean_the_same_as_everywhere() {
    for (status, times, part) in [(400, 1, "as the test wants it"), (500, 3, "status 500"), (429, 3, "asks to wait")] {
        let (router, server, _folder) = desk(0).await;
        server.play(status, None);
        let answer = post(&router, "/api/generate", TOKYO).await;
        assert!(answer.status.is_server_error() && answer.body.contains(part), "{}", answer.body);
        assert_eq!(server.asked(), times, "{status}");
    }
}

#[tokio::test]
async fn hours_of_nulls_are_counted_and_are_no_forecast() {
    let (router, server, _folder) = desk(0).await;
    server.play(200, None);
    let answer = post(&router, "/api/generate", TOKYO).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains("no hour of the day"), "{}", answer.body);
    assert_eq!(server.asked(), 2);
    assert!(get(&router, "/metrics").await.body.contains("forecast_rows_skipped_total 48\n"));
}
