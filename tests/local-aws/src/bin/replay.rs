//! `replay FILE`: plays a recording of a real account against the simulation, and prints every difference.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use local_aws::replay::{Recording, replay};

fn main() -> Result<ExitCode> {
    let file = std::env::args_os().nth(1).context("which recording? replay FILE")?;
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let recording = Recording::read(&text)?;
    // Hours of waiting for AWS take no time here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let replayed = runtime.block_on(Box::pin(replay(&recording)))?;
    for difference in &replayed.differences {
        println!("{difference}");
    }
    let (calls, different) = (replayed.calls, replayed.differences.len());
    println!("{calls} calls played, {} without an answer left out, {different} differences", replayed.unanswered);
    Ok(if replayed.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
