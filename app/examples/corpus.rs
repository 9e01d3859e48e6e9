//! Looks at the corpus for its authors; `cargo xtask corpus` runs this. An example, so that the image stays without it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this talks to the person who runs it")]

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
            findings.iter().for_each(|finding| println!("{finding}"));
            println!("{} phrases, {} findings", corpus.weather.len() + corpus.advice.len(), findings.len());
            Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some("report") => {
            print!("{}", report(corpus));
            print!("{}", coverage::summary(&coverage::matrix(corpus)));
            Ok(ExitCode::SUCCESS)
        }
        Some("coverage") => {
            let cells = coverage::matrix(corpus);
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/data/coverage.md");
            std::fs::write(&path, coverage::page(&cells)).with_context(|| format!("writing {}", path.display()))?;
            print!("{}", coverage::summary(&cells));
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("say lint, report or coverage"),
    }
}
