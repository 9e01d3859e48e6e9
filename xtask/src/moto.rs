//! The second opinion: the real `provision`, run against moto over HTTP.
//!
//! Our simulation and our stand-in agree with us too easily. moto is an emulator by others, who never saw this tool.

use anyhow::Result;
use clap::Args;

use crate::counts::Counts;
use crate::toolchain::Needs;
use crate::{child, deploy, python};

#[derive(Args, Debug)]
pub(crate) struct MotoArguments {
    /// Only tests with this in their name.
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// Leave out each deviation in turn and see whether a test misses it: half an hour at most, after an upgrade of moto.
    #[arg(long, conflicts_with = "only")]
    needed: bool,
    /// Tell what is changed in moto, and why, and run nothing.
    #[arg(long, conflicts_with_all = ["only", "needed"])]
    list: bool,
}

pub(crate) fn run(arguments: &MotoArguments) -> Result<()> {
    if arguments.list {
        let mut needs = Needs::default();
        python::check(&mut needs);
        needs.or_fail()?;
        let mut list = python::MOTO.module("around_moto")?;
        list.arg("--list");
        return child::run("the list", list);
    }
    let mut words = Vec::new();
    if let Some(part) = &arguments.only {
        words.extend(["-k", part]);
    }
    if arguments.needed {
        words.push("--needed");
    }
    test(&words, &mut Counts::default())
}

/// Runs all tests.
pub(crate) fn check(counts: &mut Counts) -> Result<()> {
    test(&[], counts)
}

fn test(words: &[&str], counts: &mut Counts) -> Result<()> {
    let mut needs = Needs::to_compile();
    python::check(&mut needs);
    needs.or_fail()?;
    let provision = deploy::provision_program(None)?;
    let mut tests = python::MOTO.module("tests")?;
    tests.args(words).env("PROVISION", provision);
    counts.of("running provision against moto", tests)
}
