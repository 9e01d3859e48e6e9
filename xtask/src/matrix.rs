//! `cargo xtask matrix`: every way to fail at every call of a deploy, against the strict simulation.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::{child, workspace};

#[derive(Args, Debug)]
pub(crate) struct MatrixArguments {
    /// Only every so many of the cases, for a first look.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    step: u64,
    /// How many seeds are played after them, each with many failures at once.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// Only this scene: deploy, redeploy, change, rollback, destroy, harden or soften; may be given more than once.
    #[arg(long)]
    scene: Vec<String>,
}

/// Plays the whole matrix; the tests of every day play a cut through it. The last line is the count.
pub(crate) fn run(arguments: &MatrixArguments) -> Result<()> {
    let mut cargo = child::cargo();
    // As for `provision`: with all packages named, what the tests compiled is used.
    cargo.args(["build", "--workspace", "--locked", "--bin", "matrix"]);
    child::run("building the simulation", cargo)?;
    let mut matrix = Command::new(workspace::target().join("debug/matrix"));
    matrix.args([arguments.step, arguments.seeds].map(|number| number.to_string())).args(&arguments.scene);
    child::run("the matrix of failures", matrix)
}
