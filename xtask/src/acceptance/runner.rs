//! Runs `provision` for a step, records it, and ends it when the time is up.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::caps::Caps;
use crate::child::Foreground;
use crate::signals;

/// How often a running step is looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// How `provision` is called.
pub(super) struct Runner {
    program: PathBuf,
    words: Vec<String>,
    environment: Vec<(String, String)>,
    recording: PathBuf,
    caps: Option<Caps>,
}

impl Runner {
    pub(super) fn new(
        program: PathBuf,
        words: Vec<String>,
        environment: Vec<(String, String)>,
        recording: PathBuf,
    ) -> Self {
        Self { program, words, environment, recording, caps: None }
    }

    pub(super) fn with_caps(self, caps: Caps) -> Self {
        Self { caps: Some(caps), ..self }
    }

    pub(super) fn recording(&self) -> &Path {
        &self.recording
    }

    /// Whether no further step should begin.
    pub(super) fn is_over(&self) -> bool {
        signals::asked_to_stop() || self.caps.as_ref().is_some_and(Caps::are_reached)
    }

    /// What the run has cost until now, as an estimate.
    pub(super) fn usd(&self) -> f64 {
        self.caps.as_ref().map_or(0.0, Caps::usd)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).args(&self.words).env("PROVISION_RECORD", &self.recording);
        if !self.environment.is_empty() {
            command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        }
        command
    }

    /// Runs a command to its end, and gives its exit code; it is asked to end when the time is up.
    pub(super) fn run(&self, words: &[&str]) -> Result<i32> {
        self.wait(words, || self.caps.as_ref().is_some_and(Caps::are_reached))
    }

    /// Runs a command to its end, however long that takes: what is made must be destroyed.
    pub(super) fn run_to_the_end(&self, words: &[&str]) -> Result<i32> {
        self.wait(words, || false)
    }

    /// Ctrl-C reaches the command by itself (`signals`); asking it a second time would make it leave at once.
    fn wait(&self, words: &[&str], is_late: impl Fn() -> bool) -> Result<i32> {
        let mut running = Foreground::start("provision", self.command(words))?;
        let mut asked = false;
        while !running.has_ended()? {
            if is_late() && !asked && !signals::asked_to_stop() {
                eprintln!("acceptance: the time is up; what runs is finished, and then everything is destroyed");
                running.ask_to_end();
                asked = true;
            }
            std::thread::sleep(INTERVAL);
        }
        running.wait()?.code().context("provision was ended by a signal")
    }

    /// Runs a command for its JSON document.
    pub(super) fn ask(&self, words: &[&str]) -> Result<Value> {
        let words: Vec<_> = words.iter().copied().chain(["--output", "json"]).collect();
        let output = self.command(&words).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        if output.stdout.is_empty() {
            bail!("provision {} gave no answer ({})", words.join(" "), output.status);
        }
        serde_json::from_slice(&output.stdout).context("the answer of provision is no JSON")
    }

    /// What the deployment costs a month.
    pub(super) fn usd_a_month(&self) -> Result<f64> {
        self.ask(&["cost"])?["bill"]["usd"].as_f64().context("provision cost gave no sum")
    }

    /// Writes into the recording what begins, and what the simulation has to know of it.
    pub(super) fn note(&self, step: &str, broken_image: Option<&str>) -> Result<()> {
        let mut note = json!({"step": step});
        if let Some(digest) = broken_image {
            note["broken_image"] = json!(digest);
        }
        let shown = || format!("writing {}", self.recording.display());
        let mut file = OpenOptions::new().create(true).append(true).open(&self.recording).with_context(shown)?;
        file.write_all(format!("{note}\n").as_bytes()).with_context(shown)
    }
}
