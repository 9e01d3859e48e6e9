//! Failures at every call of every scene: a cut through the matrix, which takes an hour as a whole
//! (`cargo xtask matrix`), and many seeds with many failures at once.
#![expect(clippy::disallowed_methods, reason = "a test fails where it must, and plays the seed that it is told to")]

use local_aws::call::Call;
use local_aws::matrix::{Life, Lived, SEEDS, SEEDS_A_LIFE, Scene, Tally, cases, clock, seeds};

#[track_caller]
fn all_survive(tally: &Tally, at_least: u64) {
    assert!(tally.lost.is_empty(), "{tally}:\n{}", tally.lost.join("\n\n"));
    assert!(tally.tried >= at_least, "{tally}, which is no cut through the matrix");
}

/// A prime, so that every fault comes to every kind of call sooner or later.
const STEP: usize = 67;

#[test]
fn a_cut_through_every_failure_at_every_call_is_survived() {
    for scene in Scene::ALL.into_iter().chain(Scene::OPTIONS) {
        all_survive(&cases(scene, STEP).unwrap(), 6);
    }
}

#[test]
fn seeds_of_many_failures_at_once_are_survived() {
    all_survive(&seeds(SEEDS).unwrap(), SEEDS);
}

/// Plays the seed that `MATRIX_REPLAY` names, and the scenes before it in its account, or some seed without it: twice,
/// to see that seeds decide everything.
#[test]
fn a_seed_replays_exactly() {
    let seed: u64 = std::env::var("MATRIX_REPLAY").map_or(6, |text| text.parse().unwrap());
    let calm = clock().unwrap().block_on(Life::undisturbed()).unwrap();
    let play = || clock().unwrap().block_on(calm.play(seed - seed % SEEDS_A_LIFE..=seed)).unwrap();
    let (first, second) = (play(), play());
    let lost = |life: &Lived| life.lost.as_ref().map(|(seed, error)| format!("seed {seed}: {error:#}"));
    assert_eq!(lost(&first), lost(&second));
    // What is in the calls holds wall-clock times and identifiers of chance; when which of them comes does not.
    let told = |call: &Call| format!("{:?} {} {}", call.at, call.service, call.operation);
    for (index, (call, again)) in first.calls.iter().zip(&second.calls).enumerate() {
        assert_eq!(told(call), told(again), "call {index} was another one the second time");
    }
    assert_eq!(first.calls.len(), second.calls.len());
    assert_eq!(lost(&first), None);
}
