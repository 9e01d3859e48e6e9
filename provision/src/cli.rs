//! The command line: words in, words and an exit code out. The only part of the library that talks, and only to
//! the terminal it was given.

mod arguments;
mod ci_role;
mod cost;
mod deploy;
mod destroy;
mod doctor;
mod exit;
mod graph;
mod history;
mod logs;
mod outputs;
mod plan;
mod push;
mod report;
mod secrets;
mod session;
mod shell;
mod status;
mod terminal;
mod unlock;

use std::ffi::OsString;

use aws_config::SdkConfig;
use clap::Parser as _;
use tokio::sync::watch;

pub use exit::Exit;
pub use terminal::Terminal;

use crate::cli::arguments::{Arguments, Verb};
use crate::cli::session::Session;
use crate::transcript::Transcript;

/// What a run gets from outside.
#[derive(Debug)]
pub struct Surroundings {
    /// Where words go, and answers come from.
    pub terminal: Terminal,
    /// How to reach AWS; without it, every way that the SDK knows is tried.
    pub sdk: Option<SdkConfig>,
    /// Becomes true when no further work should be started.
    pub interrupted: watch::Receiver<bool>,
    /// Where every call to AWS is written down, if anywhere.
    pub transcript: Option<Transcript>,
}

/// Runs one command line; the first argument is the program's name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, surroundings: &Surroundings) -> Exit {
    let terminal = &surroundings.terminal;
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
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
    // On the heap, because a whole run with all its calls in flight is larger than some threads' stacks.
    match Box::pin(verb(arguments, surroundings)).await {
        Ok(exit) => exit,
        Err(error) => {
            terminal.say(format_args!("error: {error:#}"));
            Exit::of(&error)
        }
    }
}

async fn verb(arguments: Arguments, surroundings: &Surroundings) -> anyhow::Result<Exit> {
    // What needs no configuration.
    match &arguments.verb {
        Verb::Completions { shell } => return Ok(shell::completions(&surroundings.terminal, *shell)),
        Verb::Man => return shell::man(&surroundings.terminal),
        _ => (),
    }
    let session = Session::load(&arguments.common, surroundings)?;
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
        Verb::Doctor => doctor::run(&session).await,
        Verb::Validate => Ok(validate(&session)),
        Verb::CiRole(arguments) => ci_role::run(&session, &arguments).await,
        Verb::Cost => cost::run(&session),
        Verb::Graph(arguments) => graph::run(&session, &arguments),
        Verb::Completions { .. } | Verb::Man => unreachable!("they were answered before"),
    }
}

/// Everything was read and checked to get here.
fn validate(session: &Session<'_>) -> Exit {
    let deployment = &session.deployment;
    session.terminal.say(format_args!(
        "the configuration of {} {} for {} is valid",
        deployment.app, deployment.environment, deployment.region
    ));
    Exit::Done
}
