//! Every JSON document, and every line of events, is as its published schema says.

use std::collections::BTreeMap;

use local_aws::Cloud;
use local_aws::commands::{Said, piped};
use local_aws::runs::image_layout;
use provision::cli::{Exit, schemas};
use serde_json::{Value, json};

use crate::desk::Desk;

/// Checks one document; a field that the schema does not know is an error here, and not for readers.
fn check(schemas: &BTreeMap<&str, Value>, text: &str) -> String {
    let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let name = document["schema"].as_str().unwrap_or_else(|| panic!("a document without a name: {text}"));
    let mut schema = schemas.get(name).unwrap_or_else(|| panic!("{name} has no schema")).clone();
    schema["unevaluatedProperties"] = json!(false);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {}\n{text}", errors.join("\n"));
    name.to_owned()
}

/// Checks all that a command wrote; gives the name of its document.
pub(crate) fn check_all(said: &Said) -> String {
    let schemas: BTreeMap<_, _> = schemas().into_iter().collect();
    for line in said.talk.lines() {
        check(&schemas, line);
    }
    let lines: Vec<_> = said.results.lines().collect();
    assert_eq!(lines.len(), 1, "one document: {}", said.results);
    check(&schemas, lines[0])
}

#[tokio::test(start_paused = true)]
async fn every_verb_writes_the_document_that_its_schema_describes() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap().to_owned();
    let run = async |words: &[&str], exit: Exit, name: &str| {
        let words: Vec<_> = words.iter().copied().chain(["--output", "json"]).collect();
        let said = desk.with_input(&words, "a-value").await;
        assert_eq!(said.exit, exit, "{words:?}: {} {}", said.results, said.talk);
        assert_eq!(check_all(&said), name, "{words:?}");
    };
    run(&["status"], Exit::Done, "provision.status/1").await;
    run(&["plan", "--image-layout", &layout], Exit::Done, "provision.plan/1").await;
    run(&["deploy", "--image-layout", &layout], Exit::Refused, "provision.error/1").await;
    run(&["deploy", "--yes", "--image-layout", &layout], Exit::Done, "provision.run/1").await;
    run(&["deploy", "--yes"], Exit::Done, "provision.run/1").await;
    run(&["plan", "--set", "edge.idle_timeout_seconds=90"], Exit::Done, "provision.plan/1").await;
    run(&["plan", "--set", "network.cidr=10.9.0.0/16"], Exit::Refused, "provision.plan/1").await;
    for (words, name) in [
        (&["outputs"][..], "provision.outputs/1"),
        (&["status"], "provision.status/1"),
        (&["secrets", "list"], "provision.secrets/1"),
        (&["secrets", "set", "WXTECH_API_KEY"], "provision.secrets/1"),
        (&["unlock"], "provision.unlock/1"),
        (&["doctor"], "provision.doctor/1"),
        (&["validate"], "provision.validate/1"),
        (&["cost"], "provision.cost/1"),
        (&["graph"], "provision.graph/1"),
        (&["push", "--image-layout", &layout], "provision.push/1"),
    ] {
        run(words, Exit::Done, name).await;
    }
    std::fs::remove_dir_all(desk.layout()).unwrap();
    image_layout(desk.layout(), "the second program").unwrap();
    run(&["deploy", "--yes", "--image-layout", &layout], Exit::Done, "provision.run/1").await;
    run(&["history"], Exit::Done, "provision.history/1").await;
    run(&["rollback", "--yes"], Exit::Done, "provision.rollback/1").await;
    run(&["rollback", "--to", "1", "--yes"], Exit::Done, "provision.rollback/1").await;
    run(&["destroy", "--yes"], Exit::Done, "provision.run/1").await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_says_what_failed_in_its_document() {
    let desk = Desk::new().await;
    std::fs::remove_dir_all(desk.layout()).unwrap();
    let bad = image_layout(desk.layout(), "ends at once").unwrap().to_string();
    desk.cloud.world(|world| world.broken_images.insert(bad));
    let layout = desk.layout().to_str().unwrap().to_owned();
    let said = desk.run(&["deploy", "--yes", "--output", "json", "--image-layout", &layout]).await;
    assert_eq!(said.exit, Exit::Failed);
    assert_eq!(check_all(&said), "provision.run/1");
    let document: Value = serde_json::from_str(&said.results).unwrap();
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["failed"][0]["kind"], "ECS service");
    assert!(document["failed"][0]["error"].as_str().unwrap().contains("exit code 1"), "{document}");
}

#[tokio::test(start_paused = true)]
async fn an_error_is_a_document_too_with_its_code_and_what_to_do() {
    let cloud = Cloud::default();
    let error = async |words: &[&str]| {
        let said = piped(&cloud, words, "").await;
        assert_eq!(said.exit, Exit::BadInput, "{words:?}");
        assert_eq!(check_all(&said), "provision.error/1");
        serde_json::from_str::<Value>(&said.results).unwrap()
    };
    let document = error(&["plan", "--output", "json"]).await;
    assert_eq!(document["code"], 3);
    assert!(document["message"].as_str().unwrap().ends_with("has no certificate for HTTPS"), "{document}");
    assert!(document["hint"].as_str().unwrap().starts_with("set `edge.certificate_arn`"), "{document}");
    let document = error(&["validate", "--output", "json", "--set", "scaling.maxx=3"]).await;
    assert_eq!(document["problems"][0]["key"], "scaling.maxx");
    error(&["frobnicate", "--output=json"]).await;
    assert!(cloud.calls().is_empty(), "AWS was asked");
}

#[tokio::test(start_paused = true)]
async fn the_logs_are_one_document_a_line() {
    let desk = Desk::deployed().await;
    let said = desk.run(&["logs", "--output", "json"]).await;
    let schemas: BTreeMap<_, _> = schemas().into_iter().collect();
    for line in said.results.lines() {
        assert_eq!(check(&schemas, line), "provision.log-line/1");
    }
    assert_eq!(said.exit, Exit::Done);
}
