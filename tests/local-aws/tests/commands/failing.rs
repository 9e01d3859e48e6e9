//! Deploys that fail in the ways that AWS has for it: what a person reads.

use local_aws::world::{TaskEnd, World};
use provision::cli::Exit;

use crate::desk::{Desk, has};
use crate::snapshots::snapshot;

/// A second deploy, for which something in the account is not as it should be.
async fn fails(name: &str, arrange: impl FnOnce(&mut World, String)) {
    let desk = Desk::deployed().await;
    let image = desk.build("the second program");
    desk.cloud.world(|world| arrange(world, image));
    fails_at(&desk, name).await;
}

async fn fails_at(desk: &Desk, name: &str) {
    let layout = desk.layout().to_str().unwrap();
    snapshot(desk, name, &["deploy", "--yes", "--image-layout", layout], Exit::Failed).await;
}

#[tokio::test(start_paused = true)]
async fn for_an_image_of_another_processor() {
    let reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not \
                  contain descriptor matching platform 'linux/amd64'";
    fails("fails-for-another-processor", |world, image| {
        world.broken_images.end(image, TaskEnd::before_it_runs(reason));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn for_a_key_that_somebody_took_out_of_the_secret() {
    let desk = Desk::deployed().await;
    let request = desk.somebody().secrets.put_secret_value().secret_id("weather-comment-generator/staging/api-keys");
    request.secret_string(r#"{"OPENAI_API_KEY": ""}"#).send().await.unwrap();
    desk.build("the second program");
    fails_at(&desk, "fails-for-a-missing-key").await;
}

#[tokio::test(start_paused = true)]
async fn for_a_disk_that_refuses_the_task() {
    let reason = "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: \
                  b'mount.nfs4: access denied by server while mounting 127.0.0.1:/' : unsuccessful EFS utils command \
                  execution; code: 32";
    fails("fails-for-the-disk", |world, image| world.broken_images.end(image, TaskEnd::before_it_runs(reason))).await;
}

#[tokio::test(start_paused = true)]
async fn for_the_account_s_limit_of_processors() {
    let reason = "You've reached the limit on the number of vCPUs you can run concurrently.";
    fails("fails-for-the-limit-of-vcpus", |world, _| world.no_room = Some(reason.to_owned())).await;
}

#[tokio::test(start_paused = true)]
async fn for_answers_that_the_load_balancer_does_not_like() {
    fails("fails-for-its-answers", |world, image| {
        let end = TaskEnd::fails_checks("Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]");
        world.broken_images.end(image, end);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_explained_while_it_is_watched() {
    let desk = Desk::deployed().await;
    let image = desk.build("the second program");
    desk.cloud.world(|world| {
        let end = TaskEnd::fails_checks("Target.Timeout", "Request timed out");
        world.broken_images.end(image, end);
    });
    let said = desk.deploy().await;
    let unwell = "1 of 1 tasks running; targets: 10.0.0.11:8501 unhealthy (Request timed out)";
    let means = "; that means: the load balancer reaches no answer within its timeout";
    let event = "is unhealthy in (target-group ";
    has(&said.talk, &[unwell, means, event]);
    let after = said.talk.lines().skip_while(|line| !(line.contains("ECS: ") && line.contains(event))).nth(1).unwrap();
    has(after, &["that means: the load balancer reaches no answer within its timeout"]);
}

#[tokio::test(start_paused = true)]
async fn for_want_of_memory() {
    fails("fails-for-want-of-memory", |world, image| {
        world.broken_images.end(image, TaskEnd::out_of_memory());
        world.task_log = vec!["reading the corpus".to_owned()];
    })
    .await;
}
