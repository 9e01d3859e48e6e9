//! `replay FILE`: plays a recording of a real account against the simulation, and prints every difference once.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

use anyhow::{Context as _, Result};
use local_aws::replay::{Difference, Recording, replay};

fn main() -> Result<()> {
    let file = std::env::args_os().nth(1).context("which recording? replay FILE")?;
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let recording = Recording::read(&text)?;
    // Hours of waiting for AWS take no time here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let replayed = runtime.block_on(Box::pin(replay(&recording)))?;
    // What is told again and again is told once.
    let mut kinds: Vec<(&Difference, usize)> = Vec::new();
    for difference in &replayed.differences {
        match kinds.iter_mut().find(|(first, _)| first.call == difference.call && first.what == difference.what) {
            Some((_, times)) => *times += 1,
            None => kinds.push((difference, 1)),
        }
    }
    for (first, times) in &kinds {
        let again = if *times == 1 { String::new() } else { format!(" ({times} times)") };
        println!("{first}{again}");
    }
    let (calls, different) = (replayed.calls, kinds.len());
    println!("{calls} calls played, {} without an answer left out, {different} differences", replayed.unanswered);
    if recording.is_of_stand_in() {
        println!(
            "a recording of the stand-in, where nothing takes time and no task has an interface: most of it is that"
        );
    }
    Ok(())
}
