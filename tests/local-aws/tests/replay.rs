//! Recordings of whole commands, and how the simulation answers when they are played to it.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

use std::fs;

use local_aws::Cloud;
use local_aws::commands::{Said, recorded};
use local_aws::replay::{Recording, replay};
use local_aws::runs::{certificate, image_layout};
use provision::cli::Exit;
use provision::transcript::Transcript;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A secret that must not be written down.
const SECRET: &str = "do-not-record-4711";

/// An account whose calls are recorded.
struct Desk {
    cloud: Cloud,
    certificate: String,
    folder: TempDir,
    transcript: Transcript,
}

impl Desk {
    async fn new() -> Self {
        let cloud = Cloud::default();
        let certificate = certificate(&cloud).await.unwrap();
        let folder = TempDir::new().unwrap();
        let transcript = Transcript::append_to(&folder.path().join("recording")).unwrap();
        Self { cloud, certificate, folder, transcript }
    }

    async fn run(&self, words: &[&str], input: &str) -> Said {
        let certificate = format!("edge.certificate_arn={}", self.certificate);
        let words: Vec<_> = words.iter().copied().chain(["--set", &certificate]).collect();
        recorded(&self.cloud, &words, input, &self.transcript).await
    }

    async fn deploy(&self, program: &str) -> Said {
        let layout = self.folder.path().join(program);
        image_layout(&layout, program).unwrap();
        self.run(&["deploy", "--yes", "--image-layout", layout.to_str().unwrap()], "").await
    }

    /// Says that an image does not start, to the account and in the recording.
    fn break_image(&self, program: &str) {
        let image = image_layout(&self.folder.path().join(program), program).unwrap().to_string();
        let note = json!({"step": "an image that ends at once", "broken_image": image});
        fs::write(self.folder.path().join("recording"), format!("{}{note}\n", self.recording())).unwrap();
        self.cloud.world(|world| world.broken_images.insert(image));
    }

    fn recording(&self) -> String {
        fs::read_to_string(self.folder.path().join("recording")).unwrap()
    }
}

async fn differences(recording: &str) -> Vec<String> {
    let replayed = replay(&Recording::read(recording).unwrap()).await.unwrap();
    assert!(replayed.calls > 100, "{} calls are no deploy", replayed.calls);
    replayed.differences.iter().map(ToString::to_string).collect()
}

/// Changes the first line that fits; gives its number and the whole.
fn tampered(recording: &str, fits: impl Fn(&Value) -> bool, change: impl FnOnce(&mut Value)) -> (usize, String) {
    let mut lines: Vec<Value> = recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let index = lines.iter().position(fits).unwrap();
    change(&mut lines[index]);
    (index + 1, lines.iter().map(|line| format!("{line}\n")).collect())
}

fn is(operation: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["operation"] == operation
}

#[tokio::test(start_paused = true)]
async fn a_recording_of_the_simulation_replays_without_a_difference_and_holds_no_secret() {
    let desk = Desk::new().await;
    assert_eq!(desk.deploy("the first program").await.exit, Exit::Done);
    assert_eq!(desk.run(&["secrets", "set", "WXTECH_API_KEY"], SECRET).await.exit, Exit::Done);
    assert_eq!(desk.run(&["secrets", "list"], "").await.exit, Exit::Done);
    desk.break_image("a program that ends at once");
    assert_eq!(desk.deploy("a program that ends at once").await.exit, Exit::Failed);
    assert_eq!(desk.run(&["destroy", "--yes", "--delete-data"], "").await.exit, Exit::Done);
    let recording = desk.recording();
    assert!(recording.contains("PutSecretValue") && !recording.contains(SECRET));
    assert!(recording.contains(r#"\"WXTECH_API_KEY\":\"(redacted)\""#));
    assert!(!recording.contains("Signature="), "a signature was recorded");
    assert_eq!(differences(&recording).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn whatever_aws_did_otherwise_is_printed_and_nothing_else() {
    let desk = Desk::new().await;
    assert_eq!(desk.deploy("the first program").await.exit, Exit::Done);
    let recording = desk.recording();

    let (line, text) = tampered(&recording, is("CreateRepository"), |line| line["code"] = json!("ClientException"));
    let found = differences(&text).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("line {line}, after ")), "{found:?}");
    assert!(
        found[0].ends_with("ecr CreateRepository: AWS refused with ClientException, the simulation did not"),
        "{found:?}"
    );

    let (line, text) = tampered(&recording, is("DescribeFileSystems"), |line| {
        line["answer"]["json"]["FileSystems"] = json!([{"LifeCycleState": "updating"}]);
    });
    let found = differences(&text).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let parts =
        [format!("line {line}, "), "FileSystems[].LifeCycleState: AWS said [updating], the simulation [".to_owned()];
    assert!(parts.iter().all(|part| found[0].contains(part.as_str())), "{found:?}");

    let (_, text) = tampered(
        &recording,
        |line| line["code"] == "ResourceNotFoundException",
        |line| {
            line["code"] = json!("AccessDeniedException");
        },
    );
    let found = differences(&text).await;
    assert!(
        found[0].contains("AWS refused with AccessDeniedException, the simulation with ResourceNotFound"),
        "{found:?}"
    );
    assert_eq!(found.len(), 1, "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn an_aws_that_was_faster_is_told_as_so_many_durations_and_nothing_else() {
    let desk = Desk::new().await;
    assert_eq!(desk.deploy("the first program").await.exit, Exit::Done);
    assert_eq!(desk.deploy("the second program").await.exit, Exit::Done);
    let mut lines: Vec<Value> = desk.recording().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let began = lines[0]["at"].as_u64().unwrap();
    for line in &mut lines {
        line["at"] = json!(began + (line["at"].as_u64().unwrap() - began) / 10);
        line["took"] = json!(line["took"].as_u64().unwrap() / 10);
    }
    let found = differences(&lines.iter().map(|line| format!("{line}\n")).collect::<String>()).await;
    let refused: Vec<_> = found.iter().filter(|it| it.contains("AWS did it, the simulation refused")).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let late = |what: &str| found.iter().any(|it| it.contains(what) && it.contains("at first, and answered as AWS"));
    assert!(late("said [creating]") && late("said [provisioning]") && late("said [IN_PROGRESS]"), "{found:?}");
}

#[test]
fn a_file_that_is_no_recording_is_told_with_its_line() {
    let note = json!({"step": "create"}).to_string();
    let error = Recording::read(&format!("{note}\n\nhello\n")).unwrap_err();
    assert!(format!("{error:#}").contains("line 3 is no line of a recording"), "{error:#}");
}
