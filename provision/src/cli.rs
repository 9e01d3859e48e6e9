//! The command line: words in, words and an exit code out. The only part of the library that talks, and only to
//! the terminal it was given.

mod arguments;
mod ci_role;
mod consent;
mod cost;
mod deploy;
mod destroy;
mod doctor;
mod document;
mod error;
mod event;
mod exec;
mod exit;
mod front_door;
mod github;
mod graph;
mod history;
mod live;
mod logs;
mod outputs;
mod plan;
mod plugin;
mod push;
mod report;
mod schema;
mod secrets;
mod session;
mod shell;
mod status;
mod summary;
mod terminal;
mod unlock;
mod validate;
mod voice;

use std::ffi::OsString;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use tokio::sync::watch;

pub use document::{schema_file, schemas};
pub use exit::Exit;
pub use github::Workflow;
pub use plugin::{Call, Ended, InstalledPlugin, SESSION_IN_VARIABLE, SessionPlugin, Streams};
pub use terminal::Terminal;

use crate::cli::arguments::{Arguments, Verb};
use crate::cli::error::Error;
use crate::cli::github::Level;
use crate::cli::session::Session;
use crate::cli::voice::Voice;
use crate::transcript::Transcript;

/// What a run gets from outside.
#[derive(Debug)]
pub struct Surroundings {
    /// Where words go, and answers come from.
    pub terminal: Terminal,
    /// How to reach AWS; without it, every way that the SDK knows is tried.
    pub sdk: Option<SdkConfig>,
    /// How to reach what was deployed; without it, over the network.
    pub front: Option<SharedHttpConnector>,
    /// Becomes true when no further work should be started.
    pub interrupted: watch::Receiver<bool>,
    /// Becomes true when something has begun that an interruption lets come to its end.
    pub at_work: watch::Sender<bool>,
    /// Where every call to AWS is written down, if anywhere.
    pub transcript: Option<Transcript>,
    /// What holds sessions in tasks.
    pub plugin: Box<dyn SessionPlugin>,
    /// The GitHub workflow that this is a step of.
    pub workflow: Option<Workflow>,
    /// Shifts the pauses between attempts, so that runs beside each other do not beat in time.
    pub seed: u64,
}

/// Runs one command line; the first argument is the program's name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, surroundings: &Surroundings) -> Exit {
    let terminal = &surroundings.terminal;
    let words: Vec<_> = arguments.into_iter().collect();
    let arguments = match Arguments::of(&words) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && asks_for_json(&words) => {
            terminal.print(document::written(&Error::new(Exit::BadInput, error.to_string().trim_end())));
            return Exit::BadInput;
        }
        Err(error) if error.use_stderr() => {
            terminal.say(error.render());
            return Exit::BadInput;
        }
        // Help and version were asked for.
        Err(error) => {
            terminal.print(error.render());
            return Exit::Done;
        }
    };
    let voice = Voice::new(terminal, &arguments.common, surroundings.workflow.is_some());
    // On the heap, because a whole run with all its calls in flight is larger than some threads' stacks.
    match Box::pin(verb(arguments, surroundings, &voice)).await {
        Ok(exit) => exit,
        Err(error) => {
            if voice.is_for_people() {
                voice.say(format_args!("error: {error:#}"));
            }
            voice.annotate(Level::Error, "provision", format_args!("{error:#}"));
            voice.document(&Error::of(&error));
            Exit::of(&error)
        }
    }
}

/// Whether words that make no sense together at least say how to answer.
fn asks_for_json(words: &[OsString]) -> bool {
    words.iter().any(|word| word == "--output=json")
        || words.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}

async fn verb(arguments: Arguments, surroundings: &Surroundings, voice: &Voice<'_>) -> anyhow::Result<Exit> {
    // What needs no configuration.
    match &arguments.verb {
        Verb::Completions { shell } => return Ok(shell::completions(&surroundings.terminal, *shell)),
        Verb::Man => return shell::man(&surroundings.terminal),
        Verb::Schema(arguments) => return schema::run(&surroundings.terminal, arguments),
        _ => (),
    }
    let session = Session::load(&arguments.common, surroundings, voice)?;
    match arguments.verb {
        Verb::Plan(arguments) => plan::run(&session, &arguments).await,
        Verb::Deploy(arguments) => deploy::run(&session, &arguments).await,
        Verb::Destroy(arguments) => destroy::run(&session, &arguments).await,
        Verb::Outputs => outputs::run(&session).await,
        Verb::Status => status::run(&session).await,
        Verb::Logs(arguments) => logs::run(&session, &arguments).await,
        Verb::History => history::run(&session).await,
        Verb::Rollback(arguments) => history::rollback(&session, &arguments).await,
        Verb::Unlock(arguments) => unlock::run(&session, &arguments).await,
        Verb::Secrets(arguments) => secrets::run(&session, &arguments).await,
        Verb::Push(arguments) => push::run(&session, &arguments).await,
        Verb::Exec(arguments) => exec::run(&session, &arguments).await,
        Verb::Doctor(arguments) => doctor::run(&session, &arguments).await,
        Verb::Validate => Ok(validate::run(&session)),
        Verb::CiRole(arguments) => ci_role::run(&session, &arguments).await,
        Verb::Cost => cost::run(&session),
        Verb::Graph(arguments) => graph::run(&session, &arguments),
        Verb::Completions { .. } | Verb::Man | Verb::Schema(_) => unreachable!("they were answered before"),
    }
}
