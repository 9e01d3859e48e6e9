//! Many cases at once, on all cores, and how many of them survived.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

use super::{Case, Life, SEEDS_A_LIFE, Scene, play, undisturbed};

/// How many cases were tried, and which were lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub tried: u64,
    /// What went wrong, for each that did not arrive where an undisturbed run does.
    pub lost: Vec<String>,
}

impl Tally {
    /// How many arrived.
    pub fn survived(&self) -> u64 {
        self.tried - u64::try_from(self.lost.len()).unwrap_or(self.tried)
    }

    fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.lost.extend(other.lost);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cases tried, {} survived", self.tried, self.survived())
    }
}

impl FromIterator<Self> for Tally {
    fn from_iter<T: IntoIterator<Item = Self>>(tallies: T) -> Self {
        let mut sum = Self::default();
        tallies.into_iter().for_each(|tally| sum.add(tally));
        sum
    }
}

/// Every so many of the cases of a scene: with 1 all of them, with a prime a cut in which every fault comes to every
/// kind of call sooner or later.
///
/// # Errors
/// When the scene does not arrive even without disturbance.
pub fn cases(scene: Scene, step: usize) -> Result<Tally> {
    let calm = clock()?.block_on(undisturbed(scene))?;
    let one = |case: Case| {
        let end = clock().and_then(|clock| clock.block_on(play(case, &calm)));
        Tally { tried: 1, lost: end.err().map(|error| format!("{case}: {error:#}")).into_iter().collect() }
    };
    Ok(on_all_cores(calm.cases().step_by(step), one).into_iter().collect())
}

/// So many seeds, in each of which many calls go wrong; one that is lost is told with the way to play it again.
///
/// # Errors
/// When a life does not go on even without disturbance.
pub fn seeds(count: u64) -> Result<Tally> {
    let calm = clock()?.block_on(Life::undisturbed())?;
    let one = |first: u64| {
        let last = (first + SEEDS_A_LIFE).min(count) - 1;
        match clock().and_then(|clock| clock.block_on(calm.play(first..=last))) {
            Ok(life) => {
                let lost = life.lost.map(|(seed, error)| format!("{}\n{error:#}", replay(seed)));
                Tally { tried: life.tried, lost: lost.into_iter().collect() }
            }
            Err(error) => Tally { tried: 1, lost: vec![format!("{}\n{error:#}", replay(first))] },
        }
    };
    let every = usize::try_from(SEEDS_A_LIFE)?;
    Ok(on_all_cores((0..count).step_by(every), one).into_iter().collect())
}

fn replay(seed: u64) -> String {
    format!("MATRIX_REPLAY={seed} cargo test --workspace --test matrix a_seed_replays_exactly")
}

/// A clock that nobody waits for; each case has its own.
///
/// # Errors
/// When the system has nothing left to make it of.
pub fn clock() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().start_paused(true).build()?)
}

/// Does something with each item; gives what came of them, in any order.
fn on_all_cores<I: Send, O: Send>(items: impl Iterator<Item = I> + Send, work: impl Fn(I) -> O + Sync) -> Vec<O> {
    let (items, done) = (Mutex::new(items), Mutex::new(Vec::new()));
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        while let Some(item) = next() {
            let came_of_it = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(came_of_it);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}
