//! `cargo xtask ci`: everything that must hold before a change lands, in the order that compiles least twice.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::child;
use crate::exit::Failed;
use crate::local;

#[derive(Args, Debug)]
pub(crate) struct CiArguments {
    /// Only these checks, for example `--only fmt,clippy`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Check>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    /// The layout of the code.
    Fmt,
    /// Licences and sources of the dependencies.
    Deps,
    /// The lints.
    Clippy,
    /// The documentation.
    Doc,
    /// The tests of the stand-in for AWS: needs Python with venv, and an engine for those with containers.
    Local,
    /// The tests.
    Test,
}

const ALL: [Check; 6] = [Check::Fmt, Check::Deps, Check::Clippy, Check::Doc, Check::Local, Check::Test];

/// Runs the checks; the last line is the count of the tests.
pub(crate) fn run(arguments: &CiArguments) -> Result<()> {
    let chosen = |check: &&Check| match arguments.only.as_slice() {
        // It needs Python and the network for its packages, which a machine that only compiles may not have.
        [] => **check != Check::Local,
        only => only.contains(check),
    };
    let mut summary = String::new();
    let mut counts = Counts::default();
    for check in ALL.iter().filter(chosen) {
        let started = Instant::now();
        let result = check.run(&mut counts);
        line(&mut summary, *check, result.is_ok(), started.elapsed());
        if let Err(error) = result {
            println!("{summary}");
            counts.print();
            return Err(error.context(format!(
                "{}; repeat it with `cargo xtask ci --only {}`",
                check.name(),
                check.name()
            )));
        }
    }
    println!("{summary}");
    counts.print();
    Ok(())
}

fn line(summary: &mut String, check: Check, passed: bool, took: Duration) {
    let outcome = if passed { "passed" } else { "FAILED" };
    writeln!(summary, "{:<8} {outcome} in {:.1} s", check.name(), took.as_secs_f64()).expect("a text takes more text");
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Deps => "deps",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Local => "local",
            Self::Test => "test",
        }
    }

    fn run(self, counts: &mut Counts) -> Result<()> {
        match self {
            Self::Fmt => cargo("checking the layout", &["fmt", "--all", "--check"]),
            Self::Deps => dependencies(),
            Self::Clippy => {
                cargo("linting", &["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])
            }
            Self::Doc => {
                let mut command = child::cargo();
                command.args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "--deny warnings");
                child::run("documenting", command)
            }
            Self::Local => local::check(),
            Self::Test => tests(counts),
        }
    }
}

fn cargo(what: &str, arguments: &[&str]) -> Result<()> {
    let mut command = child::cargo();
    command.args(arguments);
    child::run(what, command)
}

/// How many tests passed and failed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Adds the closing line of one test program: `test result: ok. 5 passed; 0 failed; …`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("test result:") else { return };
        let words: Vec<_> = rest.split([' ', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            match (pair[0].parse::<u64>(), pair[1]) {
                (Ok(count), "passed") => self.passed += count,
                (Ok(count), "failed") => self.failed += count,
                _ => (),
            }
        }
    }

    fn print(&self) {
        println!("{} passed, {} failed", self.passed, self.failed);
    }
}

fn tests(counts: &mut Counts) -> Result<()> {
    let mut command = child::cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]).stdout(Stdio::piped());
    let mut running = command.spawn().context("starting cargo test")?;
    let output = running.stdout.take().context("the output of cargo test")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("reading the output of cargo test")?;
        println!("{line}");
        counts.add(&line);
    }
    let status = running.wait().context("waiting for cargo test")?;
    if status.success() {
        return Ok(());
    }
    Err(Failed { what: "cargo test".to_owned(), code: status.code() }.into())
}

/// Licences under which we may ship what we link.
const LICENCES: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    // Permissive, and approved by the OSI; minicbor has it, which the SDK of CloudWatch brings.
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Every dependency comes from the registry, under a licence we may use.
fn dependencies() -> Result<()> {
    let mut command = child::cargo();
    command.args(["metadata", "--format-version", "1", "--locked"]).stdout(Stdio::piped());
    let metadata = output(command).context("reading the dependencies")?;
    let metadata: Value = serde_json::from_str(&metadata).context("reading the dependencies")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let problems: Vec<_> = packages.iter().filter_map(problem).collect();
    if problems.is_empty() {
        println!("{} packages, all from the registry and under known licences", packages.len());
        return Ok(());
    }
    bail!("dependencies that may not be used:\n  {}", problems.join("\n  "))
}

fn output(mut command: Command) -> Result<String> {
    let mut running = command.spawn()?;
    let mut text = String::new();
    running.stdout.take().context("no output")?.read_to_string(&mut text)?;
    if running.wait()?.success() { Ok(text) } else { bail!("cargo metadata failed") }
}

/// Says what is wrong with a package, if anything is.
fn problem(package: &Value) -> Option<String> {
    let name = package["name"].as_str().unwrap_or("?");
    // Our own crates have no source.
    let source = package["source"].as_str()?;
    if !source.starts_with("registry+") {
        return Some(format!("{name} comes from {source}"));
    }
    let licence = package["license"].as_str().unwrap_or("no licence");
    (!allowed(licence)).then(|| format!("{name} is under {licence}"))
}

/// Whether one of the alternatives consists of known licences.
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    // Brackets are dropped, so every conjunction must hold on its own where both kinds are mixed.
    expression.split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let licence = licence.split(" WITH ").next().unwrap_or_default().trim();
            LICENCES.contains(&licence)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_all_test_programs() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s");
        counts.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured");
        counts.add("test something ... ok");
        assert_eq!(counts, Counts { passed: 7, failed: 3 });
    }

    #[test]
    fn a_licence_is_allowed_if_one_alternative_of_each_part_is() {
        assert!(allowed("MIT OR GPL-3.0"));
        assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(!allowed("AGPL-3.0"));
        assert!(!allowed("MIT AND AGPL-3.0"));
    }

    #[test]
    fn a_package_from_elsewhere_than_the_registry_is_named() {
        let package = serde_json::json!({"name": "x", "source": "git+ssh://somewhere", "license": "MIT"});
        assert_eq!(problem(&package).as_deref(), Some("x comes from git+ssh://somewhere"));
    }
}
