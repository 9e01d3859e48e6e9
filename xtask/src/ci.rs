//! `cargo xtask ci`: everything that must hold before a change lands, in the order that compiles least twice.

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::counts::Counts;
use crate::exit::BadInput;
use crate::toolchain::Needs;
use crate::{child, local, moto, python};

#[derive(Args, Debug)]
pub(crate) struct CiArguments {
    /// Only these checks, for example `--only fmt,clippy`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Check>,
    /// All checks but these, for example `--skip local,moto` on a machine without Python.
    #[arg(long, value_delimiter = ',', conflicts_with = "only")]
    skip: Vec<Check>,
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
    /// The tests.
    Test,
    /// The tests of the stand-in for AWS, those with containers where an engine answers.
    Local,
    /// The second opinion: the real `provision` against moto.
    Moto,
}

const ALL: [Check; 7] = [Check::Fmt, Check::Deps, Check::Clippy, Check::Doc, Check::Test, Check::Local, Check::Moto];

/// Runs the checks; the last line is the count of the tests.
pub(crate) fn run(arguments: &CiArguments) -> Result<()> {
    let chosen = arguments.chosen();
    prepared(&chosen)?;
    let mut summary = String::new();
    let mut counts = Counts::default();
    for check in chosen {
        let started = Instant::now();
        let result = check.run(&mut counts);
        line(&mut summary, check, result.is_ok(), started.elapsed());
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

impl CiArguments {
    fn chosen(&self) -> Vec<Check> {
        let is_chosen = |check: &Check| match self.only.as_slice() {
            [] => !self.skip.contains(check),
            only => only.contains(check),
        };
        ALL.into_iter().filter(is_chosen).collect()
    }
}

/// Says at once what this machine lacks, and not after half an hour.
fn prepared(chosen: &[Check]) -> Result<()> {
    let mut needs = Needs::to_compile();
    let in_python: Vec<_> = chosen.iter().filter(|check| check.is_in_python()).map(|check| check.name()).collect();
    if !in_python.is_empty() {
        python::check(&mut needs);
    }
    needs.or_fail().map_err(|error| match in_python.as_slice() {
        [] => error,
        names => BadInput(format!("{error}\nor leave out what needs Python: --skip {}", names.join(","))).into(),
    })
}

fn line(summary: &mut String, check: Check, passed: bool, took: Duration) {
    let outcome = if passed { "passed" } else { "FAILED" };
    writeln!(summary, "{:<8} {outcome} in {:.1} s", check.name(), took.as_secs_f64()).expect("a text takes more text");
}

impl Check {
    fn is_in_python(self) -> bool {
        matches!(self, Self::Local | Self::Moto)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Deps => "deps",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Local => "local",
            Self::Test => "test",
            Self::Moto => "moto",
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
            Self::Test => tests(counts),
            Self::Local => local::check(counts),
            Self::Moto => moto::check(counts),
        }
    }
}

fn cargo(what: &str, arguments: &[&str]) -> Result<()> {
    let mut command = child::cargo();
    command.args(arguments);
    child::run(what, command)
}

fn tests(counts: &mut Counts) -> Result<()> {
    let mut command = child::cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    counts.of("cargo test", command)
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

    fn arguments(only: &[Check], skip: &[Check]) -> CiArguments {
        CiArguments { only: only.to_vec(), skip: skip.to_vec() }
    }

    #[test]
    fn every_check_runs_unless_it_is_left_out() {
        assert_eq!(arguments(&[], &[]).chosen(), ALL);
        assert_eq!(arguments(&[Check::Moto, Check::Fmt], &[]).chosen(), [Check::Fmt, Check::Moto]);
        let rest = arguments(&[], &[Check::Local, Check::Moto]).chosen();
        assert_eq!(rest, ALL[..5]);
        assert!(!rest.iter().any(|check| check.is_in_python()));
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
