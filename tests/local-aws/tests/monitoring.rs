//! Alarms, their topic and the dashboard: who is told, whose they are, and what stays of them.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use local_aws::Cloud;
use local_aws::census::census;
use local_aws::runs::Runs;
use provision::aws::{Aws, Owner};
use provision::context::Context;
use provision::guard::Access;
use provision::plan::Goal;
use provision::resource::Resource as _;
use provision::resources::dashboard::{Dashboard, DashboardSpec};
use serde_json::json;

const EMAIL: &str = "team@example.com";
const TOPIC: &str = "weather-comment-generator-staging-alarms";
const DASHBOARD: &str = "weather-comment-generator-staging-ap-northeast-1";

async fn deployed() -> Runs {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    runs.deployment.alarms.as_mut().unwrap().email = Some(EMAIL.to_owned());
    runs.deploy().await.unwrap();
    runs
}

/// Clients that change things behind the tool's back.
fn somebody(runs: &Runs) -> Aws {
    runs.cloud.aws(Owner { app: "somebody".to_owned(), environment: "else".to_owned() }, Access::ReadWrite)
}

/// The plan must say this of the change, a deploy must undo it, and then there must be nothing to do.
async fn found_and_undone(runs: &Runs, what: &str) {
    let plan = runs.plan(Goal::Present).await.unwrap();
    assert!(plan.to_string().contains(what), "{what:?} is missing from:\n{plan}");
    runs.deploy().await.unwrap();
    let plan = runs.plan(Goal::Present).await.unwrap();
    assert!(plan.is_empty(), "after {what:?} was undone:\n{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_mail_address_is_no_drift_while_it_waits_and_is_asked_again_when_it_expired() {
    let mut runs = deployed().await;
    assert!(runs.plan(Goal::Present).await.unwrap().is_empty());
    runs.cloud.world(|world| world.subscriptions.expire());
    found_and_undone(&runs, &format!("emails: [] -> [{EMAIL}]")).await;
    runs.cloud.world(|world| world.subscriptions.confirm(EMAIL));
    runs.deployment.alarms.as_mut().unwrap().email = Some("new@example.com".to_owned());
    found_and_undone(&runs, &format!("emails: [{EMAIL}] -> [new@example.com]")).await;
    assert_eq!(runs.cloud.world(|world| world.subscriptions.count()), 1);
    runs.cloud.world(|world| world.subscriptions.confirm("new@example.com"));
    runs.deployment.alarms.as_mut().unwrap().email = None;
    found_and_undone(&runs, "emails: [new@example.com] -> []").await;
    assert_eq!(runs.cloud.world(|world| world.subscriptions.count()), 0);
}

#[tokio::test(start_paused = true)]
async fn what_aws_says_of_a_dashboard_is_passed_on() {
    let cloud = Cloud::default();
    let aws = cloud.aws(Owner { app: "a".to_owned(), environment: "b".to_owned() }, Access::ReadWrite);
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&notes);
    let context = Context::telling(aws, move |note| heard.lock().unwrap().push(note));
    let widget = json!({"type": "metric", "properties": {"title": "no region"}});
    let spec =
        DashboardSpec { widgets: BTreeMap::from([("no region".to_owned(), widget)]), settings: serde_json::Map::new() };
    let dashboard = Dashboard { name: "odd".to_owned(), resource: "dashboard".to_owned() };
    dashboard.create(&context, &spec).await.unwrap();
    let notes = notes.lock().unwrap().join("\n");
    assert!(notes.contains("at /widgets/0/properties: Should have required property 'region'"), "{notes}");
}

#[tokio::test(start_paused = true)]
async fn a_dashboard_or_topic_of_our_name_that_is_not_ours_is_left_alone() {
    let runs = Runs::on(Cloud::default()).await.unwrap();
    let aws = somebody(&runs);
    let theirs = "{\"widgets\":[]}";
    let request = aws.cloudwatch.put_dashboard().dashboard_name(DASHBOARD).dashboard_body(theirs);
    request.send().await.unwrap();
    let topic = aws.sns.create_topic().name(TOPIC).send().await.unwrap();
    let policy = async || {
        let request = aws.sns.get_topic_attributes().topic_arn(topic.topic_arn().unwrap());
        request.send().await.unwrap().attributes().unwrap()["Policy"].clone()
    };
    let before = policy().await;
    let report = runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    assert_eq!(failures.matches("does not carry our tags").count(), 2, "{failures}");
    assert_eq!(runs.cloud.world(|world| world.monitoring.dashboards[DASHBOARD].clone()), theirs);
    assert_eq!(policy().await, before);
}

#[tokio::test(start_paused = true)]
async fn destroy_leaves_neither_alarm_nor_topic_nor_dashboard() {
    let runs = deployed().await;
    let there = census(&runs.cloud).await.unwrap();
    assert_eq!([there["alarms"], there["topics"], there["subscriptions"], there["dashboards"]], [9, 1, 1, 1]);
    runs.destroy().await.unwrap();
    let left = census(&runs.cloud).await.unwrap();
    assert_eq!([left["alarms"], left["topics"], left["subscriptions"], left["dashboards"]], [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn without_alarms_and_dashboard_there_is_nothing_of_them() {
    let mut runs = Runs::on(Cloud::default()).await.unwrap();
    runs.deployment.alarms = None;
    runs.deployment.dashboard = false;
    runs.deploy().await.unwrap();
    let there = census(&runs.cloud).await.unwrap();
    assert_eq!([there["alarms"], there["topics"], there["dashboards"]], [0; 3]);
}
