//! `provision`: plans, deploys and destroys the AWS stack of the Weather Comment Generator.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line is the only place that prints")]

mod cli {
    pub(crate) mod arguments;
    pub(crate) mod deploy;
    pub(crate) mod destroy;
    pub(crate) mod exit;
    pub(crate) mod outputs;
    pub(crate) mod plan;
    pub(crate) mod report;
    pub(crate) mod session;
    pub(crate) mod status;
}

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::cli::arguments::{Arguments, Verb};
use crate::cli::exit::Exit;
use crate::cli::session::Session;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return cli::exit::of_usage(&error),
    };
    start_tracing(&arguments.common.log);
    match run(arguments).await {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            Exit::of(&error).into()
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let session = Session::open(&arguments.common).await?;
    match arguments.verb {
        Verb::Plan(arguments) => cli::plan::run(&session, &arguments).await,
        Verb::Deploy(arguments) => cli::deploy::run(&session, &arguments).await,
        Verb::Destroy(arguments) => cli::destroy::run(&session, &arguments).await,
        Verb::Outputs => cli::outputs::run(&session).await,
        Verb::Status => cli::status::run(&session).await,
    }
}

fn start_tracing(filter: &str) {
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).init();
}
