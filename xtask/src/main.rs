//! `cargo xtask`: the tasks around the code. It links none of the other crates; it runs them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tasks talk to the person who runs them")]

mod acceptance;
mod child;
mod ci;
mod corpus;
mod counts;
mod deploy;
mod dev;
mod exit;
mod image;
mod local;
mod matrix;
mod moto;
mod ports;
mod python;
mod readiness;
mod signals;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Run, build, deploy and check the Weather Comment Generator.
///
/// Exit codes: 3 when this machine lacks something or a port is taken; otherwise the code of the
/// program that was run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the service here, on built-in sample days, without AWS and without keys.
    Dev(dev::DevArguments),
    /// Build the service's container image, without a container engine.
    Image(image::ImageArguments),
    /// Build the image and deploy it: to AWS, or with --local to a stand-in on this machine.
    Deploy(deploy::DeployArguments),
    /// Remove what was deployed: from AWS, or with --local from the stand-in, with its data.
    Destroy(deploy::DestroyArguments),
    /// Check everything that must hold before a change lands.
    Ci(ci::CiArguments),
    /// Look at the corpus as its authors need it.
    #[command(subcommand)]
    Corpus(corpus::CorpusCommand),
    /// Create, deploy, roll back, drift and destroy once in a real account, recorded; or compare such a recording.
    Acceptance(acceptance::AcceptanceArguments),
    /// Let every call of a deploy fail in every way, in a simulation: an hour on two cores.
    Matrix(matrix::MatrixArguments),
    /// Run the real `provision` against moto, an emulator by others: the second opinion on what it does.
    Moto(moto::MotoArguments),
    /// Look at the stand-in for AWS on this machine, or stop it.
    #[command(subcommand)]
    Local(local::LocalCommand),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return of_usage(&error),
    };
    match signals::watch().map_err(Into::into).and_then(|()| run(&arguments.task)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::code(&error).into()
        }
    }
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Dev(arguments) => dev::run(arguments),
        Task::Image(arguments) => image::run(arguments),
        Task::Deploy(arguments) => deploy::deploy(arguments),
        Task::Destroy(arguments) => deploy::destroy(arguments),
        Task::Ci(arguments) => ci::run(arguments),
        Task::Corpus(command) => corpus::run(*command),
        Task::Acceptance(arguments) => acceptance::run(arguments),
        Task::Matrix(arguments) => matrix::run(arguments),
        Task::Moto(arguments) => moto::run(arguments),
        Task::Local(command) => local::run(command),
    }
}

/// Clap's own code for bad usage is 2, which tasks reserve for the plan of `provision`.
fn of_usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    drop(error.print());
    if error.use_stderr() { 3.into() } else { ExitCode::SUCCESS }
}
