//! Looks at the corpus for its authors; `cargo xtask corpus` runs this. An example, so that the image stays without it.
#![expect(clippy::print_stderr, reason = "this talks to the person who runs it")]

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use app::coverage;
use config::corpus::Corpus;
use config::corpus::lint::lint;
use config::corpus::report::report;

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Option<&str>) -> Result<ExitCode> {
    let corpus = Corpus::embedded();
    match task {
        Some("lint") => {
            let findings = lint(corpus);
            let mut lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
            let phrases = corpus.weather.len() + corpus.advice.len();
            lines.push(format!("{phrases} phrases, {} findings\n", findings.len()));
            say(&lines.join("\n"))?;
            Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some("report") => {
            say(&report(corpus))?;
            say(&coverage::summary(&coverage::matrix(corpus)))?;
            Ok(ExitCode::SUCCESS)
        }
        Some("coverage") => {
            let cells = coverage::matrix(corpus);
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/data/coverage.md");
            std::fs::write(&path, coverage::page(&cells)).with_context(|| format!("writing {}", path.display()))?;
            say(&coverage::summary(&cells))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("say lint, report or coverage"),
    }
}

/// Prints; whoever closes the pipe has read enough.
fn say(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("writing to standard output"),
        _ => Ok(()),
    }
}
