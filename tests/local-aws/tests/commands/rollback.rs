//! Going back where ECS could not, or has not yet.

use std::time::Duration;

use aws_sdk_ecs::types::{DeploymentCircuitBreaker, DeploymentConfiguration};
use local_aws::commands::Said;
use local_aws::policy::Policy;
use provision::cli::Exit;
use serde_json::json as value;
use tokio::time::{sleep, timeout};

use crate::desk::{Desk, has, json};

const CLUSTER: &str = "weather-comment-generator-staging-cluster";
const SERVICE: &str = "weather-comment-generator-staging-service";
const FAMILY: &str = "weather-comment-generator-staging-task";

/// An account in which a second image ends at once, and in which ECS has gone back to the first.
async fn rolled_back_by_ecs() -> Desk {
    let desk = Desk::deployed().await;
    let bad = desk.build("ends at once");
    desk.cloud.world(|world| world.broken_images.insert(bad));
    assert_eq!(desk.deploy().await.exit, Exit::Failed);
    sleep(Duration::from_secs(300)).await;
    desk
}

async fn running(desk: &Desk) -> i64 {
    json(&desk.run(&["history", "--output", "json"]).await)["running"].as_i64().unwrap()
}

/// The operations that a command sent.
async fn sent(desk: &Desk, words: &[&str]) -> (Said, Vec<String>) {
    let before = desk.cloud.calls().len();
    let said = desk.run(words).await;
    (said, desk.cloud.calls().split_off(before).into_iter().map(|call| call.operation).collect())
}

fn has_sent(sent: &[String], operation: &str) -> bool {
    sent.iter().any(|it| it == operation)
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_under_way_is_stopped() {
    let desk = Desk::deployed().await;
    let bad = desk.build("ends at once");
    desk.cloud.world(|world| world.broken_images.insert(bad));
    // The run dies while it watches.
    assert!(timeout(Duration::from_secs(60), desk.deploy()).await.is_err());
    let said = desk.run(&["history"]).await;
    assert!(said.results.lines().next().unwrap().ends_with("is coming up"), "{}", said.results);
    let (said, sent) = sent(&desk, &["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["stopping the deployment that is under way", "revision 1 runs"]);
    assert!(has_sent(&sent, "StopServiceDeployment") && !has_sent(&sent, "UpdateService"), "{sent:?}");
    assert_eq!(running(&desk).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_nobody_may_stop_is_deployed_over() {
    let desk = Desk::deployed().await;
    let bad = desk.build("ends at once");
    desk.cloud.world(|world| world.broken_images.insert(bad));
    assert!(timeout(Duration::from_secs(60), desk.deploy()).await.is_err());
    let policy = Policy::of(&value!({"Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:StopServiceDeployment", "Resource": "*"},
    ]}));
    desk.cloud.world(|world| world.policy = Some(policy));
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["cannot be stopped (AccessDeniedException", "deploying over it", "revision 1 runs"]);
}

#[tokio::test(start_paused = true)]
async fn a_revision_of_choice_is_deployed_over_one_that_is_under_way() {
    let desk = Desk::deployed().await;
    assert_eq!(desk.deploy_another("the second program").await.exit, Exit::Done);
    let bad = desk.build("ends at once");
    desk.cloud.world(|world| world.broken_images.insert(bad));
    assert!(timeout(Duration::from_secs(60), desk.deploy()).await.is_err());
    let (said, sent) = sent(&desk, &["rollback", "--to", "1", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    // Stopping it would bring the second one back.
    assert!(!has_sent(&sent, "StopServiceDeployment") && has_sent(&sent, "UpdateService"), "{sent:?}");
    assert_eq!(running(&desk).await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_deployment_of_all_leaves_nothing_to_go_back_to() {
    let desk = Desk::new().await;
    let bad = desk.build("ends at once");
    desk.cloud.world(|world| world.broken_images.insert(bad));
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["nothing runs, and there is no earlier deployment to fall back to", "`provision destroy`"]);
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.talk, &["no revision ever came up", "run `provision deploy` again", "`provision destroy`"]);
    // Neither of the two ways out is blocked.
    assert_eq!(desk.deploy_another("the second program").await.exit, Exit::Done);
    has(&desk.run(&["rollback", "--yes"]).await.talk, &["there is nothing before revision 2 that came up"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_stuck_goes_back_to_what_still_serves() {
    let desk = rolled_back_by_ecs().await;
    // Somebody deploys the second one by hand, and keeps ECS from going back.
    let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(false).build();
    let configuration = DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build();
    let ecs = desk.somebody().ecs;
    let request = ecs.update_service().cluster(CLUSTER).service(SERVICE).task_definition(format!("{FAMILY}:2"));
    let arn = ecs.describe_task_definition().task_definition(format!("{FAMILY}:2")).send().await.unwrap();
    let request = request.task_definition(arn.task_definition.unwrap().task_definition_arn.unwrap());
    request.deployment_configuration(configuration).send().await.unwrap();
    sleep(Duration::from_secs(600)).await;
    let said = desk.run(&["history"]).await;
    assert!(said.results.lines().next().unwrap().ends_with("FAILED"), "{}", said.results);
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["revision 1 runs"]);
    assert_eq!(running(&desk).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_failed_is_gone_again() {
    let desk = Desk::deployed().await;
    let good = desk.cloud.world(|world| world.images.iter().next().cloned()).unwrap();
    desk.cloud.world(|world| world.images.remove(&good));
    let bad = desk.build("ends at once");
    desk.cloud.world(|world| world.broken_images.insert(bad));
    assert_eq!(desk.deploy().await.exit, Exit::Failed);
    sleep(Duration::from_secs(600)).await;
    let said = desk.run(&["history"]).await;
    assert!(said.results.lines().nth(1).unwrap().ends_with("FAILED"), "no task runs: {}", said.results);
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["CannotPullContainerError", "that means: the image is not in the repository"]);
    desk.cloud.world(|world| world.images.insert(good));
    sleep(Duration::from_secs(600)).await;
    // Naming the revision that is there already would begin nothing.
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    let said = desk.run(&["status"]).await;
    has(&said.results, &["1 of 1 tasks running", "PRIMARY COMPLETED"]);
    has(&desk.run(&["rollback", "--to", "1", "--yes"]).await.talk, &["revision 1 runs already"]);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_never_came_up_is_passed_over() {
    let desk = rolled_back_by_ecs().await;
    assert_eq!(desk.deploy_another("the third program").await.exit, Exit::Done);
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["revision 1 runs"]);
}

#[tokio::test(start_paused = true)]
async fn an_inactive_revision_is_registered_once_more_if_its_image_is_there() {
    let desk = Desk::deployed().await;
    assert_eq!(desk.deploy_another("the second program").await.exit, Exit::Done);
    let aws = desk.somebody();
    let first = aws.ecs.describe_task_definition().task_definition(format!("{FAMILY}:1")).send().await.unwrap();
    let first = first.task_definition.unwrap();
    let image = first.container_definitions()[0].image().unwrap().to_owned();
    let arn = first.task_definition_arn().unwrap();
    aws.ecs.deregister_task_definition().task_definition(arn).send().await.unwrap();
    let said = desk.run(&["rollback", "--to", "1", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["revision 3 runs, which is 1 once more"]);
    let document = json(&desk.run(&["history", "--output", "json"]).await);
    assert_eq!((&document["running"], &document["revisions"][0]["image"]), (&3.into(), &image.clone().into()));
    // Without its image it cannot run.
    let repository = "weather-comment-generator/staging";
    let mut ids = aws.ecr.list_images().repository_name(repository).send().await.unwrap().image_ids.unwrap();
    ids.retain(|id| id.image_digest().is_some_and(|digest| image.ends_with(digest)));
    aws.ecr.batch_delete_image().repository_name(repository).set_image_ids(Some(ids)).send().await.unwrap();
    let said = desk.run(&["rollback", "--to", "1", "--yes"]).await;
    assert_eq!(said.exit, Exit::BadInput, "{}", said.talk);
    has(&said.talk, &["the image of revision 1", "is no longer in the repository", "--image-layout"]);
}
