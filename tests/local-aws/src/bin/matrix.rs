//! `matrix [STEP [SEEDS]]`: every way to fail at every call of every scene, or at every so many, and then so many seeds
//! with many failures at once. `cargo xtask matrix` builds and runs it.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use local_aws::matrix::{SEEDS, Scene, Tally, cases, seeds};

fn main() -> Result<ExitCode> {
    let mut numbers =
        std::env::args().skip(1).map(|text| text.parse().with_context(|| format!("{text:?} is no number")));
    let step: u64 = numbers.next().transpose()?.unwrap_or(1);
    let count = numbers.next().transpose()?.unwrap_or(SEEDS);
    let mut tallies = Vec::new();
    for scene in Scene::ALL.into_iter().chain(Scene::OPTIONS) {
        let tally = cases(scene, usize::try_from(step)?.max(1))?;
        println!("{scene:?}: {tally}");
        tallies.push(tally);
    }
    let tally = seeds(count)?;
    println!("{count} seeds: {tally}");
    tallies.push(tally);
    let whole: Tally = tallies.into_iter().collect();
    for lost in &whole.lost {
        println!("LOST {lost}");
    }
    println!("{whole}");
    Ok(if whole.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
