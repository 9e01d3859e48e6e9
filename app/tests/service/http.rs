//! The service as its users meet it: page, API, health; on sample days at a fixed time.

use std::collections::BTreeSet;

use crate::support::{get, post, service, settings};
use axum::Router;
use axum::http::StatusCode;
use tempfile::TempDir;

struct Desk {
    page: Router,
    api: Router,
    _folder: TempDir,
}

fn desk() -> Desk {
    let folder = TempDir::new().unwrap();
    let service = service(&settings(folder.path()));
    Desk { page: app::server::page_router(service.clone()), api: app::server::api_router(service), _folder: folder }
}

#[tokio::test]
async fn the_page_lists_every_place_and_works_without_javascript() {
    let desk = desk();
    let page = get(&desk.page, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    for name in ["稚内", "東京", "大阪", "与那国島"] {
        assert!(page.body.contains(name), "{name} is missing");
    }
    assert!(page.body.contains("2026-11-25") && page.body.contains("見本の天気"), "the day and the source are named");
    assert_eq!(page.body.matches("type=\"checkbox\"").count(), 142);
    let page = get(&desk.page, "/?place=%E6%9D%B1%E4%BA%AC&place=%E5%A4%A7%E9%98%AA").await;
    assert_eq!(page.body.matches("<tr data-place=").count(), 2, "{}", page.body);
    assert_eq!(page.body.matches("class=\"slot\"").count(), 8);
}

#[tokio::test]
async fn what_somebody_types_is_never_markup() {
    let page = get(&desk().page, "/?place=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

#[tokio::test]
async fn nothing_is_loaded_from_elsewhere_and_nothing_may_be() {
    let desk = desk();
    for path in ["/", "/assets/page.css", "/assets/page.js"] {
        let answer = get(&desk.page, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let outside = answer.body.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("http://") && !outside.contains("https://"), "{path} names another host");
    }
    assert!(!get(&desk.page, "/").await.header("x-request-id").is_empty());
}

#[tokio::test]
async fn a_comment_comes_with_its_forecast_its_reasons_and_alternatives() {
    let answer = post(&desk().api, "/api/generate", r#"{"location":"東京"}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    let json = answer.json();
    assert_eq!((json["success"].as_bool(), json["location"].as_str()), (Some(true), Some("東京")));
    assert_eq!(json["day"]["date"], "2026-11-25");
    assert_eq!(json["day"]["slots"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["chosen_by"], "rules");
    assert!(json["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()));
    let pair = (json["pair"]["weather"].as_str().unwrap(), json["pair"]["advice"].as_str().unwrap());
    assert_eq!(json["comment"], format!("{}\u{3000}{}", pair.0, pair.1));
    let alternatives = json["alternatives"].as_array().unwrap();
    assert_eq!(alternatives.len(), 5);
    assert!(alternatives.iter().all(|other| other["id"] != json["pair"]["id"]));
}

#[tokio::test]
async fn another_one_is_another_one() {
    let desk = desk();
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        let exclude = serde_json::to_string(&seen).unwrap();
        let answer = post(&desk.api, "/api/generate", format!(r#"{{"location":"大阪","exclude":{exclude}}}"#)).await;
        assert!(seen.insert(answer.json()["pair"]["id"].as_str().unwrap().to_owned()), "it came again");
    }
}

#[tokio::test]
async fn bad_questions_are_problems_that_help() {
    let desk = desk();
    let unknown = post(&desk.api, "/api/generate", r#"{"location":"東"}"#).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.header("content-type"), "application/problem+json");
    assert!(unknown.json()["suggestions"].as_array().unwrap().contains(&"東京".into()), "{}", unknown.body);
    for (path, body, status) in [
        ("/api/generate", "{", StatusCode::BAD_REQUEST),
        ("/api/generate", "{}", StatusCode::UNPROCESSABLE_ENTITY),
        ("/api/generate/bulk", r#"{"locations":[]}"#, StatusCode::UNPROCESSABLE_ENTITY),
        ("/api/generate/bulk", r#"{"locations":"some"}"#, StatusCode::UNPROCESSABLE_ENTITY),
        ("/api/nothing", "{}", StatusCode::NOT_FOUND),
    ] {
        let answer = post(&desk.api, path, body).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{path} {body}"
        );
    }
    let large = format!(r#"{{"location":"{}"}}"#, "あ".repeat(40_000));
    assert_eq!(post(&desk.api, "/api/generate", large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_batch_of_all_places_has_142_different_pairs_and_one_failure_fails_alone() {
    let desk = desk();
    let all = post(&desk.api, "/api/generate/bulk", r#"{"locations":"all"}"#).await.json();
    assert_eq!((all["total"].as_u64(), all["success_count"].as_u64()), (Some(142), Some(142)));
    let results = all["results"].as_array().unwrap();
    let pairs: BTreeSet<_> = results.iter().map(|it| it["result"]["comment"].to_string()).collect();
    assert_eq!(pairs.len(), 142);
    assert_eq!(results[0]["location"], "稚内");
    let some = post(&desk.api, "/api/generate/bulk", r#"{"locations":["東京","天国","東京"]}"#).await.json();
    assert_eq!((some["total"].as_u64(), some["success_count"].as_u64()), (Some(2), Some(1)));
    assert!(some["results"][1]["error"].as_str().is_some_and(|error| error.contains("天国")));
}

#[tokio::test]
async fn a_stream_ends_with_done() {
    let answer = get(&desk().api, "/api/generate/stream?locations=%E6%9D%B1%E4%BA%AC,%E5%A4%A7%E9%98%AA").await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.body.matches("data: {\"success\":true").count(), 2, "{}", answer.body);
    assert!(answer.body.trim_end().ends_with("event: done\ndata: {}"), "{}", answer.body);
}

#[tokio::test]
async fn what_was_made_is_in_the_history_and_counted() {
    let desk = desk();
    post(&desk.api, "/api/generate", r#"{"location":"東京"}"#).await;
    post(&desk.api, "/api/generate", r#"{"location":"天国"}"#).await;
    let history = get(&desk.api, "/api/history?limit=5").await.json();
    let history = history["history"].as_array().unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["location"], "東京");
    let metrics = get(&desk.page, "/metrics").await.body;
    assert!(metrics.contains("comments_total{outcome=\"made\"} 1\n"), "{metrics}");
    assert!(metrics.contains("comments_total{outcome=\"failed\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn both_listeners_say_how_they_are_and_what_there_is() {
    let desk = desk();
    for router in [&desk.page, &desk.api] {
        for path in ["/health", "/health/live", "/health/ready"] {
            assert_eq!(get(router, path).await.json()["status"], "ok", "{path}");
        }
        assert_eq!(get(router, "/api/locations").await.json()["locations"].as_array().map(Vec::len), Some(142));
        assert_eq!(get(router, "/api/providers").await.json()["providers"][0]["id"], "rules");
    }
    assert_eq!(get(&desk.api, "/").await.status, StatusCode::NOT_FOUND);
}
