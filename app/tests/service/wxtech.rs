//! Forecasts of WxTech through the whole service: every kind of weather, every way to fail.

use std::path::Path;

use crate::support::log::Log;
use crate::support::wxtech_server::{Hour, Scenario, WxTech, hour, row};
use crate::support::{Answer, KEY, get, post, service, settings};
use axum::http::StatusCode;
use config::service::{App, WeatherSource};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The settings of a service over a WxTech.
pub(crate) fn over(server: &WxTech, folder: &Path) -> App {
    let base = Some(server.base.clone());
    App { weather: WeatherSource::WxTech, wxtech_base_url: base, ..settings(folder) }
}

pub(crate) const TOKYO: &str = r#"{"location":"東京"}"#;

/// What a service said over a WxTech that plays a scenario.
struct Played {
    answer: Answer,
    asked: Vec<String>,
    metrics: String,
}

async fn ask(scenario: Scenario) -> Played {
    let (log, _guard) = Log::collect();
    let (folder, server) = (TempDir::new().unwrap(), WxTech::start(scenario).await);
    let router = app::server::api_router(service(&over(&server, folder.path())));
    let answer = post(&router, "/api/generate", TOKYO).await;
    let metrics = get(&router, "/metrics").await.body;
    for text in [&answer.body, &metrics, &log.text()] {
        assert!(!text.contains(KEY), "the key is shown: {text}");
    }
    Played { answer, asked: server.asked(), metrics }
}

fn column(answer: &Answer, name: &str) -> Vec<Value> {
    let slots = answer.json()["day"]["slots"].as_array().cloned().unwrap_or_default();
    slots.iter().map(|slot| slot[name].clone()).collect()
}

#[tokio::test]
async fn every_kind_of_weather_arrives_as_its_sky_and_gets_a_comment() {
    let cases: [(Hour, &str); 21] = [
        (hour("100", 12.0, 0.0), "sunny"),
        (hour("600", 12.0, 0.0), "thin_cloud"),
        (hour("200", 12.0, 0.0), "cloudy"),
        (hour("300", 12.0, 0.1), "rain"),
        (hour("650", 12.0, 0.4), "rain"),
        (hour("300", 12.0, 9.9), "rain"),
        (hour("300", 12.0, 10.0), "heavy_rain"),
        (hour("300", 12.0, 10.1), "heavy_rain"),
        (hour("306", 15.0, 20.0), "heavy_rain"),
        (hour("800", 15.0, 5.0), "thunder"),
        (hour("209", 8.0, 0.0), "fog"),
        (hour("231", 8.0, 0.0), "fog"),
        (hour("850", 18.0, 25.0), "storm"),
        (hour("400", -1.0, 0.8), "snow"),
        (hour("400", -5.0, 0.8), "snow"),
        (hour("405", -3.0, 3.0), "heavy_snow"),
        (hour("430", 1.0, 0.8), "sleet"),
        (hour("217", 0.0, 0.8), "snow"),
        (hour("550", 37.0, 0.0), "extreme_heat"),
        (hour("550", 35.0, 0.0), "extreme_heat"),
        (hour("550", 34.9, 0.0), "sunny"),
    ];
    for (hour, sky) in cases {
        let Played { answer, asked, .. } = ask(Scenario::Steady(hour)).await;
        assert_eq!((answer.status, asked.len()), (StatusCode::OK, 1), "{hour:?}: {}", answer.body);
        assert_eq!(column(&answer, "sky"), [sky; 4], "{hour:?}");
        let json = answer.json();
        assert_eq!(json["weather_source"], "wxtech");
        assert!(json["comment"].as_str().is_some_and(|comment| comment.contains('\u{3000}')), "{hour:?}");
    }
}

#[tokio::test]
async fn numbers_at_the_edge_of_a_rule_arrive_as_they_are() {
    for (wind, humidity) in [(15.1, 80.0), (15.0, 79.0)] {
        let edge = Hour { wind, humidity, ..hour("100", -5.0, 0.0) };
        let Played { answer, .. } = ask(Scenario::Steady(edge)).await;
        assert_eq!(column(&answer, "wind"), vec![json!(wind); 4]);
        assert_eq!(column(&answer, "humidity"), vec![json!(humidity); 4]);
        assert_eq!(column(&answer, "temperature"), vec![json!(-5.0); 4]);
    }
}

#[tokio::test]
async fn one_wet_slot_is_one_wet_slot() {
    let slots = [hour("100", 10.0, 0.0), hour("102", 13.0, 1.2), hour("101", 13.0, 0.0), hour("100", 10.0, 0.0)];
    let Played { answer, .. } = ask(Scenario::Slots(slots)).await;
    assert_eq!(column(&answer, "sky"), ["sunny", "rain", "thin_cloud", "sunny"]);
}

#[tokio::test]
async fn the_question_carries_the_place_the_hours_and_the_key() {
    let Played { answer, asked, .. } = ask(Scenario::Seeded).await;
    assert_eq!(answer.status, StatusCode::OK);
    // From ten in the morning to six in the evening of the next day, and one more.
    let [asked] = &asked[..] else { panic!("{asked:?}") };
    assert!(asked.starts_with("lat=35.") && asked.contains("&lon=139.") && asked.ends_with("&hours=34"), "{asked}");
}

#[tokio::test]
async fn a_slot_without_a_row_nearby_is_missing_and_never_borrowed() {
    let Played { answer, .. } = ask(Scenario::Without(&[14, 15, 16, 17, 18, 19])).await;
    assert_eq!(column(&answer, "hour"), [9, 12]);
    let Played { answer, .. } = ask(Scenario::Without(&[15, 18])).await;
    assert_eq!(column(&answer, "hour"), [9, 12, 15, 18], "the rows of an hour before or after serve");
}

#[tokio::test]
async fn bad_rows_are_left_out_and_counted() {
    let day = jiff::civil::date(2026, 11, 25);
    let mut rows: Vec<_> = [9, 12].map(|at| row(day.at(at, 0, 0, 0), hour("100", 12.0, 0.0))).into();
    // The same hour twice is no problem; the others are.
    rows.push(rows[0].clone());
    let broken = [
        r#"{"date":"soon","wx":"100","temp":1}"#,
        r#"{"date":"2026-11-25T15:00:00+09:00","wx":"100"}"#,
        r#"{"date":"2026-11-25T18:00:00+09:00","wx":"777","temp":1}"#,
        r#"{"date":"2026-11-25T18:00:00+09:00","wx":"100","temp":99}"#,
    ];
    rows.extend(broken.map(|row| serde_json::from_str::<Value>(row).unwrap()));
    let body = json!({"wxdata": [{"srf": rows}]}).to_string();
    let Played { answer, metrics, .. } = ask(Scenario::Body(200, body)).await;
    assert_eq!(column(&answer, "sky"), ["sunny", "sunny"], "{}", answer.body);
    assert!(metrics.contains("forecast_rows_skipped_total 4\n"), "{metrics}");
}

#[tokio::test]
async fn what_is_no_forecast_is_a_problem_with_its_reason() {
    let daily = r#"{"wxdata":[{"mrf":[{"date":"2026-11-25T00:00:00+09:00","wx":"101","maxtemp":12}]}]}"#;
    let echo = format!(r#"{{"message":"{KEY} may not ask"}}"#);
    let body = |status, body: &str| Scenario::Body(status, body.to_owned());
    let cases = [
        (body(200, r#"{"wxdata":[]}"#), 1, "unreadable", "it holds no place"),
        (body(200, "{}"), 1, "unreadable", "it holds no place"),
        (body(200, daily), 2, "empty", "no hour of the day"),
        (Scenario::OnlyFirst(3), 2, "empty", "no hour of the day"),
        (body(200, r#"{"wxdata":[{"srf":[{"date":"20"#), 1, "unreadable", "cannot be read"),
        (body(200, r#"{"error":"bad_request","message":"no such mesh"}"#), 1, "refused", "no such mesh"),
        (body(200, r#"{"error":"api_key_invalid"}"#), 1, "key_refused", "does not accept the key"),
        (body(400, r#"{"message":"lat is wrong"}"#), 1, "refused", "lat is wrong"),
        (body(422, &echo), 1, "refused", "(the key) may not ask"),
        (body(401, ""), 1, "key_refused", "does not accept the key"),
        (body(403, ""), 1, "key_refused", "does not accept the key"),
        (body(404, ""), 1, "no_data", "no forecast for this place"),
        (body(500, ""), 3, "failed", "failed with status 500"),
        (body(504, ""), 3, "failed", "failed with status 504"),
    ];
    for (scenario, times, outcome, part) in cases {
        let Played { answer, asked, metrics } = ask(scenario.clone()).await;
        assert_eq!((answer.status, asked.len()), (StatusCode::BAD_GATEWAY, times), "{scenario:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(part), "{detail:?} does not say {part:?}");
        let row = format!("weather_service_questions_total{{outcome=\"{outcome}\"}} {times}\n");
        assert!(metrics.contains(&row), "{row} is not in {metrics}");
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for status in [429, 500, 502, 503, 504] {
        for (failures, code) in [(1, StatusCode::OK), (2, StatusCode::OK)] {
            let Played { answer, asked, .. } = ask(Scenario::Fails(status, failures)).await;
            assert_eq!((answer.status, asked.len()), (code, failures + 1), "{status}");
        }
    }
    let Played { answer, asked, .. } = ask(Scenario::Body(429, String::new())).await;
    assert_eq!((answer.status, asked.len()), (StatusCode::SERVICE_UNAVAILABLE, 3));
    assert_eq!(answer.json()["title"], "weather service busy");
}

#[tokio::test]
async fn the_key_goes_nowhere_else() {
    let elsewhere = WxTech::start(Scenario::Seeded).await;
    let Played { answer, .. } = ask(Scenario::Redirects(format!("{}/api/v1/ss1wx", elsewhere.base))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains("status 302"), "{}", answer.body);
    assert!(elsewhere.asked().is_empty());
}

/// Nothing but time passes here, so the order of socket and clock does not matter.
#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_is_given_up() {
    let Played { answer, .. } = ask(Scenario::Hangs).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains("cannot be reached"), "{}", answer.body);
}

#[tokio::test]
async fn a_place_without_data_fails_alone() {
    let (folder, server) = (TempDir::new().unwrap(), WxTech::start(Scenario::NothingSouthOf(25.0)).await);
    let router = app::server::api_router(service(&over(&server, folder.path())));
    let question = r#"{"locations":["東京","与那国島","札幌","福岡"]}"#;
    let json = post(&router, "/api/generate/bulk", question).await.json();
    let success: Vec<_> = json["results"].as_array().unwrap().iter().map(|result| result["success"].clone()).collect();
    assert_eq!(success, [true, false, true, true]);
    assert!(json["results"][1]["error"].as_str().is_some_and(|error| error.contains("no forecast for this place")));
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn without_a_key_the_service_does_not_start_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let settings = App { weather: WeatherSource::WxTech, ..settings(folder.path()) };
    let Err(error) = app::server::service(&settings, &config::service::Secrets::default()) else {
        panic!("it started without a key");
    };
    let text = error.to_string();
    assert!(text.contains("WXTECH_API_KEY") && text.contains("provision secrets set WXTECH_API_KEY"), "{text}");
}
