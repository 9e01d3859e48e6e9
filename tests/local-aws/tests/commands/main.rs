//! Every verb of `provision` as a whole command: exit code, results, talk; once as hoped and once as feared.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

mod desk;
mod doctor;
mod documents;
mod exec;
mod failing;
mod front_door;
mod github;
mod production;
mod rollback;
mod snapshots;

use local_aws::Cloud;
use local_aws::commands::{piped, typed};
use local_aws::runs::image_layout;
use provision::cli::Exit;

use crate::desk::{Desk, has, json};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn deploy_tells_its_plan_and_its_story_and_ends_with_the_address() {
    let desk = Desk::new().await;
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["+ VPC", "to create", "waiting for the load balancer to be active", "ECS service"]);
    has(&said.results, &["url", "https://", "task-definition", ":1"]);
    let again = desk.deploy().await;
    assert_eq!(again.exit, Exit::Done);
    has(&again.talk, &["resources are as described"]);
    assert!(!again.talk.contains("started"), "{}", again.talk);
}

#[tokio::test(start_paused = true)]
async fn deploy_asks_on_a_terminal_and_refuses_without_one() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap().to_owned();
    let certificate = format!("edge.certificate_arn={}", desk.certificate);
    let words = ["deploy", "--image-layout", &layout, "--set", &certificate];
    let said = piped(&desk.cloud, &words, "").await;
    assert_eq!(said.exit, Exit::Refused);
    has(&said.talk, &["will not deploy this to staging", "--yes"]);
    let said = typed(&desk.cloud, &words, "n\n").await;
    assert_eq!(said.exit, Exit::Refused);
    has(&said.talk, &["deploy this to staging? [y/N]", "not confirmed, nothing was changed"]);
    let writes = desk.cloud.calls().into_iter().filter(|call| !call.reads()).count();
    assert_eq!(writes, 1, "only the certificate was made before");
    assert_eq!(typed(&desk.cloud, &words, "y\n").await.exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn plan_says_what_would_change_and_with_which_code() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap().to_owned();
    let said = desk.run(&["plan", "--exit-code", "--image-layout", &layout]).await;
    assert_eq!(said.exit, Exit::Changes);
    has(&said.results, &["+ ECS service", "to create"]);
    desk.deploy().await;
    let (before, began) = (desk.cloud.calls().len(), Instant::now());
    assert_eq!(desk.run(&["plan", "--exit-code"]).await.exit, Exit::Done);
    assert!(began.elapsed() <= 2 * local_aws::LATENCY, "more than two rounds: {:?}", began.elapsed());
    assert!(desk.cloud.calls().len() - before < 40, "{} calls", desk.cloud.calls().len() - before);
    let said = desk.run(&["plan", "--output", "json", "--set", "logs.retention_days=90"]).await;
    let document = json(&said);
    assert_eq!(document["schema"], "provision.plan/1");
    assert_eq!(document["counts"]["update"], 1);
    let said = desk.run(&["plan", "--set", "network.cidr=10.9.0.0/16"]).await;
    assert_eq!(said.exit, Exit::Refused, "{}", said.results);
    has(&said.results, &["! VPC", "10.0.0.0/16 -> 10.9.0.0/16"]);
}

#[tokio::test(start_paused = true)]
async fn an_image_of_a_public_registry_runs_as_it_is_named_and_another_private_one_is_refused() {
    let desk = Desk::deployed().await;
    let digest = format!("sha256:{}", "a".repeat(64));
    let public = format!("public.ecr.aws/somebody/app@{digest}");
    let said = desk.run(&["deploy", "--yes", "--image", &public]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&desk.run(&["history"]).await.results, &[&public]);
    let next = desk.run(&["plan", "--exit-code"]).await;
    assert_eq!(next.exit, Exit::Done, "{}", next.results);
    let said = desk.run(&["deploy", "--yes", "--image", &format!("somebody/app@{digest}")]).await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.talk, &["is not the repository weather-comment-generator/staging", "provision push"]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_believes_what_the_last_run_proved_and_looks_at_it_when_told_to() {
    let desk = Desk::deployed().await;
    let iam = desk.somebody().iam;
    let role = "weather-comment-generator-staging-task-ap-northeast-1";
    let all = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let policy = iam.create_policy().policy_name("everything").policy_document(all.to_string()).send().await.unwrap();
    let all = policy.policy.unwrap().arn.unwrap();
    iam.attach_role_policy().role_name(role).policy_arn(&all).send().await.unwrap();
    assert_eq!(desk.run(&["plan", "--exit-code"]).await.exit, Exit::Done);
    let said = desk.run(&["plan", "--exit-code", "--afresh"]).await;
    assert_eq!(said.exit, Exit::Changes, "{}", said.results);
    has(&said.results, &["task-role", &all]);
    assert_eq!(desk.run(&["deploy", "--yes"]).await.exit, Exit::Done, "a deploy looks by itself");
    assert_eq!(desk.run(&["plan", "--exit-code", "--afresh"]).await.exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn bad_input_is_told_before_anything_is_asked() {
    let cloud = Cloud::default();
    let cases: [(&[&str], &str); 6] = [
        (&["--environment", "nowhere", "plan"], "choose one of local, staging, production"),
        (&["--environment", "production", "plan"], "has no certificate for HTTPS"),
        (&["--set", "scaling.maxx=3", "plan"], "did you mean scaling.max?"),
        (&["--set", "logs.retention_days=31", "validate"], "logs.retention_days"),
        (&["--config", "/nonexistent.toml", "plan"], "/nonexistent.toml"),
        (&["secrets", "set", "NO_SUCH_KEY"], "it knows ANTHROPIC_API_KEY"),
    ];
    for (words, part) in cases {
        let said = piped(&cloud, words, "value").await;
        assert_eq!(said.exit, Exit::BadInput, "{words:?}: {}", said.talk);
        has(&said.talk, &["error: ", part]);
    }
    assert!(cloud.calls().is_empty(), "AWS was asked");
    assert_eq!(piped(&cloud, &["frobnicate"], "").await.exit, Exit::BadInput);
    assert_eq!(piped(&cloud, &["--help"], "").await.exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn overrides_count_on_both_sides_of_the_verb_and_the_last_one_wins() {
    let desk = Desk::deployed().await;
    let days = "logs.retention_days=90";
    for words in [
        vec!["--set", days, "plan", "--set", "images.keep=7"],
        vec!["--set=logs.retention_days=60", "plan", "--set", days, "--set=images.keep=7"],
    ] {
        let said = desk.run(&[words.as_slice(), &["--output", "json"]].concat()).await;
        let steps = json(&said)["steps"].as_array().unwrap().clone();
        let changed: Vec<_> = steps.iter().filter(|step| step["action"] == "update").collect();
        assert_eq!(changed.len(), 2, "{words:?}: {changed:?}");
        assert_eq!(changed[1]["changes"][0]["to"], 90, "{words:?}: {changed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_does_not_start_is_told_with_its_reason_and_rolled_back() {
    let desk = Desk::deployed().await;
    let program = "ends at once";
    std::fs::remove_dir_all(desk.layout()).unwrap();
    let bad = image_layout(desk.layout(), program).unwrap().to_string();
    desk.cloud.world(|world| {
        world.broken_images.insert(bad);
        world.task_log = vec!["error: CACHE_DIR cannot be written".to_owned()];
    });
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["its log ends with:", "    error: CACHE_DIR cannot be written", "ECS: ", "rolling back"]);
    has(
        &said.talk,
        &["FAILED", "Essential container in task exited", "exit code 1", "what runs now", "run the same command again"],
    );
    let said = desk.run(&["status"]).await;
    has(&said.results, &["PRIMARY", "stopped", "a task stopped: Essential container in task exited (exit code 1)"]);
}

#[tokio::test(start_paused = true)]
async fn history_lists_what_ran_and_rollback_goes_back() {
    let desk = Desk::deployed().await;
    assert_eq!(desk.deploy_another("the second program").await.exit, Exit::Done);
    let said = desk.run(&["history"]).await;
    let lines: Vec<_> = said.results.lines().collect();
    assert_eq!(lines.len(), 5, "two revisions and two runs: {}", said.results);
    assert!(lines[3].contains("deploy") && lines[3].ends_with("then revision 2 ran"), "{}", said.results);
    assert!(lines[0].trim().starts_with('2') && lines[0].ends_with("runs"), "{}", said.results);
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["revision 1 runs"]);
    assert_eq!(json(&desk.run(&["history", "--output", "json"]).await)["running"], 1);
    let said = desk.run(&["rollback", "--yes"]).await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.talk, &["there is nothing before revision 1"]);
    let said = desk.run(&["rollback", "--to", "9", "--yes"]).await;
    has(&said.talk, &["there is no revision 9", "2, 1"]);
}

#[tokio::test(start_paused = true)]
async fn unlock_breaks_the_lock_of_a_run_that_was_killed() {
    let desk = Desk::new().await;
    has(&desk.run(&["unlock", "--yes"]).await.talk, &["nobody holds the lock"]);
    desk.deploy_and_be_killed().await;
    let said = desk.run(&["unlock"]).await;
    assert_eq!(said.exit, Exit::Refused);
    has(&said.talk, &["a deploy by", "holds the lock", "pass --yes"]);
    has(&desk.run(&["plan", "--image-layout", desk.layout().to_str().unwrap()]).await.talk, &["note: a deploy by"]);
    has(&desk.run(&["unlock", "--yes"]).await.talk, &["the lock is free"]);
    let said = desk.deploy().await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert!(!said.talk.contains("still alive"), "nobody is waited for: {}", said.talk);
}

#[tokio::test(start_paused = true)]
async fn keys_that_the_service_needs_can_be_set_before_the_first_deploy() {
    let desk = Desk::new().await;
    let said = desk.with_input(&["secrets", "set", "WXTECH_API_KEY"], "do-not-show-4711").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["WXTECH_API_KEY set in", "which is new; a deploy takes it up as its own"]);
    let layout = desk.layout().to_str().unwrap().to_owned();
    let needy = ["--set", "app_settings.weather_source=wxtech", "--image-layout", &layout];
    let deployed = desk.run(&[&["deploy", "--yes"][..], &needy].concat()).await;
    assert_eq!(deployed.exit, Exit::Done, "{}", deployed.talk);
    assert!(desk.run(&["secrets", "list"]).await.results.contains("WXTECH_API_KEY       set"));
    let plan = desk.run(&[&["plan", "--exit-code"][..], &needy].concat()).await;
    assert_eq!(plan.exit, Exit::Done, "{}", plan.results);
    // What waits for its deletion comes back with what it held.
    let secret = "weather-comment-generator/staging/api-keys";
    desk.somebody().secrets.delete_secret().secret_id(secret).recovery_window_in_days(7).send().await.unwrap();
    let said = desk.with_input(&["secrets", "set", "OPENAI_API_KEY"], "do-not-show-4712").await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    let listed = desk.run(&["secrets", "list"]).await.results;
    has(&listed, &["OPENAI_API_KEY       set", "WXTECH_API_KEY       set"]);
    assert!([said, deployed].iter().all(|said| !said.talk.contains("do-not-show")));
}

#[tokio::test(start_paused = true)]
async fn secrets_go_in_by_a_pipe_or_a_file_and_never_come_out() {
    let desk = Desk::deployed().await;
    let value = "do-not-show-4711";
    let said = desk.with_input(&["secrets", "set", "WXTECH_API_KEY"], value).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    let file = desk.layout().join("keys.env");
    std::fs::write(&file, format!("# keys\nexport OPENAI_API_KEY='{value}'\nGEMINI_API_KEY=\n")).unwrap();
    assert_eq!(desk.run(&["secrets", "import", file.to_str().unwrap()]).await.exit, Exit::Done);
    let listed = desk.run(&["secrets", "list"]).await;
    let state = |key: &str| listed.results.lines().find(|line| line.starts_with(key)).unwrap().ends_with(" set");
    assert!(state("WXTECH_API_KEY") && state("OPENAI_API_KEY"), "{}", listed.results);
    assert!(!state("GEMINI_API_KEY") && !state("ANTHROPIC_API_KEY"), "{}", listed.results);
    let all = [said, listed, desk.run(&["plan"]).await, desk.run(&["doctor"]).await];
    assert!(all.iter().all(|said| !said.results.contains(value) && !said.talk.contains(value)));
    // The next deploy leaves what was put in.
    assert_eq!(desk.deploy_another("the second program").await.exit, Exit::Done);
    assert!(desk.run(&["secrets", "list"]).await.results.contains("set"));
    assert_eq!(desk.with_input(&["secrets", "set", "WXTECH_API_KEY"], " \n").await.exit, Exit::BadInput);
}

#[tokio::test(start_paused = true)]
async fn status_outputs_and_logs_tell_of_what_exists_and_of_nothing() {
    let desk = Desk::new().await;
    has(&desk.run(&["status"]).await.talk, &["no service yet"]);
    has(&desk.run(&["logs"]).await.talk, &["there is no log"]);
    assert_eq!(desk.run(&["outputs"]).await.results, "");
    desk.deploy().await;
    let said = desk.run(&["status"]).await;
    has(&said.results, &["1 of 1 tasks running", "PRIMARY COMPLETED", "healthy"]);
    assert_eq!(json(&desk.run(&["outputs", "--output", "json"]).await)["schema"], "provision.outputs/1");
    assert_eq!(desk.run(&["logs", "--since", "2h"]).await.exit, Exit::Done);
    assert_eq!(desk.run(&["logs", "--since", "soon"]).await.exit, Exit::BadInput);
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_account_asks_none() {
    let cloud = Cloud::default();
    let said = piped(&cloud, &["cost"], "").await;
    has(&said.results, &["Fargate", "public addresses", "together", "a month"]);
    assert_eq!(json(&piped(&cloud, &["cost", "--output", "json"], "").await)["schema"], "provision.cost/1");
    has(&piped(&cloud, &["graph"], "").await.results, &["ECS service", "after", "VPC"]);
    has(&piped(&cloud, &["graph", "--format", "mermaid"], "").await.results, &["graph LR", "network --> internet"]);
    has(&piped(&cloud, &["validate"], "").await.talk, &["is valid"]);
    has(&piped(&cloud, &["completions", "bash"], "").await.results, &["provision", "rollback"]);
    has(&piped(&cloud, &["man"], "").await.results, &[".TH provision"]);
    assert!(cloud.calls().is_empty(), "AWS was asked");
}

#[tokio::test(start_paused = true)]
async fn push_puts_an_image_in_and_destroy_keeps_what_holds_data() {
    let desk = Desk::deployed().await;
    std::fs::remove_dir_all(desk.layout()).unwrap();
    let image = image_layout(desk.layout(), "another program").unwrap().to_string();
    let said = desk.run(&["push", "--image-layout", desk.layout().to_str().unwrap()]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert!(said.results.trim_end().ends_with(&image), "{}", said.results);
    let said = desk.run(&["deploy", "--yes", "--image", said.results.trim()]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    let said = desk.run(&["destroy", "--yes"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["kept because they hold data", "EFS file system", "secret", "ECR repository"]);
    let said = desk.run(&["destroy", "--yes", "--delete-data"]).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&desk.run(&["doctor"]).await.results, &["0 of"]);
}
