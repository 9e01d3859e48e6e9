//! Each key of the configuration, changed on a deployed stack: exactly what the plan says, as a snapshot a section, and
//! after the deploy there is nothing left to do.
//!
//! `INSTA_UPDATE=always cargo test --workspace --test configuration` takes the snapshots anew; read what changed.
#![expect(clippy::unwrap_used, reason = "the helpers of the tests fail as the tests do")]

mod sections;

use local_aws::Cloud;
use local_aws::commands::{Said, normal, piped};
use local_aws::runs::{certificate, image_layout};
use provision::cli::Exit;
use tempfile::TempDir;

/// Settings that are given together, in their order; the first one's key is what the case is about. A key without a value
/// is given no longer.
pub(crate) type Change = &'static [&'static str];

/// The key of a setting, or of one that is given no longer.
pub(crate) fn key(setting: &str) -> &str {
    setting.split_once('=').map_or(setting, |(key, _)| key)
}

/// An account with our stack in it, under settings that become more and more.
pub(crate) struct Desk {
    cloud: Cloud,
    settings: Vec<String>,
    folder: TempDir,
}

impl Desk {
    pub(crate) async fn deployed() -> Self {
        let cloud = Cloud::default();
        let settings = vec![format!("edge.certificate_arn={}", certificate(&cloud).await.unwrap())];
        let desk = Self { cloud, settings, folder: TempDir::new().unwrap() };
        image_layout(desk.folder.path(), "a program").unwrap();
        let said = desk.run(&["deploy", "--yes", "--image-layout", desk.folder.path().to_str().unwrap()]).await;
        assert_eq!(said.exit, Exit::Done, "{}", said.talk);
        desk
    }

    pub(crate) async fn run(&self, words: &[&str]) -> Said {
        let settings = self.settings.iter().flat_map(|setting| ["--set", setting]);
        let words: Vec<_> = words.iter().copied().chain(settings).collect();
        piped(&self.cloud, &words, "").await
    }

    /// The same account as somebody sees it who gives some settings more.
    async fn with(&self, settings: &[&str], words: &[&str]) -> Said {
        let more = settings.iter().flat_map(|setting| ["--set", *setting]);
        self.run(&words.iter().copied().chain(more).collect::<Vec<_>>()).await
    }

    fn take(&mut self, change: &[&str]) {
        let replaced: Vec<_> = change.iter().map(|setting| key(setting)).collect();
        self.settings.retain(|setting| !replaced.contains(&key(setting)));
        self.settings.extend(change.iter().filter(|setting| setting.contains('=')).map(ToString::to_string));
    }

    /// Deploys one change after another, and gives the plan of each; what one leaves to do, the next one's plan shows.
    pub(crate) async fn plans(&mut self, changes: &[Change]) -> String {
        let mut plans = Vec::new();
        for change in changes {
            self.take(change);
            let said = self.run(&["deploy", "--yes"]).await;
            assert_eq!(said.exit, Exit::Done, "{change:?}: {}", said.talk);
            plans.push(page(change, &said.talk));
        }
        self.settle().await;
        plans.join("\n\n")
    }

    /// After the last change there is nothing left to do.
    pub(crate) async fn settle(&self) {
        let said = self.run(&["plan", "--exit-code"]).await;
        assert_eq!(said.exit, Exit::Done, "something is left to do: {}", said.results);
    }
}

/// A change and its plan: the lines before those about money, time, and what came of it.
fn page(change: &[&str], talk: &str) -> String {
    let given = |setting: &&str| if setting.contains('=') { "--set" } else { "without" };
    let settings: Vec<_> = change.iter().map(|setting| format!("{} {}", given(setting), normal(setting))).collect();
    let is_plan = |line: &&str| !["cost ", "the service is at ", "waiting for "].iter().any(|it| line.starts_with(it));
    let plan: Vec<_> = talk.lines().take_while(is_plan).map(normal).collect();
    format!("{}\n{}", settings.join(" "), plan.join("\n"))
}
