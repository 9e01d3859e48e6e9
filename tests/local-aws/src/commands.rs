//! Whole command lines of `provision` against the account: words in, words and an exit code out.

use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use provision::cli::{Exit, Surroundings, Terminal, Workflow, run};
use provision::transcript::Transcript;
use tokio::sync::watch;

use crate::{Cloud, lock};

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How it ended.
    pub exit: Exit,
    /// What was asked for.
    pub results: String,
    /// Everything else.
    pub talk: String,
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }
}

/// Runs a command line in a pipe, with some text piped in.
pub async fn piped(cloud: &Cloud, arguments: &[&str], input: &str) -> Said {
    say(cloud, arguments, input, false, Extras::default()).await
}

/// Runs a command line at a terminal, where somebody types.
pub async fn typed(cloud: &Cloud, arguments: &[&str], input: &str) -> Said {
    say(cloud, arguments, input, true, Extras::default()).await
}

/// Runs a command line in a step of a GitHub workflow.
pub async fn in_workflow(cloud: &Cloud, arguments: &[&str], workflow: Workflow) -> Said {
    say(cloud, arguments, "", false, Extras { workflow: Some(workflow), ..Extras::default() }).await
}

/// Runs a command line in a pipe, and writes down every call it makes.
pub async fn recorded(cloud: &Cloud, arguments: &[&str], input: &str, transcript: &Transcript) -> Said {
    say(cloud, arguments, input, false, Extras { transcript: Some(transcript.clone()), ..Extras::default() }).await
}

/// What most runs do without.
#[derive(Default)]
struct Extras {
    workflow: Option<Workflow>,
    transcript: Option<Transcript>,
}

async fn say(cloud: &Cloud, arguments: &[&str], input: &str, interactive: bool, extras: Extras) -> Said {
    let (results, talk) = (Page::default(), Page::default());
    let answers = Cursor::new(input.as_bytes().to_vec());
    let (_interrupt, interrupted) = watch::channel(false);
    let surroundings = Surroundings {
        terminal: Terminal::new(results.clone(), talk.clone(), answers, interactive),
        sdk: Some(cloud.sdk_config()),
        front: Some(cloud.front()),
        interrupted,
        at_work: watch::Sender::default(),
        transcript: extras.transcript,
        workflow: extras.workflow,
        seed: 1,
    };
    let words = std::iter::once("provision").chain(arguments.iter().copied()).map(OsString::from);
    let exit = run(words, &surroundings).await;
    Said { exit, results: results.text(), talk: talk.text() }
}
