//! Leaving alone what keeps failing: said once and remembered, so that a batch does not wait for it 142 times.
//!
//! After a rest one caller may try, and the others wait for what comes of it.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row, and it rests.
const FAILURES: u32 = 3;
/// No longer than this, whatever it asks for.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// The breaker of one thing that can fail.
#[derive(Debug)]
pub(crate) struct Breaker {
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    resting: Option<Resting>,
}

#[derive(Debug)]
struct Resting {
    reason: String,
    until: Instant,
}

/// It rests, and is not asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rests {
    /// How it failed.
    pub(crate) reason: String,
    /// When it may be tried again.
    pub(crate) again_in: Duration,
}

impl Breaker {
    /// Makes one for something that is left alone for so long when it keeps failing.
    pub(crate) fn new(rest: Duration) -> Self {
        Self { rest, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with a breaker locked")
    }

    /// Lets a caller through unless it rests.
    ///
    /// # Errors
    /// When it rests, with the reason.
    pub(crate) fn check(&self) -> Result<(), Rests> {
        let now = Instant::now();
        match &mut self.state().resting {
            Some(resting) if now < resting.until => {
                Err(Rests { reason: resting.reason.clone(), again_in: resting.until - now })
            }
            Some(resting) => {
                resting.until = now + self.rest;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Why it rests, if it does. Once the rest is over, whether it works is not known, and the next one who asks will tell.
    pub(crate) fn reason(&self) -> Option<String> {
        let now = Instant::now();
        self.state().resting.as_ref().filter(|resting| now < resting.until).map(|resting| resting.reason.clone())
    }

    /// Notes that it works, and tells whether it had rested.
    pub(crate) fn succeeded(&self) -> bool {
        std::mem::take(&mut *self.state()).resting.is_some()
    }

    /// Notes a failure, and tells for how long it rests if that was enough of them. One that will not pass by itself
    /// (`lasts`) is enough, and so is one after which it asks for a longer rest than usual.
    pub(crate) fn failed(&self, reason: &dyn Display, lasts: bool, asked: Option<Duration>) -> Option<Duration> {
        let rest = asked.unwrap_or(self.rest).clamp(self.rest, LONGEST_REST);
        let mut state = self.state();
        state.failures += 1;
        (state.failures >= FAILURES || lasts || rest > self.rest).then(|| {
            state.resting = Some(Resting { reason: reason.to_string(), until: Instant::now() + rest });
            rest
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn three_failures_in_a_row_make_it_rest_and_one_success_wakes_it() {
        let breaker = Breaker::new(REST);
        let fail = || breaker.failed(&"status 503", false, None);
        assert_eq!((fail(), fail(), breaker.succeeded()), (None, None, false));
        assert_eq!((fail(), fail(), breaker.check()), (None, None, Ok(())), "two in a row are not three");
        assert_eq!(fail(), Some(REST));
        assert_eq!(breaker.check(), Err(Rests { reason: "status 503".to_owned(), again_in: REST }));
        assert_eq!(breaker.reason().as_deref(), Some("status 503"));
        tokio::time::advance(REST).await;
        assert_eq!(breaker.reason(), None, "nobody knows that it still fails");
        assert_eq!(breaker.check(), Ok(()), "one may try");
        assert!(breaker.check().is_err() && breaker.reason().is_some(), "and the others wait");
        assert!(breaker.succeeded(), "it had rested");
        assert_eq!((breaker.check(), breaker.check(), breaker.reason()), (Ok(()), Ok(()), None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_and_a_long_wait_count_at_once_and_no_wait_is_endless() {
        let breaker = Breaker::new(REST);
        assert_eq!(breaker.failed(&"the key is refused", true, None), Some(REST));
        for (asked, rest) in [(5, None), (120, Some(120)), (100_000, Some(600))] {
            let breaker = Breaker::new(REST);
            let rested = breaker.failed(&"busy", false, Some(Duration::from_secs(asked)));
            assert_eq!(rested, rest.map(Duration::from_secs), "{asked}");
            let Some(rest) = rested else { continue };
            tokio::time::advance(rest - Duration::from_secs(1)).await;
            assert!(breaker.check().is_err(), "{asked}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(breaker.check(), Ok(()), "{asked}");
        }
    }
}
