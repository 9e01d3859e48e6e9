//! Forecasts of WxTech through the whole service: every kind of weather, every way to fail.

use crate::support::wxtech_server::{Hour, Scenario, WxTech, row};
use crate::support::{Answer, KEY, get, post, service, settings};
use axum::http::StatusCode;
use config::service::WeatherSource;
use serde_json::Value;
use tempfile::TempDir;

/// Asks a service over a WxTech that plays a scenario, once.
async fn ask(scenario: Scenario) -> (Answer, usize, String) {
    let (folder, server) = (TempDir::new().unwrap(), WxTech::start(scenario).await);
    let mut settings = settings(folder.path());
    settings.weather = WeatherSource::WxTech;
    settings.wxtech_base_url = Some(server.base.clone());
    let router = app::server::api_router(service(&settings));
    let answer = post(&router, "/api/generate", r#"{"location":"東京"}"#).await;
    let metrics = get(&router, "/metrics").await.body;
    assert!(!answer.body.contains(KEY) && !metrics.contains(KEY), "the key is shown");
    (answer, server.asked().len(), metrics)
}

fn skies(answer: &Answer) -> Vec<String> {
    let slots = answer.json()["day"]["slots"].as_array().cloned().unwrap_or_default();
    slots.iter().map(|slot| slot["sky"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn steady(hour: Hour) -> (Answer, Value) {
    let (answer, asked, _) = ask(Scenario::Steady(hour)).await;
    assert_eq!((answer.status, asked), (StatusCode::OK, 1), "{hour:?}: {}", answer.body);
    let json = answer.json();
    assert_eq!(json["weather_source"], "wxtech");
    assert_eq!(json["day"]["slots"].as_array().map(Vec::len), Some(4));
    (answer, json)
}

#[tokio::test]
async fn every_kind_of_weather_arrives_as_its_sky_and_gets_a_comment() {
    let cases: [(Hour, &str); 19] = [
        (("100", 12.0, 0.0), "sunny"),
        (("600", 12.0, 0.0), "thin_cloud"),
        (("200", 12.0, 0.0), "cloudy"),
        (("300", 12.0, 0.1), "rain"),
        (("650", 12.0, 0.4), "rain"),
        (("300", 12.0, 9.9), "rain"),
        (("300", 12.0, 10.0), "heavy_rain"),
        (("300", 12.0, 10.1), "heavy_rain"),
        (("306", 15.0, 20.0), "heavy_rain"),
        (("800", 15.0, 5.0), "thunder"),
        (("209", 8.0, 0.0), "fog"),
        (("231", 8.0, 0.0), "fog"),
        (("850", 18.0, 25.0), "storm"),
        (("400", -1.0, 0.8), "snow"),
        (("405", -3.0, 3.0), "heavy_snow"),
        (("430", 1.0, 0.8), "sleet"),
        (("217", 0.0, 0.8), "snow"),
        (("550", 35.0, 0.0), "extreme_heat"),
        (("550", 34.9, 0.0), "sunny"),
    ];
    for (hour, sky) in cases {
        let (answer, json) = steady(hour).await;
        assert_eq!(skies(&answer), [sky; 4], "{hour:?}");
        assert!(json["comment"].as_str().is_some_and(|comment| comment.contains('\u{3000}')), "{hour:?}");
    }
}

#[tokio::test]
async fn one_wet_slot_is_one_wet_slot() {
    let (answer, ..) =
        ask(Scenario::Slots([("100", 10.0, 0.0), ("102", 13.0, 1.2), ("101", 13.0, 0.0), ("100", 10.0, 0.0)])).await;
    assert_eq!(skies(&answer), ["sunny", "rain", "thin_cloud", "sunny"]);
}

#[tokio::test]
async fn the_question_carries_the_place_the_hours_and_the_key() {
    let (folder, server) = (TempDir::new().unwrap(), WxTech::start(Scenario::Steady(("100", 12.0, 0.0))).await);
    let mut settings = settings(folder.path());
    settings.weather = WeatherSource::WxTech;
    settings.wxtech_base_url = Some(server.base.clone());
    let router = app::server::api_router(service(&settings));
    assert_eq!(post(&router, "/api/generate", r#"{"location":"東京"}"#).await.status, StatusCode::OK);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    // From ten in the morning to six in the evening of the next day, and one more.
    assert!(
        asked[0].starts_with("lat=35.") && asked[0].contains("&lon=139.") && asked[0].ends_with("&hours=34"),
        "{asked:?}"
    );
    // The second question is answered from memory.
    let again = post(&router, "/api/generate", r#"{"location":"東京"}"#).await;
    assert_eq!((again.json()["found"].as_str(), server.asked().len()), (Some("memory"), 1));
}

#[tokio::test]
async fn bad_rows_are_left_out_and_counted() {
    let day = jiff::civil::date(2026, 11, 25);
    let mut rows: Vec<_> = [9, 12].map(|hour| row(day.at(hour, 0, 0, 0), ("100", 12.0, 0.0))).into();
    // The same hour twice is no problem; the others are.
    rows.push(rows[0].clone());
    let broken = [
        r#"{"date":"soon","wx":"100","temp":1}"#,
        r#"{"date":"2026-11-25T15:00:00+09:00","wx":"100"}"#,
        r#"{"date":"2026-11-25T18:00:00+09:00","wx":"777","temp":1}"#,
        r#"{"date":"2026-11-25T18:00:00+09:00","wx":"100","temp":99}"#,
    ];
    rows.extend(broken.map(|row| serde_json::from_str::<Value>(row).unwrap()));
    let body = serde_json::json!({"wxdata": [{"srf": rows}]}).to_string();
    let (answer, _, metrics) = ask(Scenario::Body(200, body)).await;
    assert_eq!(skies(&answer), ["sunny", "sunny"], "{}", answer.body);
    assert!(metrics.contains("forecast_rows_skipped_total 4\n"), "{metrics}");
}

#[tokio::test]
async fn what_is_no_forecast_is_a_problem_with_its_reason() {
    let cases = [
        (200, r#"{"wxdata":[]}"#, "it holds no place"),
        (
            200,
            r#"{"wxdata":[{"mrf":[{"date":"2026-11-25T00:00:00+09:00","wx":"101","maxtemp":12}]}]}"#,
            "no hour of the day",
        ),
        (200, r#"{"wxdata":[{"srf":[{"date":"20"#, "cannot be read"),
        (200, r#"{"error":"bad_request","message":"no such mesh"}"#, "no such mesh"),
        (400, r#"{"message":"lat is wrong"}"#, "lat is wrong"),
        (401, "", "does not accept the key"),
        (403, "", "does not accept the key"),
        (404, "", "no forecast for this place"),
    ];
    for (status, body, part) in cases {
        let (answer, asked, _) = ask(Scenario::Body(status, body.to_owned())).await;
        assert_eq!((answer.status, asked), (StatusCode::BAD_GATEWAY, 1), "{status} {body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(part), "{detail:?} does not say {part:?}");
    }
}

#[tokio::test]
async fn being_asked_to_wait_ends_well_when_the_wait_is_short() {
    let (answer, asked, _) = ask(Scenario::Once(429)).await;
    assert_eq!((answer.status, asked), (StatusCode::OK, 2));
    let (answer, asked, _) = ask(Scenario::Body(429, String::new())).await;
    assert_eq!((answer.status, asked), (StatusCode::SERVICE_UNAVAILABLE, 3));
}

#[tokio::test]
async fn an_old_forecast_beats_an_error_and_is_marked() {
    let (folder, server) = (TempDir::new().unwrap(), WxTech::start(Scenario::Steady(("100", 12.0, 0.0))).await);
    let mut settings = settings(folder.path());
    settings.weather = WeatherSource::WxTech;
    settings.wxtech_base_url = Some(server.base.clone());
    settings.file_ttl = std::time::Duration::ZERO;
    settings.memory_ttl = std::time::Duration::ZERO;
    let router = app::server::api_router(service(&settings));
    let question = r#"{"location":"東京"}"#;
    assert_eq!(post(&router, "/api/generate", question).await.json()["stale"], false);
    server.play(Scenario::Body(403, String::new()));
    let answer = post(&router, "/api/generate", question).await;
    assert_eq!((answer.status, answer.json()["stale"].as_bool()), (StatusCode::OK, Some(true)));
}

#[tokio::test]
async fn a_place_within_the_radius_serves_and_one_beyond_does_not() {
    let server = WxTech::start(Scenario::Steady(("100", 12.0, 0.0))).await;
    // Kyoto and Otsu are 9 km apart, and no other two places are within 10.
    for (radius, found) in [(10, "neighbour"), (5, "source"), (0, "source")] {
        let folder = TempDir::new().unwrap();
        let mut settings = settings(folder.path());
        settings.weather = WeatherSource::WxTech;
        settings.wxtech_base_url = Some(server.base.clone());
        settings.spatial_radius_km = radius;
        let router = app::server::api_router(service(&settings));
        let first = post(&router, "/api/generate", r#"{"location":"京都"}"#).await;
        assert_eq!(first.json()["found"], "source");
        let second = post(&router, "/api/generate", r#"{"location":"大津"}"#).await;
        assert_eq!((second.json()["found"].as_str(), second.json()["location"].as_str()), (Some(found), Some("大津")));
        let third = post(&router, "/api/generate", r#"{"location":"東京"}"#).await;
        assert_eq!(third.json()["found"], "source");
    }
}

#[test]
fn without_a_key_the_service_does_not_start_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(folder.path());
    settings.weather = WeatherSource::WxTech;
    let Err(error) = app::server::service(&settings, &config::service::Secrets::default()) else {
        panic!("it started without a key");
    };
    let text = error.to_string();
    assert!(text.contains("WXTECH_API_KEY") && text.contains("provision secrets set WXTECH_API_KEY"), "{text}");
}
