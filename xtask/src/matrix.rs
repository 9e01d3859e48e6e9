//! `cargo xtask matrix`: every way to fail at every call of a deploy, against the strict simulation.

use anyhow::Result;

use crate::child;

/// Plays the whole matrix; the tests of every day play a cut through it.
pub(crate) fn run() -> Result<()> {
    let mut cargo = child::cargo();
    cargo.args(["test", "--workspace", "--locked", "--test", "matrix", "--", "--ignored", "--nocapture"]);
    child::run("the matrix of failures", cargo)
}
