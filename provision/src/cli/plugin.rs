//! The program that holds a session in a task: AWS's `session-manager-plugin`, called as the AWS CLI calls it.
//!
//! It carries keys and answers between this terminal and the task over a WebSocket. The session's token goes to it and
//! nowhere else.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::Stdio;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The variable in which a plugin that is new enough takes the session. Arguments can be read by everybody on the
/// machine, and variables only by the same user.
pub const SESSION_IN_VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";

/// The last version that takes the session only as an argument.
const LAST_WITHOUT_VARIABLE: [u32; 4] = [1, 2, 497, 0];

/// Whatever holds sessions in tasks.
pub trait SessionPlugin: fmt::Debug + Send + Sync {
    /// Asks for its version; an error of the kind `NotFound` when it is not installed.
    fn version(&self) -> BoxFuture<'_, io::Result<String>>;

    /// The profile whose credentials are used, which the plugin needs to take up a session again.
    fn profile(&self) -> &str;

    /// Holds a session until it ends.
    fn hold(&self, call: Call) -> BoxFuture<'_, io::Result<Ended>>;
}

/// How a plugin is called for one session.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The session or the name of the variable that has it, region, operation, profile, request, and the address of
    /// Session Manager.
    pub arguments: [String; 6],
    /// The session as a variable, where the plugin takes it so.
    pub variable: Option<String>,
    /// Where its words come from and go to.
    pub streams: Streams,
}

/// Without the session, which has the token in it.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("arguments", &&self.arguments[1..])
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

/// Where the words of a session come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Both are this process's terminal.
    Terminal,
    /// Nothing is typed, and what is written goes where we write.
    Written,
    /// Nothing is typed, and what is written is given back.
    Kept,
}

/// How a session ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The plugin's exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// What was written, if it was to be kept.
    pub output: String,
}

impl Call {
    /// The call for a session, given as JSON with its token.
    pub(super) fn new(version: &str, session: String, more: [&str; 4], streams: Streams) -> Self {
        let [region, profile, request, address] = more.map(ToOwned::to_owned);
        let (session, variable) =
            if takes_variable(version) { (SESSION_IN_VARIABLE.to_owned(), Some(session)) } else { (session, None) };
        Self { arguments: [session, region, "StartSession".to_owned(), profile, request, address], variable, streams }
    }
}

/// Whether a plugin of this version takes the session in a variable; one that does not say its version gets the argument.
pub(super) fn takes_variable(version: &str) -> bool {
    let parts: Option<Vec<u32>> = version.trim().split('.').map(|part| part.parse().ok()).collect();
    let Some(mut parts) = parts.filter(|parts| parts.len() <= LAST_WITHOUT_VARIABLE.len()) else { return false };
    parts.resize(LAST_WITHOUT_VARIABLE.len(), 0);
    parts[..] > LAST_WITHOUT_VARIABLE[..]
}

/// The plugin that is installed on this machine.
#[derive(Debug)]
pub struct InstalledPlugin {
    program: OsString,
    profile: String,
    holds: watch::Sender<bool>,
}

impl InstalledPlugin {
    /// A program by its path, or by its name on the path, used with a profile's credentials.
    pub fn new(program: impl Into<OsString>, profile: Option<String>) -> Self {
        Self { program: program.into(), profile: profile.unwrap_or_default(), holds: watch::Sender::new(false) }
    }

    /// Is true while a session is held, when Ctrl-C belongs to it.
    pub fn holds(&self) -> watch::Receiver<bool> {
        self.holds.subscribe()
    }

    async fn run(&self, call: Call) -> io::Result<Ended> {
        // The terminal sends these to us, too; the plugin passes them on to the task.
        let _ours = [SignalKind::interrupt(), SignalKind::quit(), SUSPEND].map(signal);
        let _holding = Holding::begin(&self.holds);
        let mut command = Command::new(&self.program);
        command.args(&call.arguments).kill_on_drop(true);
        if let Some(session) = call.variable {
            command.env(SESSION_IN_VARIABLE, session);
        }
        if call.streams != Streams::Terminal {
            command.stdin(Stdio::piped());
        }
        if call.streams == Streams::Kept {
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let mut plugin = command.spawn()?;
        // Open until the end: a plugin that has read all its input ends before the command has answered.
        let typed = plugin.stdin.take();
        let ended = plugin.wait_with_output().await?;
        drop(typed);
        let output = [ended.stdout, ended.stderr].concat();
        Ok(Ended { code: ended.status.code(), output: String::from_utf8_lossy(&output).into_owned() })
    }
}

/// Ctrl-Z, for which tokio has no name.
const SUSPEND: SignalKind = SignalKind::from_raw(if cfg!(target_os = "linux") { 20 } else { 18 });

impl SessionPlugin for InstalledPlugin {
    fn version(&self) -> BoxFuture<'_, io::Result<String>> {
        async {
            let mut command = Command::new(&self.program);
            let output = command.arg("--version").stdin(Stdio::null()).kill_on_drop(true).output().await?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        .boxed()
    }

    fn profile(&self) -> &str {
        &self.profile
    }

    fn hold(&self, call: Call) -> BoxFuture<'_, io::Result<Ended>> {
        self.run(call).boxed()
    }
}

/// Says that a session is held for as long as it lives.
struct Holding<'a>(&'a watch::Sender<bool>);

impl<'a> Holding<'a> {
    fn begin(holds: &'a watch::Sender<bool>) -> Self {
        holds.send_replace(true);
        Self(holds)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORE: [&str; 4] = ["ap-northeast-1", "work", "{}", "https://ssm.ap-northeast-1.amazonaws.com"];

    #[test]
    fn a_plugin_that_takes_the_session_in_a_variable_gets_it_there() {
        let session = || r#"{"tokenValue":"4711"}"#.to_owned();
        let new = Call::new("1.2.707.0\n", session(), MORE, Streams::Terminal);
        assert!(!new.arguments.concat().contains("4711"), "{:?}", new.arguments);
        assert_eq!(new.arguments[0], SESSION_IN_VARIABLE);
        assert_eq!(new.variable.as_deref(), Some(r#"{"tokenValue":"4711"}"#));
        let old = Call::new("1.2.497.0", session(), MORE, Streams::Terminal);
        assert_eq!((old.arguments[0].as_str(), old.variable.as_ref()), (r#"{"tokenValue":"4711"}"#, None));
        for call in [new, old] {
            assert!(!format!("{call:?}").contains("4711"));
            assert_eq!(call.arguments[1..], [MORE[0], "StartSession", MORE[1], MORE[2], MORE[3]]);
        }
    }

    #[test]
    fn versions_are_compared_part_by_part() {
        for (version, takes) in [
            ("1.2.497.0", false),
            ("1.2.498.0", true),
            ("1.2.553.0", true),
            ("1.10", true),
            ("2", true),
            ("1.2.60.0", false),
            ("", false),
            ("unknown", false),
            ("1.2.3.4.5", false),
        ] {
            assert_eq!(takes_variable(version), takes, "{version}");
        }
    }
}
