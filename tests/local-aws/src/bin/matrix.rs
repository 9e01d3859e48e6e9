//! `matrix STEP SEEDS [SCENE...]`: every way to fail at every call of every scene or of those named, or at every so many,
//! and then so many seeds with many failures at once. `cargo xtask matrix` builds and runs it.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use local_aws::matrix::{Scene, Tally, cases, seeds};

fn main() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    let mut number = |what: &str| -> Result<u64> {
        let word = words.next().with_context(|| format!("no {what} is given"))?;
        word.parse().with_context(|| format!("{word:?} is no {what}"))
    };
    let (step, count) = (number("step")?, number("number of seeds")?);
    let named: Vec<_> = words.map(|word| word.to_lowercase()).collect();
    let name = |scene: Scene| format!("{scene:?}").to_lowercase();
    let all = || Scene::ALL.into_iter().chain(Scene::OPTIONS);
    let names: Vec<_> = all().map(name).collect();
    let unknown = named.iter().find(|word| !names.contains(word));
    ensure!(unknown.is_none(), "there is no scene {unknown:?}; there are {}", names.join(", "));
    let mut tallies = Vec::new();
    for scene in all().filter(|scene| named.is_empty() || named.contains(&name(*scene))) {
        let tally = cases(scene, usize::try_from(step)?.max(1))?;
        tell(&format!("{scene:?}"), &tally);
        tallies.push(tally);
    }
    let tally = seeds(count)?;
    tell(&format!("{count} seeds"), &tally);
    tallies.push(tally);
    let whole: Tally = tallies.into_iter().collect();
    println!("{whole}");
    Ok(if whole.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// At once, because the rest takes long.
fn tell(what: &str, tally: &Tally) {
    println!("{what}: {tally}");
    for lost in &tally.lost {
        println!("LOST {lost}");
    }
}
