//! The lines for CloudWatch: what was counted since the last one, under the names that alarms watch.

use app::emf::Reporter;
use app::server;
use config::metrics;
use config::service::App;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{post, service, settings};

#[tokio::test]
async fn a_line_says_what_is_new_and_nothing_new_is_no_line() {
    let folder = TempDir::new().unwrap();
    let settings = App { metrics_namespace: Some("weather".to_owned()), ..settings(folder.path()) };
    let service = service(&settings);
    let at = settings.now.unwrap();
    let mut reporter = Reporter::of(&settings);
    assert_eq!(reporter.line(&service, at), None);
    let api = server::api_router(service.clone());
    post(&api, "/api/generate/bulk", r#"{"locations":["東京","大阪","天国"]}"#).await;
    let line = reporter.line(&service, at).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    let about = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!((&about["Namespace"], &about["Dimensions"]), (&json!("weather"), &json!([["Environment"]])));
    assert_eq!((&line["Environment"], &line["_aws"]["Timestamp"]), (&json!("local"), &json!(at.as_millisecond())));
    // A place that does not exist is the question's fault, not the service's.
    assert_eq!((&line[metrics::COMMENTS_MADE], &line[metrics::COMMENTS_FAILED]), (&json!(2.0), &json!(0.0)));
    assert_eq!(line[metrics::FOUND_AT_SOURCE], json!(2.0));
    let names = about["Metrics"].as_array().unwrap();
    assert_eq!(names.len(), metrics::ALWAYS.len(), "each name costs money: {line:#}");
    assert!(metrics::ALWAYS.iter().all(|name| line[name].is_number()), "{line:#}");
    let work = (line[metrics::WORK_SECONDS].as_f64().unwrap(), line[metrics::WORKER_SECONDS].as_f64().unwrap());
    assert!(work.0 <= work.1, "three workers cannot work longer than they are there: {work:?}");
    assert_eq!(reporter.line(&service, at), None, "it was said already");
    post(&api, "/api/generate", r#"{"location":"東京"}"#).await;
    let line: Value = serde_json::from_str(&reporter.line(&service, at).unwrap()).unwrap();
    assert_eq!((&line[metrics::COMMENTS_MADE], &line[metrics::FOUND_IN_MEMORY]), (&json!(1.0), &json!(1.0)));
}

#[tokio::test]
async fn without_a_namespace_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    let settings = settings(folder.path());
    let service = service(&settings);
    post(&server::api_router(service.clone()), "/api/generate", r#"{"location":"東京"}"#).await;
    assert_eq!(Reporter::of(&settings).line(&service, settings.now.unwrap()), None);
}
