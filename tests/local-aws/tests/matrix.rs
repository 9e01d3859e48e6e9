//! Failures at every call of every scene. The whole matrix takes minutes; here is a cut through it.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test tells how many cases it tried, and fails where it must"
)]

use local_aws::faults::Fault;
use local_aws::matrix::{Case, Scene, play, play_random, undisturbed};

/// Plays every so many of the cases of a scene; gives their number, and those that did not survive.
async fn play_all(scene: Scene, step: usize) -> (usize, Vec<String>) {
    let calm = undisturbed(scene).await.unwrap();
    // One fault after the other, so that a step through the calls meets all kinds.
    let cases = (1..=calm.calls).flat_map(|call| Fault::ALL.map(|fault| Case { scene, call, fault }));
    let mut tried = 0;
    let mut lost = Vec::new();
    for case in cases.step_by(step) {
        tried += 1;
        if let Err(error) = play(case, &calm).await {
            lost.push(format!("{case}: {error:#}"));
        }
    }
    (tried, lost)
}

async fn survives(scene: Scene, step: usize) {
    let (tried, lost) = play_all(scene, step).await;
    assert!(lost.is_empty(), "{} of {tried} cases lost:\n{}", lost.len(), lost.join("\n"));
    assert!(tried > 5, "{tried} cases are no cut through the matrix");
    println!("{scene:?}: {tried} cases tried, {tried} survived");
}

/// A prime, so that every fault comes to every kind of call sooner or later.
const STEP: usize = 67;

#[tokio::test(start_paused = true)]
async fn a_first_deploy_survives_every_failure() {
    survives(Scene::Deploy, STEP).await;
}

#[tokio::test(start_paused = true)]
async fn a_redeploy_survives_every_failure() {
    survives(Scene::Redeploy, STEP).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_survives_every_failure() {
    survives(Scene::Change, STEP).await;
}

#[tokio::test(start_paused = true)]
async fn a_destroy_survives_every_failure() {
    survives(Scene::Destroy, STEP).await;
}

#[tokio::test(start_paused = true)]
async fn many_failures_at_once_are_survived_too() {
    let calm = undisturbed(Scene::Deploy).await.unwrap();
    for seed in 0..16 {
        play_random(Scene::Deploy, seed, &calm).await.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "minutes long; `cargo xtask matrix` runs it"]
async fn whole() {
    let mut tried = 0;
    let mut lost = Vec::new();
    for scene in Scene::ALL {
        let (count, failures) = play_all(scene, 1).await;
        println!("{scene:?}: {count} cases tried, {} survived", count - failures.len());
        tried += count;
        lost.extend(failures);
    }
    println!("{tried} cases tried, {} survived", tried - lost.len());
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
