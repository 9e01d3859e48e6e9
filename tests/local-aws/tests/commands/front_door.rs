//! The one request through the load balancer at the end of a deploy.

use local_aws::world::Way;
use provision::cli::Exit;
use tokio::time::Instant;

use crate::desk::{Desk, has, json};

#[tokio::test(start_paused = true)]
async fn a_deploy_ends_with_an_answer_through_the_load_balancer() {
    let desk = Desk::new().await;
    let said = desk.deploy().await;
    has(&said.talk, &["waiting for https://", "/health/ready to answer", ".elb.amazonaws.com/, and answers"]);
    let said = desk.run(&["deploy", "--yes", "--output", "json"]).await;
    assert_eq!(json(&said)["front_door"]["verdict"], "answers", "also when there was nothing to do");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_people_is_a_failed_deploy_although_all_targets_are_healthy() {
    let desk = Desk::new().await;
    desk.cloud.world(|world| world.front_door = Way::Status(503));
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Failed, "{}", said.talk);
    has(
        &said.talk,
        &["FAILED", "/health/ready does not answer with 200: ", "status 503: no task is healthy", "provision status"],
    );
    assert!(!said.talk.contains("the service is at"), "{}", said.talk);
    let again = desk.run(&["deploy", "--yes", "--output", "json"]).await;
    assert_eq!(again.exit, Exit::Failed, "nothing is to do, and still nobody is served");
    let document = json(&again);
    assert_eq!(document["outcome"], "failed");
    assert_eq!(document["front_door"]["verdict"], "fails");
    desk.cloud.world(|world| world.front_door = Way::Open);
    assert_eq!(desk.deploy().await.exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_wall_is_a_failure_only_where_everybody_is_let_in() {
    let desk = Desk::deployed().await;
    desk.cloud.world(|world| world.front_door = Way::Walled);
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["no connection"]);
    let narrow = ["deploy", "--yes", "--set", "edge.ingress_cidrs=[\"192.0.2.0/24\"]"];
    let said = desk.run(&narrow).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["cannot be seen from here", "edge.ingress_cidrs"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_has_to_be_asked() {
    let desk = Desk::deployed().await;
    desk.cloud.world(|world| world.front_door = Way::Walled);
    let began = Instant::now();
    let said = desk.run(&["deploy", "--yes", "--no-request"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert!(began.elapsed() < provision::front_door::PATIENCE, "it waited all the same");
    assert!(!said.talk.contains("answers"), "{}", said.talk);
}
