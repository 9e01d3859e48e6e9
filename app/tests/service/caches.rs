//! The layers over the source: memory, disk, neighbours, old forecasts, and the day before.

use std::time::Duration;

use crate::support::wxtech_server::{Scenario, WxTech, hour};
use crate::support::{get, post, service};
use crate::wxtech::{TOKYO, over};
use axum::Router;
use axum::http::StatusCode;
use config::service::App;
use serde_json::{Value, json};
use tempfile::TempDir;

async fn server() -> WxTech {
    WxTech::start(Scenario::Steady(hour("100", 12.0, 0.0))).await
}

/// A new process: it remembers nothing, and shares the disk.
fn task(settings: &App) -> Router {
    app::server::api_router(service(settings))
}

async fn generate(router: &Router, place: &str) -> Value {
    let answer = post(router, "/api/generate", json!({ "location": place }).to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

fn never_fresh(settings: App) -> App {
    App { file_ttl: Duration::ZERO, memory_ttl: Duration::ZERO, ..settings }
}

#[tokio::test]
async fn a_forecast_is_found_at_the_source_then_in_memory_and_by_another_task_on_the_disk() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let settings = over(&server, folder.path());
    let one = task(&settings);
    assert_eq!(generate(&one, "東京").await["found"], "source");
    assert_eq!(generate(&one, "東京").await["found"], "memory");
    let other = task(&settings);
    assert_eq!(generate(&other, "東京").await["found"], "file");
    assert_eq!(generate(&other, "東京").await["found"], "memory");
    assert_eq!(server.asked().len(), 1);
    let metrics = get(&other, "/metrics").await.body;
    for row in ["memory\"} 1", "file\"} 1", "source\"} 0", "neighbour\"} 0", "stale\"} 0", "failed\"} 0"] {
        assert!(metrics.contains(&format!("forecasts_total{{found=\"{row}\n")), "{row}: {metrics}");
    }
}

#[tokio::test]
async fn many_who_ask_at_once_cost_one_question() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let router = task(&over(&server, folder.path()));
    let answers = futures::future::join_all((0..20).map(|_| generate(&router, "東京"))).await;
    assert_eq!(answers.iter().filter(|answer| answer["found"] == "source").count(), 1);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_broken_is_fetched_again() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let settings = over(&server, folder.path());
    generate(&task(&settings), "東京").await;
    let path = folder.path().join("forecast/wxtech/2026-11-25-東京.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(generate(&task(&settings), "東京").await["found"], "source");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "and written again");
}

#[tokio::test]
async fn an_old_forecast_beats_an_error_and_is_marked() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let router = task(&never_fresh(over(&server, folder.path())));
    assert_eq!(generate(&router, "東京").await["stale"], false);
    server.play(Scenario::Body(404, String::new()));
    let old = generate(&router, "東京").await;
    assert_eq!((&old["stale"], &old["found"], old.get("neighbour")), (&json!(true), &json!("file"), None));
    let metrics = get(&router, "/metrics").await.body;
    assert!(metrics.contains("forecasts_total{found=\"stale\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_forecast_with_holes_is_not_kept_and_replaces_no_fuller_one() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let hours = |comment: &Value| comment["day"]["slots"].as_array().map(Vec::len);
    server.play(Scenario::Without(&[14, 15, 16, 17, 18, 19]));
    let settings = over(&server, folder.path());
    let holes = generate(&task(&settings), "東京").await;
    assert_eq!((&holes["found"], &holes["stale"], hours(&holes)), (&json!("source"), &json!(false), Some(2)));
    server.play(Scenario::Steady(hour("100", 12.0, 0.0)));
    let whole = generate(&task(&settings), "東京").await;
    assert_eq!((&whole["found"], hours(&whole)), (&json!("source"), Some(4)), "no file was in the way");

    server.play(Scenario::Without(&[14, 15, 16, 17, 18, 19]));
    let old = generate(&task(&never_fresh(settings.clone())), "東京").await;
    assert_eq!((&old["found"], &old["stale"], hours(&old)), (&json!("file"), &json!(true), Some(4)));
    let other = generate(&task(&settings), "東京").await;
    assert_eq!((&other["found"], hours(&other)), (&json!("file"), Some(4)), "the fuller one is still on the disk");
}

/// Kyoto and Otsu are 9 km apart, and no other two places are within 10.
#[tokio::test]
async fn a_place_within_the_radius_serves_from_memory_and_from_the_disk_and_is_named() {
    let server = server().await;
    for (radius, found) in [(10, "neighbour"), (5, "source"), (0, "source")] {
        let folder = TempDir::new().unwrap();
        let settings = App { spatial_radius_km: radius, ..over(&server, folder.path()) };
        let one = task(&settings);
        assert_eq!(generate(&one, "京都").await["found"], "source");
        for router in [&one, &task(&settings)] {
            let there = generate(router, "大津").await;
            assert_eq!((&there["found"], &there["location"]), (&json!(found), &json!("大津")), "{radius}");
            if found == "neighbour" {
                assert_eq!(there["neighbour"], json!({"place": "京都", "distance_km": 9.2}));
                assert_eq!(there["day"]["slots"].as_array().map(Vec::len), Some(4));
                let metrics = get(router, "/metrics").await.body;
                assert!(metrics.contains("forecasts_total{found=\"neighbour\"} 1\n"), "{metrics}");
            } else {
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_sea_makes_another_weather_however_near_it_is() {
    let server = server().await;
    // Toyama and Fushiki, 18 km apart, are both by the sea; Saga is, and Kurume, 21 km from it, is not.
    for (first, second, found) in
        [("富山", "伏木", "neighbour"), ("佐賀", "久留米", "source"), ("久留米", "佐賀", "source")]
    {
        let folder = TempDir::new().unwrap();
        let router = task(&App { spatial_radius_km: 22, ..over(&server, folder.path()) });
        generate(&router, first).await;
        assert_eq!(generate(&router, second).await["found"], found, "{first} {second}");
    }
}

#[tokio::test]
async fn a_mountain_makes_another_weather_however_near_it_is() {
    let server = server().await;
    // Kawaguchiko lies 587 m above Kofu, 26 km away. Nagano (418 m) and Matsumoto (610 m) differ by less than 200 m; Niihama's altitude is not known, and does not stand in the way.
    for (first, second, radius, found) in [
        ("甲府", "河口湖", 30, "source"),
        ("河口湖", "甲府", 30, "source"),
        ("長野", "松本", 55, "neighbour"),
        ("新居浜", "高松", 90, "neighbour"),
    ] {
        let folder = TempDir::new().unwrap();
        let router = task(&App { spatial_radius_km: radius, ..over(&server, folder.path()) });
        generate(&router, first).await;
        assert_eq!(generate(&router, second).await["found"], found, "{first} {second}");
    }
}

/// Otherwise it would depend on who is first.
#[tokio::test]
async fn places_of_one_batch_lend_each_other_nothing() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let router = task(&over(&server, folder.path()));
    let all = post(&router, "/api/generate/bulk", r#"{"locations":["京都","大津"]}"#).await.json();
    let found: Vec<_> = all["results"].as_array().unwrap().iter().map(|it| &it["result"]["found"]).collect();
    assert_eq!(found, ["source", "source"]);
    let folder = TempDir::new().unwrap();
    let router = task(&over(&server, folder.path()));
    generate(&router, "京都").await;
    let all = post(&router, "/api/generate/bulk", r#"{"locations":["東京","大津"]}"#).await.json();
    assert_eq!(all["results"][1]["result"]["found"], "neighbour", "of one that is not in the batch");
}

#[tokio::test]
async fn an_old_forecast_of_a_neighbour_beats_an_error_too_but_not_a_place_s_own() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let settings = never_fresh(over(&server, folder.path()));
    generate(&task(&settings), "京都").await;
    server.play(Scenario::Body(404, String::new()));
    let there = generate(&task(&settings), "大津").await;
    assert_eq!((&there["found"], &there["stale"]), (&json!("neighbour"), &json!(true)));
    assert_eq!(there["neighbour"]["place"], "京都");
    server.play(Scenario::Steady(hour("300", 9.0, 3.0)));
    assert_eq!(generate(&task(&settings), "大津").await["found"], "source");
    server.play(Scenario::Body(404, String::new()));
    let own = generate(&task(&settings), "大津").await;
    assert_eq!((&own["found"], &own["day"]["slots"][0]["sky"]), (&json!("file"), &json!("rain")));
}

#[tokio::test]
async fn a_day_is_compared_with_what_was_forecast_for_the_day_before() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let settings = over(&server, folder.path());
    let first = generate(&task(&settings), "東京").await;
    assert_eq!(first["day"]["slots"][0]["warmer"], Value::Null, "nothing is known of the day before");
    server.now_is("2026-11-25T10:00:00");
    server.play(Scenario::Slots([
        hour("100", 18.5, 0.0),
        hour("100", 12.0, 0.0),
        hour("100", 6.7, 0.0),
        hour("100", 11.0, 0.0),
    ]));
    let next = App { now: Some("2026-11-25T10:00:00+09:00".parse().unwrap()), ..settings };
    let second = generate(&task(&next), "東京").await;
    assert_eq!(second["day"]["date"], "2026-11-26");
    let slots = second["day"]["slots"].as_array().unwrap();
    let warmer: Vec<_> = slots.iter().map(|slot| slot["warmer"].as_f64()).collect();
    assert_eq!(warmer, [Some(6.5), Some(0.0), Some(-5.3), Some(-1.0)]);
    let outline = json!({"trend": "steady", "stable": true, "continuous": false, "range": 11.8, "warmer": 0.1});
    assert_eq!((&second["outline"], &first["outline"]["warmer"]), (&outline, &Value::Null));
    let page = app::server::page_router(service(&next));
    let body = get(&page, "/?place=%E6%9D%B1%E4%BA%AC").await.body;
    assert!(body.contains("前日差+6.5℃") && body.contains("前日差-5.3℃"), "{body}");
}

#[tokio::test]
async fn sample_days_and_real_ones_do_not_share_files() {
    let (folder, server) = (TempDir::new().unwrap(), server().await);
    let demo = crate::support::settings(folder.path());
    generate(&task(&demo), "東京").await;
    assert_eq!(generate(&task(&over(&server, folder.path())), "東京").await["found"], "source");
    assert_eq!(post(&task(&demo), "/api/generate", TOKYO).await.json()["found"], "file");
}
