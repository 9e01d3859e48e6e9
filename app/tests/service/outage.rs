//! A weather service that is down: said to be down, left alone, and no reason to wait.

use crate::support::wxtech_server::{Scenario, WxTech, hour};
use crate::support::{Answer, get, post, service};
use crate::wxtech::over;
use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Desk {
    page: Router,
    api: Router,
    server: WxTech,
    _folder: TempDir,
}

async fn desk(scenario: Scenario) -> Desk {
    let (folder, server) = (TempDir::new().unwrap(), WxTech::start(scenario).await);
    let service = service(&over(&server, folder.path()));
    let (page, api) = (app::server::page_router(service.clone()), app::server::api_router(service));
    Desk { page, api, server, _folder: folder }
}

impl Desk {
    async fn ask(&self, place: &str) -> Answer {
        post(&self.api, "/api/generate", json!({ "location": place }).to_string()).await
    }

    async fn generate(&self, place: &str) -> (StatusCode, Value) {
        let answer = self.ask(place).await;
        (answer.status, answer.json())
    }
}

#[tokio::test]
async fn after_three_places_in_vain_it_is_said_to_be_down_and_left_alone() {
    let desk = desk(Scenario::Body(503, String::new())).await;
    assert_eq!(get(&desk.api, "/health/ready").await.json()["weather_down"], Value::Null);
    for place in ["東京", "大阪", "札幌"] {
        assert_eq!(desk.generate(place).await.0, StatusCode::BAD_GATEWAY);
    }
    assert_eq!(desk.server.asked().len(), 9);
    let answer = desk.ask("福岡").await;
    let problem = answer.json();
    assert_eq!((answer.status, &problem["title"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("weather service down")));
    assert!(problem["retry_after_seconds"].as_u64().is_some_and(|seconds| (1..=30).contains(&seconds)), "{problem}");
    assert_eq!(problem["retry_after_seconds"].to_string(), answer.header("retry-after"));
    assert_eq!(desk.server.asked().len(), 9, "and it is not asked");

    let health = get(&desk.api, "/health/ready").await;
    assert_eq!(health.status, StatusCode::OK, "another task would fare no better");
    assert!(health.json()["weather_down"].as_str().is_some_and(|reason| reason.contains("503")), "{}", health.body);
    assert!(get(&desk.api, "/metrics").await.body.contains("weather_service_down 1\n"));
    let providers = get(&desk.api, "/api/providers").await.json();
    assert!(providers["weather_down"].as_str().is_some_and(|reason| reason.contains("503")), "{providers}");
    let page = get(&desk.page, "/").await.body;
    assert!(page.contains("天気データを取得できません") && page.contains("503"), "{page}");
}

#[tokio::test]
async fn the_page_says_in_japanese_why_there_is_no_comment_and_what_to_do() {
    let tokyo = "/?place=%E6%9D%B1%E4%BA%AC";
    for (status, reason) in [
        (400, "天気データの提供元が問い合わせを受け付けません。管理者に知らせてください。"),
        (401, "天気データの提供元がAPIキーを受け付けません。管理者に知らせてください。"),
        (404, "天気データの提供元にこの地点の予報がありません。管理者に知らせてください。"),
    ] {
        let page = get(&desk(Scenario::Body(status, String::new())).await.page, tokyo).await.body;
        assert!(page.contains(&format!("<strong>東京</strong>　{reason} <small>the weather service")), "{page}");
    }
    let down = desk(Scenario::Body(401, String::new())).await;
    get(&down.page, tokyo).await;
    let page = get(&down.page, tokyo).await.body;
    assert!(
        page.contains("天気データの提供元が止まっています。") && page.contains("秒後からもう一度作れます。"),
        "{page}"
    );
    let unknown = get(&down.page, "/?place=%E6%9D%B1").await.body;
    assert!(
        unknown.contains("<strong>東</strong>　一覧にない地点です。もしかして：") && unknown.contains("東京"),
        "{unknown}"
    );
}

#[tokio::test]
async fn an_hour_without_a_forecast_keeps_its_place_on_the_page() {
    let desk = desk(Scenario::Without(&[8, 9, 10, 17, 18, 19])).await;
    let page = get(&desk.page, "/?place=%E6%9D%B1%E4%BA%AC").await.body;
    let cells: Vec<_> = page.split("<td class=\"slot\">").skip(1).map(|cell| cell.contains("予報なし")).collect();
    assert_eq!(cells, [true, false, false, true], "{page}");
    assert!(page.contains("予報のない時刻あり"), "{page}");
}

#[tokio::test]
async fn a_batch_does_not_wait_142_times() {
    let desk = desk(Scenario::Body(500, String::new())).await;
    let json = post(&desk.api, "/api/generate/bulk", r#"{"locations":"all"}"#).await.json();
    assert_eq!((json["total"].as_u64(), json["success_count"].as_u64()), (Some(142), Some(0)));
    let asked = desk.server.asked().len();
    // Four are worked on at a time, so up to three more may be on their way when the third has failed.
    assert!((9..=18).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_refused_key_is_refused_for_every_place() {
    let desk = desk(Scenario::Body(401, String::new())).await;
    assert_eq!(desk.generate("東京").await.0, StatusCode::BAD_GATEWAY);
    let (status, problem) = desk.generate("大阪").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("does not accept the key")), "{problem}");
    assert_eq!(desk.server.asked().len(), 1);
}

#[tokio::test]
async fn what_is_known_is_still_served_while_it_is_down() {
    let desk = desk(Scenario::Steady(hour("100", 12.0, 0.0))).await;
    assert_eq!(desk.generate("東京").await.0, StatusCode::OK);
    desk.server.play(Scenario::Body(403, String::new()));
    assert_eq!(desk.generate("大阪").await.0, StatusCode::BAD_GATEWAY);
    let (status, comment) = desk.generate("東京").await;
    assert_eq!((status, &comment["found"]), (StatusCode::OK, &json!("memory")));
}

#[tokio::test]
async fn places_without_data_are_no_outage() {
    let desk = desk(Scenario::Body(404, String::new())).await;
    for place in ["東京", "大阪", "札幌", "福岡"] {
        assert_eq!(desk.generate(place).await.0, StatusCode::BAD_GATEWAY);
    }
    assert_eq!(desk.server.asked().len(), 4);
    assert_eq!(get(&desk.api, "/health/ready").await.json()["weather_down"], Value::Null);
}
