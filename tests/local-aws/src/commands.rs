//! Whole command lines of `provision` against the account: words in, words and an exit code out.

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use provision::cli::{Call, Ended, Exit, SessionPlugin, Surroundings, Terminal, Workflow, run};
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

/// Runs a command line with a session plugin, in a pipe or at a terminal, and writes down every call it makes.
pub async fn with_plugin(
    cloud: &Cloud,
    arguments: &[&str],
    interactive: bool,
    plugin: &Plugin,
    transcript: Option<&Transcript>,
) -> Said {
    let extras = Extras { plugin: plugin.clone(), transcript: transcript.cloned(), ..Extras::default() };
    say(cloud, arguments, "", interactive, extras).await
}

/// Runs a command line at a terminal, and tells it after a while to end.
pub async fn interrupted(cloud: &Cloud, arguments: &[&str], plugin: &Plugin, after: Duration) -> Said {
    let extras = Extras { plugin: plugin.clone(), interrupted_after: Some(after), ..Extras::default() };
    say(cloud, arguments, "", true, extras).await
}

/// What most runs do without.
#[derive(Default)]
struct Extras {
    interrupted_after: Option<Duration>,
    workflow: Option<Workflow>,
    transcript: Option<Transcript>,
    plugin: Plugin,
}

/// A session plugin without a process: it remembers how it was called, and ends as it is told.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Its version; nothing when it is not installed.
    version: Option<&'static str>,
    /// How sessions end; nothing when they never do by themselves.
    ends: Option<Ended>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Default for Plugin {
    fn default() -> Self {
        let ends = Ended { code: Some(0), output: String::new() };
        Self { version: Some("1.2.707.0"), ends: Some(ends), calls: Arc::default() }
    }
}

impl Plugin {
    /// One of a version, or one that is not installed.
    pub fn of_version(version: Option<&'static str>) -> Self {
        Self { version, ..Self::default() }
    }

    /// One whose sessions end like this.
    pub fn that_ends(ended: Ended) -> Self {
        Self { ends: Some(ended), ..Self::default() }
    }

    /// One whose sessions last.
    pub fn that_lasts() -> Self {
        Self { ends: None, ..Self::default() }
    }

    /// How it was called for each session.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }
}

/// An answer of a plugin.
type Answer<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

impl SessionPlugin for Plugin {
    fn version(&self) -> Answer<'_, String> {
        let version = self.version.map(ToOwned::to_owned).ok_or_else(|| io::ErrorKind::NotFound.into());
        Box::pin(std::future::ready(version))
    }

    fn profile(&self) -> &'static str {
        "work"
    }

    fn hold(&self, call: Call) -> Answer<'_, Ended> {
        lock(&self.calls).push(call);
        match self.ends.clone() {
            Some(ended) => Box::pin(std::future::ready(Ok(ended))),
            None => Box::pin(std::future::pending()),
        }
    }
}

async fn say(cloud: &Cloud, arguments: &[&str], input: &str, interactive: bool, extras: Extras) -> Said {
    let (results, talk) = (Page::default(), Page::default());
    let answers = Cursor::new(input.as_bytes().to_vec());
    let (interrupt, interrupted) = watch::channel(false);
    let surroundings = Surroundings {
        terminal: Terminal::new(results.clone(), talk.clone(), answers, interactive),
        sdk: Some(cloud.sdk_config()),
        front: Some(cloud.front()),
        interrupted,
        at_work: watch::Sender::default(),
        transcript: extras.transcript,
        plugin: Box::new(extras.plugin),
        workflow: extras.workflow,
        seed: 1,
    };
    let words = std::iter::once("provision").chain(arguments.iter().copied()).map(OsString::from);
    let interruption = async {
        if let Some(after) = extras.interrupted_after {
            tokio::time::sleep(after).await;
            interrupt.send_replace(true);
        }
        std::future::pending::<()>().await;
    };
    let exit = tokio::select! {
        exit = run(words, &surroundings) => exit,
        () = interruption => unreachable!("an interruption alone ends nothing"),
    };
    Said { exit, results: results.text(), talk: talk.text() }
}

/// Names the identifiers and moments in a line, which differ between runs.
pub fn normal(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let length = |test: fn(char) -> bool| rest.find(|c: char| !test(c)).unwrap_or(rest.len());
        let moment = length(|c| c.is_ascii_digit() || "-:TZ.".contains(c));
        if moment >= 20 && rest[..moment].contains('T') {
            out.push_str("[moment]");
            rest = &rest[moment..];
            continue;
        }
        // The account ends a secret's ARN with six characters by chance.
        if let Some(chance) = rest.strip_prefix("api-keys-").and_then(|it| it.get(6..)) {
            out.push_str("api-keys-[id]");
            rest = chance;
            continue;
        }
        let word = length(|c| c.is_ascii_alphanumeric()).max(first.len_utf8());
        out.push_str(if is_identifier(&rest[..word]) { "[id]" } else { &rest[..word] });
        rest = &rest[word..];
    }
    out
}

/// Hexadecimal, long, and with a digit; an account's number is one, too.
fn is_identifier(word: &str) -> bool {
    word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit()) && word.chars().any(|c| c.is_ascii_digit())
}
