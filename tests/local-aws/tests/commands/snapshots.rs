//! Each verb as a whole: exit code, results and talk, once as hoped and once as feared.
//!
//! `INSTA_UPDATE=always cargo test --workspace --test commands snapshots` takes them anew; read what changed.

use std::collections::BTreeSet;
use std::mem;

use local_aws::Cloud;
use local_aws::commands::{Said, normal, piped};
use local_aws::github::REPOSITORY;
use local_aws::policy::Policy;
use local_aws::runs::image_layout;
use provision::cli::Exit;

use crate::desk::Desk;

/// What a command did, with whatever differs between runs named instead of shown.
pub(crate) fn page(words: &[&str], said: &Said, desk: Option<&Desk>) -> String {
    let Said { exit, results, talk } = said;
    let text =
        format!("$ provision {}\nexit {}\n--- results\n{results}--- talk\n{talk}", words.join(" "), *exit as i32);
    let folder = desk.map(|desk| desk.layout().to_str().unwrap().to_owned());
    let text = folder.map_or_else(|| text.clone(), |folder| text.replace(&folder, "FOLDER"));
    let mut lines = Vec::new();
    let mut story = BTreeSet::new();
    for line in text.lines() {
        if let Some(told) = told(line) {
            story.extend(told);
            continue;
        }
        lines.extend(mem::take(&mut story));
        lines.push(normal(&without_duration(line)));
    }
    lines.extend(story);
    lines.join("\n")
}

/// A line of the story without its time, if it is one; what runs side by side has no order, so of the rest only
/// beginnings of waits and ends are kept, to be sorted.
fn told(line: &str) -> Option<Option<String>> {
    let (time, text) = line.trim_start().split_once("s  ")?;
    time.parse::<f64>().ok()?;
    let kept = ["done in ", "waiting for ", "FAILED", "skipped: "].iter().any(|part| text.contains(part));
    Some(kept.then(|| normal(&without_duration(text))))
}

/// How long something took depends on what ran beside it.
fn without_duration(line: &str) -> String {
    for word in [" done in ", " FAILED after "] {
        if let Some((head, tail)) = line.split_once(word) {
            let rest = tail.split_once(':').map_or(String::new(), |(_, rest)| format!(":{rest}"));
            return format!("{head}{word}[time]{rest}");
        }
    }
    line.to_owned()
}

#[test]
fn only_what_differs_between_runs_is_left_out() {
    assert_eq!(
        normal("2026-01-02T03:04:05Z vpc-0123456789abcdef0 in 12 s, facade 2026-07-01"),
        "[moment] vpc-[id] in 12 s, facade 2026-07-01"
    );
}

pub(crate) async fn snapshot(desk: &Desk, name: &str, words: &[&str], exit: Exit) {
    snapshot_with_input(desk, name, words, "", exit).await;
}

async fn snapshot_with_input(desk: &Desk, name: &str, words: &[&str], input: &str, exit: Exit) {
    let said = desk.with_input(words, input).await;
    assert_eq!(said.exit, exit, "{words:?}: {}{}", said.results, said.talk);
    insta::assert_snapshot!(name, page(words, &said, Some(desk)));
}

async fn snapshot_without_account(name: &str, words: &[&str], exit: Exit) {
    let said = piped(&Cloud::default(), words, "").await;
    assert_eq!(said.exit, exit, "{words:?}: {}{}", said.results, said.talk);
    insta::assert_snapshot!(name, page(words, &said, None));
}

const OWN_KEY: &str =
    "encryption.kms_key_arn=arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Everything that is off by default because it costs money.
const ALL_OPTIONS: &[&str] = &[
    "--set",
    "network.nat_gateways=2",
    "--set",
    "network.endpoints=true",
    "--set",
    "network.flow_logs=true",
    "--set",
    "edge.access_logs_bucket=logs-of-the-company",
    "--set",
    "edge.web_acl=arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-the-company/0f1e2d3c",
    "--set",
    "service.exec=true",
    "--set",
    "service.container_insights=true",
    "--set",
    OWN_KEY,
];

#[tokio::test(start_paused = true)]
async fn of_what_needs_nothing() {
    for (name, words, exit) in [
        ("help", &["--help"][..], Exit::Done),
        ("help-of-deploy", &["deploy", "--help"], Exit::Done),
        ("help-of-exec", &["exec", "--help"], Exit::Done),
        ("no-such-verb", &["frobnicate"], Exit::BadInput),
        ("validate", &["validate"], Exit::Done),
        ("validate-bad", &["validate", "--set", "scaling.maxx=3", "--set", "logs.retention_days=31"], Exit::BadInput),
        ("cost", &["cost"], Exit::Done),
        ("cost-of-all-options", &[&["cost"], ALL_OPTIONS].concat(), Exit::Done),
        ("validate-options", &["validate", "--set", "network.endpoints=true"], Exit::BadInput),
        ("cost-elsewhere", &["cost", "--set", "region=eu-west-1"], Exit::BadInput),
        ("graph", &["graph"], Exit::Done),
        ("graph-mermaid", &["graph", "--format", "mermaid"], Exit::Done),
        ("graph-bad", &["graph", "--format", "picture"], Exit::BadInput),
        ("schema", &["schema"], Exit::Done),
        ("schema-of-error", &["schema", "error"], Exit::Done),
        ("schema-unknown", &["schema", "nothing"], Exit::BadInput),
        ("completions", &["completions", "fish"], Exit::Done),
        ("completions-bad", &["completions", "no-shell"], Exit::BadInput),
        ("man", &["man"], Exit::Done),
        ("man-of-what", &["man", "deploy"], Exit::BadInput),
        ("plan-without-certificate", &["plan"], Exit::BadInput),
        ("ci-role-without-repository", &["ci-role"], Exit::BadInput),
        ("push-nothing", &["push", "--image-layout", "/nonexistent"], Exit::BadInput),
        ("secrets-unknown-key", &["secrets", "set", "NO_SUCH_KEY"], Exit::BadInput),
        ("doctor-bad", &["doctor"], Exit::BadInput),
        ("logs-bad", &["logs", "--since", "soon"], Exit::BadInput),
    ] {
        snapshot_without_account(name, words, exit).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_an_account_with_nothing_in_it() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap();
    for (name, words, exit) in [
        ("plan-of-everything", &["plan", "--exit-code", "--image-layout", layout][..], Exit::Changes),
        ("plan-without-image", &["plan"], Exit::BadInput),
        ("deploy-unasked", &["deploy", "--image-layout", layout], Exit::Refused),
        ("destroy-nothing", &["destroy", "--yes"], Exit::Done),
        ("status-of-nothing", &["status"], Exit::Done),
        ("outputs-of-nothing", &["outputs"], Exit::Done),
        ("logs-of-nothing", &["logs"], Exit::Done),
        ("history-of-nothing", &["history"], Exit::Done),
        ("rollback-of-nothing", &["rollback", "--yes"], Exit::BadInput),
        ("unlock-nobody", &["unlock", "--yes"], Exit::Done),
        ("doctor", &["doctor"], Exit::Done),
    ] {
        snapshot(&desk, name, words, exit).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_deployed_service() {
    let desk = Desk::new().await;
    let layout = desk.layout().to_str().unwrap();
    for (name, words, exit) in [
        ("deploy", &["deploy", "--yes", "--image-layout", layout][..], Exit::Done),
        ("deploy-again", &["deploy", "--yes"], Exit::Done),
        ("plan-of-nothing", &["plan", "--exit-code"], Exit::Done),
        (
            "plan-of-a-change",
            &[
                "plan",
                "--set",
                "edge.idle_timeout_seconds=90",
                "--set",
                "task.cpu=2048",
                "--set",
                "task.memory_mib=4096",
            ],
            Exit::Done,
        ),
        ("plan-in-colours", &["plan", "--color", "always", "--set", "network.cidr=10.9.0.0/16"], Exit::Refused),
        ("deploy-blocked", &["deploy", "--yes", "--set", "network.cidr=10.9.0.0/16"], Exit::Refused),
        ("deploy-with-a-key", &["deploy", "--yes", "--set", OWN_KEY], Exit::Refused),
        ("outputs", &["outputs"], Exit::Done),
        ("status", &["status"], Exit::Done),
        ("logs", &["logs"], Exit::Done),
        ("secrets-list", &["secrets", "list"], Exit::Done),
        ("doctor-of-a-service", &["doctor"], Exit::Done),
        ("rollback-too-far", &["rollback", "--yes"], Exit::BadInput),
        ("push", &["push", "--image-layout", layout], Exit::Done),
    ] {
        snapshot(&desk, name, words, exit).await;
    }
    assert_eq!(desk.deploy_another("the second program").await.exit, Exit::Done);
    snapshot(&desk, "history", &["history"], Exit::Done).await;
    snapshot(&desk, "rollback", &["rollback", "--yes"], Exit::Done).await;
    snapshot(&desk, "destroy-unasked", &["destroy"], Exit::Refused).await;
    snapshot(&desk, "destroy", &["destroy", "--yes"], Exit::Done).await;
    snapshot(&desk, "destroy-data", &["destroy", "--yes", "--delete-data"], Exit::Done).await;
}

/// Values come by the pipe or a file, and are in no snapshot.
#[tokio::test(start_paused = true)]
async fn of_keys() {
    let desk = Desk::deployed().await;
    snapshot_with_input(&desk, "secrets-set", &["secrets", "set", "WXTECH_API_KEY"], "a-value", Exit::Done).await;
    snapshot_with_input(&desk, "secrets-set-nothing", &["secrets", "set", "WXTECH_API_KEY"], " ", Exit::BadInput).await;
    let file = desk.layout().join("keys.env");
    for (name, lines, exit) in [
        ("secrets-import", "OPENAI_API_KEY=a-value\nexport GEMINI_API_KEY='another'\n", Exit::Done),
        ("secrets-import-bad", "# keys\nOPENAI_API_KEY: a-value\n", Exit::BadInput),
    ] {
        std::fs::write(&file, lines).unwrap();
        snapshot(&desk, name, &["secrets", "import", file.to_str().unwrap()], exit).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_run_that_was_killed() {
    let desk = Desk::new().await;
    desk.deploy_and_be_killed().await;
    snapshot(&desk, "unlock-unasked", &["unlock"], Exit::Refused).await;
    snapshot(&desk, "unlock", &["unlock", "--yes"], Exit::Done).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_pipeline() {
    let desk = Desk::new().await;
    for (name, words, exit) in
        [("ci-role", &["ci-role"][..], Exit::Done), ("ci-role-unasked", &["ci-role", "--apply"], Exit::Refused)]
    {
        snapshot(&desk, name, &[words, &REPOSITORY].concat(), exit).await;
    }
    let applied = desk.run(&[&["ci-role", "--apply", "--yes"][..], &REPOSITORY].concat()).await;
    assert_eq!(applied.exit, Exit::Done, "{}", applied.talk);
    let words = [&["ci-role", "--remove", "--yes"][..], &REPOSITORY].concat();
    snapshot(&desk, "ci-role-remove", &words, Exit::Done).await;
}

/// Whoever may read nothing is told what is missing, whatever is asked.
#[tokio::test(start_paused = true)]
async fn of_a_caller_who_may_nothing() {
    let desk = Desk::deployed().await;
    desk.cloud.world(|world| world.policy = Some(Policy::default()));
    for (name, words) in [
        ("plan-denied", &["plan"][..]),
        ("status-denied", &["status"]),
        ("outputs-denied", &["outputs"]),
        ("logs-denied", &["logs"]),
        ("history-denied", &["history"]),
        ("secrets-denied", &["secrets", "list"]),
        ("unlock-denied", &["unlock", "--yes"]),
    ] {
        snapshot(&desk, name, words, Exit::Failed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_an_image_that_does_not_start() {
    let desk = Desk::deployed().await;
    std::fs::remove_dir_all(desk.layout()).unwrap();
    let bad = image_layout(desk.layout(), "ends at once").unwrap().to_string();
    desk.cloud.world(|world| world.broken_images.insert(bad));
    let layout = desk.layout().to_str().unwrap();
    snapshot(&desk, "deploy-that-fails", &["deploy", "--yes", "--image-layout", layout], Exit::Failed).await;
}
