//! Looks at the corpus for its authors; `cargo xtask corpus` runs this. An example, so that the image stays without it.
#![expect(clippy::print_stderr, reason = "this talks to the person who runs it")]

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use app::coverage;
use app::domain::choice::{Pair, Request, choose};
use app::domain::recent::Recent;
use config::corpus::Corpus;
use config::corpus::lint::lint;
use config::corpus::report::report;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match run(words.next().as_deref(), words.next().as_deref()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Option<&str>, seed: Option<&str>) -> Result<ExitCode> {
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
        Some("read") => {
            let seed = seed.map_or(Ok(1), str::parse).context("the seed is a whole number")?;
            say(&some_to_read(corpus, seed))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("say lint, report, coverage, or read with a seed"),
    }
}

/// So many pairs are as many as one reads in one go.
const SOME: usize = 200;

/// What is chosen on days of every kind, from all regions and months; another seed gives other days.
fn some_to_read(corpus: &Corpus, seed: usize) -> String {
    let days = coverage::every_day();
    let (exclude, recent) = (BTreeSet::new(), Recent::default());
    let mut lines = Vec::new();
    // A stride that shares nothing with the number of days meets each of them, and neighbours are never alike.
    for index in (0..SOME).map(|step| (seed * SOME + step) * 7_919 % days.len()) {
        let (place, weather, day) = &days[index];
        let request = Request { place, day, seed: seed as u64, exclude: &exclude, recent: &recent };
        let temperatures = format!("{:.0}..{:.0}℃", day.coldest(), day.highest(|slot| slot.temperature));
        let pairs = choose(corpus, &request).map_or_else(
            |error| error.to_string(),
            |choice| {
                format!(
                    "{} ／ {}",
                    choice.pair.text(),
                    choice.alternatives.first().map_or_else(String::new, Pair::text)
                )
            },
        );
        lines.push(format!("{} {} {weather} {temperatures}: {pairs}\n", place.region, day.date));
    }
    lines.concat()
}

/// Prints; whoever closes the pipe has read enough.
fn say(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("writing to standard output"),
        _ => Ok(()),
    }
}
