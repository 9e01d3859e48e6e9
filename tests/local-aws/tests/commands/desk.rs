//! An account and a folder with an image, at which commands are typed.

use std::path::Path;

use local_aws::Cloud;
use local_aws::commands::{Said, piped};
use local_aws::faults::{Fault, Faults};
use local_aws::runs::{certificate, image_layout};
use provision::aws::{Aws, Owner};
use provision::cli::Exit;
use provision::guard::Access;
use serde_json::Value;
use tempfile::TempDir;

/// An account with a certificate, and a folder with an image.
pub(crate) struct Desk {
    pub(crate) cloud: Cloud,
    pub(crate) certificate: String,
    folder: TempDir,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let cloud = Cloud::default();
        let certificate = certificate(&cloud).await.unwrap();
        let desk = Self { cloud, certificate, folder: TempDir::new().unwrap() };
        image_layout(desk.layout(), "the first program").unwrap();
        desk
    }

    pub(crate) fn layout(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn run(&self, words: &[&str]) -> Said {
        self.with_input(words, "").await
    }

    pub(crate) async fn with_input(&self, words: &[&str], input: &str) -> Said {
        let certificate = format!("edge.certificate_arn={}", self.certificate);
        let words: Vec<_> = words.iter().copied().chain(["--set", &certificate]).collect();
        piped(&self.cloud, &words, input).await
    }

    pub(crate) async fn deploy(&self) -> Said {
        self.run(&["deploy", "--yes", "--image-layout", self.layout().to_str().unwrap()]).await
    }

    /// Begins a deploy that is killed half way, under the lock.
    pub(crate) async fn deploy_and_be_killed(&self) {
        let calls = u64::try_from(self.cloud.calls().len()).unwrap();
        self.cloud.set_faults(Faults::at(calls + 120, Fault::KilledBefore));
        tokio::select! {
            biased;
            () = self.cloud.killed() => (),
            said = self.deploy() => panic!("not killed: {}", said.talk),
        }
    }

    pub(crate) async fn deployed() -> Self {
        let desk = Self::new().await;
        let said = desk.deploy().await;
        assert_eq!(said.exit, Exit::Done, "{}", said.talk);
        desk
    }

    /// Puts another image into the folder; gives its digest.
    pub(crate) fn build(&self, program: &str) -> String {
        std::fs::remove_dir_all(self.layout()).unwrap();
        image_layout(self.layout(), program).unwrap().to_string()
    }

    /// Clients of somebody else in the account.
    pub(crate) fn somebody(&self) -> Aws {
        let owner = Owner { app: "somebody".to_owned(), environment: "else".to_owned() };
        self.cloud.aws(owner, Access::ReadWrite)
    }

    pub(crate) async fn deploy_another(&self, program: &str) -> Said {
        self.build(program);
        self.deploy().await
    }
}

pub(crate) fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing from:\n{text}");
    }
}

pub(crate) fn json(said: &Said) -> Value {
    serde_json::from_str(&said.results).unwrap_or_else(|error| panic!("{error}: {}", said.results))
}
