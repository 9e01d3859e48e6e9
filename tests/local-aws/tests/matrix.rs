//! Failures at every call of every scene. The whole matrix takes minutes; here is a cut through it.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test tells how many cases it tried, fails where it must, and plays the seeds that it is told to"
)]

use local_aws::matrix::{Scene, play, play_random, undisturbed};

/// Plays every so many of the cases of a scene; gives their number, and those that did not survive.
async fn play_all(scene: Scene, step: usize) -> (usize, Vec<String>) {
    let calm = undisturbed(scene).await.unwrap();
    let mut tried = 0;
    let mut lost = Vec::new();
    for case in calm.cases().step_by(step) {
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
async fn a_rollback_survives_every_failure() {
    survives(Scene::Rollback, STEP).await;
}

#[tokio::test(start_paused = true)]
async fn a_destroy_survives_every_failure() {
    survives(Scene::Destroy, STEP).await;
}

/// How many seeds a scene is played with; `MATRIX_SEEDS` asks for more or fewer.
fn seeds() -> u64 {
    std::env::var("MATRIX_SEEDS").ok().map_or(SEEDS, |text| text.parse().unwrap())
}

const SEEDS: u64 = 8;

async fn survives_many_at_once(scene: Scene) {
    let calm = undisturbed(scene).await.unwrap();
    let mut lost = Vec::new();
    for seed in 0..seeds() {
        if let Err(error) = play_random(scene, seed, &calm).await {
            let command = "cargo test --workspace --test matrix a_seed_can_be_replayed";
            lost.push(format!("MATRIX_REPLAY={scene:?}:{seed} {command}\n{error:#}"));
        }
    }
    assert!(lost.is_empty(), "{} of {} seeds lost; each with its replay:\n{}", lost.len(), seeds(), lost.join("\n\n"));
    println!("{scene:?}: {} seeds tried, {0} survived", seeds());
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_survives_many_failures_at_once() {
    survives_many_at_once(Scene::Deploy).await;
}

#[tokio::test(start_paused = true)]
async fn a_redeploy_survives_many_failures_at_once() {
    survives_many_at_once(Scene::Redeploy).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_survives_many_failures_at_once() {
    survives_many_at_once(Scene::Change).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_survives_many_failures_at_once() {
    survives_many_at_once(Scene::Rollback).await;
}

#[tokio::test(start_paused = true)]
async fn a_destroy_survives_many_failures_at_once() {
    survives_many_at_once(Scene::Destroy).await;
}

/// Without `MATRIX_REPLAY` (as `Deploy:17`) it plays the first seed twice, to see that a seed decides everything.
#[tokio::test(start_paused = true)]
async fn a_seed_can_be_replayed() {
    let wanted = std::env::var("MATRIX_REPLAY").unwrap_or_else(|_| "Redeploy:1".to_owned());
    let (scene, seed) = wanted.split_once(':').unwrap();
    let (scene, seed) = (Scene::named(scene).unwrap(), seed.parse().unwrap());
    let calm = undisturbed(scene).await.unwrap();
    let first = play_random(scene, seed, &calm).await.map_err(|error| format!("{error:#}"));
    let second = play_random(scene, seed, &calm).await.map_err(|error| format!("{error:#}"));
    assert_eq!(first, second);
    first.unwrap();
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
