//! The service as its users meet it: page, API, health; on sample days at a fixed time.

use std::collections::BTreeSet;

use crate::support::{get, post, send, service, settings};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use config::places::Places;
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
    for place in Places::embedded().all() {
        let boxed = format!("name=\"place\" value=\"{}\"", place.name);
        assert_eq!(page.body.matches(&boxed).count(), 1, "{}", place.name);
    }
    assert!(page.body.contains("2026-11-25") && page.body.contains("見本の天気"), "the day and the source are named");
    assert_eq!(page.body.matches("type=\"checkbox\"").count(), 142);
    assert!(page.body.contains("<form action=\"/\" method=\"get\"") && page.body.contains("<button type=\"submit\""));
    let page = get(&desk.page, "/?place=%E6%9D%B1%E4%BA%AC&place=%E5%A4%A7%E9%98%AA").await;
    assert_eq!(page.body.matches("<tr data-place=").count(), 2, "{}", page.body);
    assert_eq!(page.body.matches("class=\"slot\"").count(), 8);
    // The results come first; what was chosen is counted, and not opened above them.
    assert!(!page.body.contains("<details open>") && page.body.contains("関東 <small>1/18</small>"), "{}", page.body);
}

#[tokio::test]
async fn what_somebody_types_is_never_markup() {
    let page = get(&desk().page, "/?place=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!page.body.contains("<script>alert") && page.body.contains("script&#62;"), "{}", page.body);
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
}

#[tokio::test]
async fn every_answer_is_guarded_and_has_a_number_also_when_it_is_an_error() {
    let desk = desk();
    for (router, path, status) in [
        (&desk.page, "/", StatusCode::OK),
        (&desk.page, "/nothing", StatusCode::NOT_FOUND),
        (&desk.api, "/api/locations", StatusCode::OK),
        (&desk.api, "/nothing", StatusCode::NOT_FOUND),
        (&desk.api, "/api/generate", StatusCode::METHOD_NOT_ALLOWED),
        (&desk.api, "/api/history?limit=many", StatusCode::BAD_REQUEST),
        (&desk.api, "/metrics", StatusCode::OK),
    ] {
        let answer = get(router, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    let (one, other) = (get(&desk.api, "/health").await, get(&desk.api, "/health").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    let request = Request::get("/health").header("x-request-id", "from-the-load-balancer").body(Body::empty()).unwrap();
    assert_eq!(send(&desk.api, request).await.header("x-request-id"), "from-the-load-balancer");
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
async fn what_an_editor_takes_is_kept_by_either_listener_if_it_was_offered() {
    let desk = desk();
    let take = |place: &str, id: &str| serde_json::json!({ "location": place, "id": id }).to_string();
    let early = post(&desk.page, "/take", take("東京", "w0001-a0001")).await;
    assert_eq!((early.status, early.header("content-type")), (StatusCode::CONFLICT, "application/problem+json"));
    let offered = post(&desk.api, "/api/generate", r#"{"location":"東京"}"#).await.json();
    for (router, path, index) in [(&desk.page, "/take", 1), (&desk.api, "/api/take", 2)] {
        let taken = &offered["alternatives"][index];
        let answer = post(router, path, take("東京", taken["id"].as_str().unwrap())).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""));
        let last = get(&desk.api, "/api/history?limit=1").await.json()["history"][0].clone();
        assert_eq!((&last["pair"]["id"], &last["chosen_by"]), (&taken["id"], &"editor".into()));
    }
    assert_eq!(post(&desk.page, "/take", take("東", "w0001-a0001")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(post(&desk.page, "/take", "{}").await.status, StatusCode::UNPROCESSABLE_ENTITY);
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
    for (path, status) in [
        ("/api/history?limit=many", StatusCode::BAD_REQUEST),
        ("/api/generate/stream", StatusCode::BAD_REQUEST),
        ("/api/generate/stream?locations=", StatusCode::UNPROCESSABLE_ENTITY),
        ("/api/generate", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = get(&desk.api, path).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, "application/problem+json"), "{path}");
    }
    assert_eq!(get(&desk.api, "/api/generate").await.header("allow"), "POST");
    let many: Vec<_> = (0..143).map(|number| number.to_string()).collect();
    let many = post(&desk.api, "/api/generate/bulk", serde_json::json!({ "locations": many }).to_string()).await;
    assert_eq!((many.status, &many.json()["title"]), (StatusCode::UNPROCESSABLE_ENTITY, &"too many places".into()));
    let untyped = Request::post("/api/generate").body(Body::from(r#"{"location":"東京"}"#)).unwrap();
    let untyped = send(&desk.api, untyped).await;
    assert_eq!(
        (untyped.status, untyped.header("content-type")),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "application/problem+json")
    );
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
async fn a_choice_explains_itself_and_so_does_what_was_not_chosen() {
    let desk = desk();
    let chosen = post(&desk.api, "/api/generate", r#"{"location":"東京"}"#).await.json();
    assert!(chosen["rejected"]["H1"].as_u64().is_some_and(|count| count > 0));
    for pair in std::iter::once(&chosen["pair"]).chain(chosen["alternatives"].as_array().unwrap()) {
        let (why, score) = (&pair["why"], pair["score"].as_f64().unwrap());
        let verdicts = why["verdicts"].as_array().unwrap();
        assert!(verdicts.len() == 3 && verdicts.iter().all(|verdict| verdict["rejected"].is_null()), "{pair}");
        let points: f64 = why["points"].as_object().unwrap().values().filter_map(serde_json::Value::as_f64).sum();
        assert!((points - score).abs() < 1e-9, "{pair}");
        let reasons = why["reasons"].as_array().unwrap();
        assert!(reasons.iter().any(|it| it.as_str().unwrap().starts_with(&format!("得点{score:.2}："))), "{pair}");
    }
    let page = get(&desk.page, "/?place=%E6%9D%B1%E4%BA%AC").await.body;
    assert_eq!(page.matches("得点").count(), 6, "the pair and its five alternatives say why");
    assert!(page.contains("傾向：") && page.matches("天気：").count() == 6, "{page}");
    let tokyo = "/api/explain?location=%E6%9D%B1%E4%BA%AC&id=";
    let pair = get(&desk.api, &format!("{tokyo}{}", chosen["pair"]["id"].as_str().unwrap())).await.json();
    assert!(pair["rejected"].is_null(), "{pair}");
    // No sample day of Tokyo in its season is one of heavy snow.
    let snow = get(&desk.api, &format!("{tokyo}w0127")).await.json();
    assert_eq!((&snow["text"], &snow["rejected"]), (&"大雪に警戒".into(), &"H1".into()), "{snow}");
    assert!(snow["checks"].as_array().unwrap().iter().any(|check| check["rule"] == "H6" && check["kept"] == false));
    let unknown = get(&desk.api, &format!("{tokyo}w9999")).await;
    assert_eq!((unknown.status, unknown.header("content-type")), (StatusCode::NOT_FOUND, "application/problem+json"));
    assert_eq!(get(&desk.api, "/api/explain").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_stream_is_in_the_order_of_the_question_and_ends_with_done() {
    let answer = get(&desk().api, "/api/generate/stream?locations=%E6%9D%B1%E4%BA%AC,%E5%A4%A7%E9%98%AA").await;
    let at = |place: &str| answer.body.find(&format!("\"location\":\"{place}\"")).unwrap();
    assert!(at("東京") < at("大阪"), "{}", answer.body);
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
    assert!(metrics.contains("comments_total{outcome=\"failed\"} 0\n"), "{metrics}");
    assert!(metrics.contains("comments_total{outcome=\"refused\"} 1\n"), "{metrics}");
    for place in ["大阪", "札幌"] {
        post(&desk.api, "/api/generate", format!(r#"{{"location":"{place}"}}"#)).await;
    }
    let latest = get(&desk.api, "/api/history?limit=2").await.json();
    let latest: Vec<_> =
        latest["history"].as_array().unwrap().iter().map(|result| result["location"].clone()).collect();
    assert_eq!(latest, ["札幌", "大阪"]);
}

#[tokio::test]
async fn both_listeners_say_how_they_are_and_what_there_is() {
    let desk = desk();
    for router in [&desk.page, &desk.api] {
        let metrics = get(router, "/metrics").await;
        assert!(metrics.body.contains("comments_total{outcome=\"made\"} 0\n"), "{}", metrics.body);
        for path in ["/health", "/health/live", "/health/ready"] {
            assert_eq!(get(router, path).await.json()["status"], "ok", "{path}");
        }
    }
    assert_eq!(get(&desk.api, "/api/locations").await.json()["locations"].as_array().map(Vec::len), Some(142));
    assert_eq!(get(&desk.api, "/api/providers").await.json()["providers"][0]["id"], "rules");
    for (router, path) in [(&desk.api, "/"), (&desk.page, "/api/locations")] {
        assert_eq!(get(router, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
