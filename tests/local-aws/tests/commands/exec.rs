//! Commands in tasks: as hoped, and everything that keeps people out.

use std::path::Path;
use std::time::Duration;

use config::deployment::{ConfigSource, Deployment};
use local_aws::commands::{Plugin, Said, interrupted, with_plugin};
use local_aws::faults::{Fault, Faults};
use local_aws::policy::Policy;
use local_aws::runs::image_layout;
use local_aws::world::SESSION_TOKEN;
use provision::cli::{Call, Ended, Exit, InstalledPlugin, SESSION_IN_VARIABLE, SessionPlugin as _, Streams};
use provision::permissions::{Place, ROLE_LIMIT, Who};
use provision::transcript::Transcript;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::desk::{Desk, has, json};
use crate::documents::check_all;
use crate::snapshots::page;

const CLUSTER: &str = "weather-comment-generator-staging-cluster";
const OPEN: [&str; 2] = ["--set", "service.exec=true"];

/// A desk whose service lets people into its tasks, long enough after its deploy.
async fn open_desk() -> Desk {
    let desk = Desk::new().await;
    deploy(&desk, &OPEN).await;
    sleep(Duration::from_secs(60)).await;
    desk
}

async fn deploy(desk: &Desk, more: &[&str]) {
    let layout = desk.layout().to_str().unwrap();
    let said = desk.run(&[&["deploy", "--yes", "--image-layout", layout], more].concat()).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
}

/// Types a command at a terminal.
async fn typed(desk: &Desk, words: &[&str], plugin: &Plugin) -> Said {
    let said = with_plugin(&desk.cloud, words, true, plugin, None).await;
    assert!(!said.talk.contains(SESSION_TOKEN) && !said.results.contains(SESSION_TOKEN), "{said:?}");
    said
}

async fn piped(desk: &Desk, words: &[&str], plugin: &Plugin) -> Said {
    let said = with_plugin(&desk.cloud, words, false, plugin, None).await;
    assert!(!said.talk.contains(SESSION_TOKEN) && !said.results.contains(SESSION_TOKEN), "{said:?}");
    said
}

/// Takes a snapshot of what was typed and said.
fn shown(name: &str, words: &[&str], said: &Said, exit: Exit) {
    assert_eq!(said.exit, exit, "{words:?}: {}{}", said.results, said.talk);
    insta::assert_snapshot!(name, page(words, said, None));
}

fn sent(desk: &Desk, operation: &str) -> Vec<Value> {
    let calls = desk.cloud.calls().into_iter().filter(|call| call.is("ecs", operation));
    calls.map(|call| call.fields).collect()
}

async fn task(desk: &Desk) -> String {
    let words = ["exec", "--output", "json", "--", "/app/app", "health"];
    json(&piped(desk, &words, &Plugin::default()).await)["task"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_command_is_run_in_the_newest_task_by_the_plugin_as_the_aws_cli_calls_it() {
    let desk = open_desk().await;
    let plugin = Plugin::default();
    let said = typed(&desk, &["exec"], &plugin).await;
    shown("exec", &["exec"], &said, Exit::Done);
    let [call] = &plugin.calls()[..] else { panic!("one session: {:?}", plugin.calls()) };
    assert_eq!(call.streams, Streams::Terminal);
    let [session, region, operation, profile, request, address] = &call.arguments;
    assert_eq!([session, region, operation, profile], [SESSION_IN_VARIABLE, "ap-northeast-1", "StartSession", "work"]);
    assert_eq!(address, "https://ssm.ap-northeast-1.amazonaws.com");
    let arn = task(&desk).await;
    let id = arn.rsplit('/').next().unwrap();
    let request: Value = serde_json::from_str(request).unwrap();
    let target = request["Target"].as_str().unwrap();
    assert!(target.starts_with(&format!("ecs:{CLUSTER}_{id}_{id}-")), "{target}");
    let session: Value = serde_json::from_str(call.variable.as_deref().unwrap()).unwrap();
    assert_eq!(session["tokenValue"], SESSION_TOKEN);
    assert!(session["streamUrl"].as_str().unwrap().starts_with("wss://"), "{session}");
    let expected = json!({
        "cluster": CLUSTER, "task": arn, "container": "app", "command": "/app/app health", "interactive": true,
    });
    assert_eq!(sent(&desk, "ExecuteCommand")[0], expected);
}

#[tokio::test(start_paused = true)]
async fn an_old_plugin_gets_the_session_as_it_wants_it_and_somebody_says_that_it_is_old() {
    let desk = open_desk().await;
    let plugin = Plugin::of_version(Some("1.2.331.0"));
    let said = typed(&desk, &["exec"], &plugin).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    has(&said.talk, &["note: session-manager-plugin 1.2.331.0 is old", "install a newer one"]);
    let call = &plugin.calls()[0];
    assert!(call.arguments[0].contains(SESSION_TOKEN) && call.variable.is_none());
}

#[tokio::test(start_paused = true)]
async fn words_reach_the_agent_as_they_were_typed() {
    let desk = open_desk().await;
    let words = ["exec", "--container", "app", "--", "/app/app", "two words", "it's", "--yes"];
    assert_eq!(typed(&desk, &words, &Plugin::default()).await.exit, Exit::Done);
    assert_eq!(sent(&desk, "ExecuteCommand")[0]["command"], r"/app/app 'two words' 'it'\''s' --yes");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_named_by_its_identifier_or_arn_and_must_be_there_and_run() {
    let desk = open_desk().await;
    let plugin = Plugin::default();
    let arn = task(&desk).await;
    let id = arn.rsplit('/').next().unwrap();
    for name in [id, &arn] {
        let said = typed(&desk, &["exec", "--task", name], &plugin).await;
        assert_eq!(said.exit, Exit::Done, "{}", said.talk);
        has(&said.talk, &[&format!("task {id}, running since")]);
    }
    let words = ["exec", "--task", "0123456789abcdef"];
    shown("exec-unknown-task", &words, &typed(&desk, &words, &plugin).await, Exit::BadInput);
    let words = ["exec", "--task", "arn:aws:ecs:ap-northeast-1:123456789012:task/other/0123456789abcdef"];
    shown("exec-task-of-another-cluster", &words, &typed(&desk, &words, &plugin).await, Exit::BadInput);
    let words = ["exec", "--container", "sidecar"];
    shown("exec-unknown-container", &words, &typed(&desk, &words, &plugin).await, Exit::BadInput);
    // One that stopped is remembered for a while.
    std::fs::remove_dir_all(desk.layout()).unwrap();
    let bad = image_layout(desk.layout(), "ends at once").unwrap().to_string();
    desk.cloud.world(|world| world.broken_images.insert(bad));
    let layout = desk.layout().to_str().unwrap();
    let words = [&["deploy", "--yes", "--image-layout", layout], &OPEN[..]].concat();
    assert_eq!(desk.run(&words).await.exit, Exit::Failed);
    let sdk = desk.cloud.sdk_config();
    let ecs = aws_sdk_ecs::Client::new(&sdk);
    let request = ecs.list_tasks().cluster(CLUSTER).desired_status("STOPPED".into());
    let stopped = request.send().await.unwrap().task_arns.unwrap().remove(0);
    let id = stopped.rsplit('/').next().unwrap();
    let said = typed(&desk, &["exec", "--task", id], &plugin).await;
    assert_eq!(said.exit, Exit::BadInput);
    has(&said.talk, &["is STOPPED (Essential container in task exited); only one that runs can be entered"]);
}

#[tokio::test(start_paused = true)]
async fn several_tasks_are_one_that_is_chosen_and_named() {
    let desk = Desk::new().await;
    deploy(&desk, &[&OPEN[..], &["--set", "service.desired_count=3"]].concat()).await;
    sleep(Duration::from_secs(60)).await;
    let said = typed(&desk, &["exec"], &Plugin::default()).await;
    shown("exec-one-of-several", &["exec"], &said, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn the_agent_of_a_new_task_is_waited_for() {
    let desk = Desk::new().await;
    deploy(&desk, &OPEN).await;
    let said = typed(&desk, &["exec"], &Plugin::default()).await;
    shown("exec-agent-on-its-way", &["exec"], &said, Exit::Done);
    assert!(sent(&desk, "ExecuteCommand").len() > 1, "it was tried again");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_never_connects_is_given_up() {
    let desk = open_desk().await;
    let iam = aws_sdk_iam::Client::new(&desk.cloud.sdk_config());
    let role = desk.cloud.world(|world| world.roles.keys().find(|name| name.contains("-task")).cloned()).unwrap();
    iam.delete_role_policy().role_name(role).policy_name("exec").send().await.unwrap();
    let began = Instant::now();
    let plugin = Plugin::default();
    let said = typed(&desk, &["exec"], &plugin).await;
    shown("exec-agent-never-connects", &["exec"], &said, Exit::Failed);
    assert!(began.elapsed() < Duration::from_secs(130), "{:?}", began.elapsed());
    assert!(plugin.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_stopped_says_why() {
    let desk = open_desk().await;
    desk.cloud.world(|world| world.broken_agent = Some("no space left on device".to_owned()));
    let said = typed(&desk, &["exec"], &Plugin::default()).await;
    shown("exec-agent-stopped", &["exec"], &said, Exit::BadInput);
    assert!(sent(&desk, "ExecuteCommand").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_closed_says_how_to_open_it() {
    let desk = Desk::new().await;
    let plugin = Plugin::default();
    shown("exec-nothing", &["exec"], &typed(&desk, &["exec"], &plugin).await, Exit::BadInput);
    deploy(&desk, &[]).await;
    shown("exec-off", &["exec"], &typed(&desk, &["exec"], &plugin).await, Exit::BadInput);
    let words = [&["exec"], &OPEN[..]].concat();
    shown("exec-not-deployed", &words, &typed(&desk, &words, &plugin).await, Exit::BadInput);
    // Switched on by hand, which replaces no task.
    let ecs = aws_sdk_ecs::Client::new(&desk.cloud.sdk_config());
    let switch = async |on: bool| {
        let service = "weather-comment-generator-staging-service";
        let request = ecs.update_service().cluster(CLUSTER).service(service).enable_execute_command(on);
        request.send().await.unwrap();
    };
    switch(true).await;
    shown("exec-task-too-old", &words, &typed(&desk, &words, &plugin).await, Exit::BadInput);
    assert!(sent(&desk, "ExecuteCommand").is_empty() && plugin.calls().is_empty());
    // A deploy replaces the tasks, and then it goes.
    switch(false).await;
    deploy(&desk, &OPEN).await;
    assert_eq!(typed(&desk, &["exec"], &plugin).await.exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn without_the_plugin_no_session_is_opened() {
    let desk = open_desk().await;
    let plugin = Plugin::of_version(None);
    shown("exec-without-plugin", &["exec"], &typed(&desk, &["exec"], &plugin).await, Exit::BadInput);
    assert!(sent(&desk, "ExecuteCommand").is_empty());
}

#[tokio::test(start_paused = true)]
async fn neither_a_pipeline_nor_an_operator_may_and_the_policy_of_whoever_may_is_shown() {
    let desk = open_desk().await;
    let deployment = Deployment::load(&ConfigSource::Environment("staging".to_owned()), &[]).unwrap();
    let plugin = Plugin::default();
    let as_somebody = |who: Who| {
        let place = Place::of(&deployment, local_aws::ACCOUNT);
        // Statements of several documents count together.
        let statements = place.policies(who, ROLE_LIMIT).into_iter().flat_map(|mut it| match it["Statement"].take() {
            Value::Array(statements) => statements,
            other => panic!("no statements: {other}"),
        });
        let policy = Policy::of(&json!({"Statement": statements.collect::<Vec<_>>()}));
        desk.cloud.world(|world| world.policy = Some(policy));
    };
    for who in [Who::Pipeline, Who::Operator] {
        as_somebody(who);
        let said = typed(&desk, &["exec"], &plugin).await;
        shown("exec-denied", &["exec"], &said, Exit::Failed);
    }
    assert!(plugin.calls().is_empty());
    as_somebody(Who::Visitor);
    let said = typed(&desk, &["exec"], &plugin).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_a_command_must_be_given_and_reads_nothing() {
    let desk = open_desk().await;
    let plugin = Plugin::default();
    shown("exec-without-terminal", &["exec"], &piped(&desk, &["exec"], &plugin).await, Exit::BadInput);
    let words = ["exec", "--", "/app/app", "health"];
    assert_eq!(piped(&desk, &words, &plugin).await.exit, Exit::Done);
    assert_eq!(plugin.calls()[0].streams, Streams::Written);
}

#[tokio::test(start_paused = true)]
async fn a_program_gets_one_document_with_what_was_written() {
    let desk = open_desk().await;
    let output = "\nStarting session with SessionId: ecs-execute-command-0\n8501 {\"status\":\"ok\"}\n".to_owned();
    let plugin = Plugin::that_ends(Ended { code: Some(0), output: output.clone() });
    let said = piped(&desk, &["exec", "--output", "json", "--", "/app/app", "health"], &plugin).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    assert_eq!(check_all(&said), "provision.exec/1");
    let document = json(&said);
    assert_eq!(document["command"], json!(["/app/app", "health"]));
    assert_eq!((&document["container"], &document["exit_code"]), (&json!("app"), &json!(0)));
    assert_eq!(document["output"], output);
    assert_eq!(plugin.calls()[0].streams, Streams::Kept);
    // At a terminal, too: who reads JSON types nothing.
    let said = typed(&desk, &["exec", "--output", "json"], &plugin).await;
    assert_eq!((said.exit, check_all(&said).as_str()), (Exit::BadInput, "provision.error/1"));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_fails_is_our_failure() {
    let desk = open_desk().await;
    let plugin = Plugin::that_ends(Ended { code: Some(255), output: String::new() });
    shown("exec-plugin-fails", &["exec"], &typed(&desk, &["exec"], &plugin).await, Exit::Failed);
    let said = piped(&desk, &["exec", "--output", "json", "--", "/app/app", "health"], &plugin).await;
    assert_eq!((said.exit, check_all(&said).as_str()), (Exit::Failed, "provision.exec/1"));
    assert_eq!(json(&said)["exit_code"], 255);
    let killed = Plugin::that_ends(Ended::default());
    let said = typed(&desk, &["exec"], &killed).await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["session-manager-plugin was ended by a signal"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_tells_provision_to_end_ends_the_waiting_and_the_session() {
    let desk = Desk::new().await;
    deploy(&desk, &OPEN).await;
    let plugin = Plugin::that_lasts();
    let said = interrupted(&desk.cloud, &["exec"], &plugin, Duration::from_secs(5)).await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["waiting for the agent", "interrupted before there was a session"]);
    assert!(plugin.calls().is_empty());
    let said = interrupted(&desk.cloud, &["exec"], &plugin, Duration::from_secs(3600)).await;
    assert_eq!(said.exit, Exit::Failed);
    has(&said.talk, &["told to end while a session was held"]);
    assert_eq!(plugin.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_reason_to_run_a_command_twice() {
    let desk = open_desk().await;
    // After who we are, the service, its tasks, and twice what the task is.
    let calls = u64::try_from(desk.cloud.calls().len()).unwrap();
    desk.cloud.set_faults(Faults::at(calls + 6, Fault::AnswerLost));
    let said = typed(&desk, &["exec"], &Plugin::default()).await;
    assert_eq!(said.exit, Exit::Failed, "{}", said.talk);
    has(&said.talk, &["opening a session in task"]);
    assert_eq!(sent(&desk, "ExecuteCommand").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_transcript_has_the_session_without_its_token() {
    let desk = open_desk().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("transcript");
    let transcript = Transcript::append_to(&file).unwrap();
    let words = ["exec", "--", "/app/app", "health"];
    let said = with_plugin(&desk.cloud, &words, false, &Plugin::default(), Some(&transcript)).await;
    assert_eq!(said.exit, Exit::Done, "{}", said.talk);
    let written = std::fs::read_to_string(file).unwrap();
    has(&written, &["ExecuteCommand", "ecs-execute-command-0", "(redacted)"]);
    assert!(!written.contains(SESSION_TOKEN), "{written}");
}

/// A plugin that is a script; the only test with a process.
fn script(folder: &Path, lines: &str) -> InstalledPlugin {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.join("session-manager-plugin");
    std::fs::write(&file, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    InstalledPlugin::new(file, None)
}

#[tokio::test]
async fn an_installed_plugin_gets_its_words_and_its_session_and_the_signals_of_the_terminal() {
    let folder = TempDir::new().unwrap();
    // A terminal sends its signals to both of us; and an input that has ended would end a session.
    let plugin = script(
        folder.path(),
        r#"test "$1" = --version && echo 1.2.707.0 && exit
kill -INT $PPID; kill -QUIT $PPID; kill -TSTP $PPID
echo "$#: $*"; echo "$AWS_SSM_START_SESSION_RESPONSE" >&2
timeout 0.2 cat; test $? = 124 && echo 'the input is open'
exit 7"#,
    );
    assert_eq!(plugin.version().await.unwrap(), "1.2.707.0");
    let holds = plugin.holds();
    assert!(!*holds.borrow());
    let arguments = [SESSION_IN_VARIABLE, "r", "StartSession", "", "{}", "https://there"].map(ToOwned::to_owned);
    let variable = Some("the session".to_owned());
    let ended = plugin.hold(Call { arguments, variable, streams: Streams::Kept }).await.unwrap();
    assert_eq!(ended.code, Some(7));
    let output =
        format!("6: {SESSION_IN_VARIABLE} r StartSession  {{}} https://there\nthe input is open\nthe session\n");
    assert_eq!(ended.output, output);
    assert!(holds.has_changed().unwrap() && !*holds.borrow(), "held in between, and not any more");
    let missing = InstalledPlugin::new(folder.path().join("missing"), None).version().await.unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}
