//! Leaves alone what keeps failing, and tries it again now and then.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row, and it rests.
const FAILURES: u32 = 3;
/// For so long; then one caller may try.
const REST: Duration = Duration::from_secs(60);

/// The breaker of one thing that can fail.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether it may be asked now. After a rest the first caller may, and the others wait for what comes of it.
    pub(super) fn may_ask(&self) -> bool {
        let mut state = self.state.lock().expect("nobody panics with a breaker locked");
        match state.rests_until {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                state.rests_until = Some(Instant::now() + REST);
                true
            }
            None => true,
        }
    }

    pub(super) fn succeeded(&self) {
        *self.state.lock().expect("nobody panics with a breaker locked") = State::default();
    }

    pub(super) fn failed(&self) {
        let mut state = self.state.lock().expect("nobody panics with a breaker locked");
        state.failures += 1;
        if state.failures >= FAILURES {
            state.rests_until = Some(Instant::now() + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_failures_in_a_row_make_it_rest_and_one_success_wakes_it() {
        let breaker = Breaker::default();
        breaker.failed();
        breaker.failed();
        breaker.succeeded();
        breaker.failed();
        breaker.failed();
        assert!(breaker.may_ask(), "two in a row are not three");
        breaker.failed();
        assert!(!breaker.may_ask());
        tokio::time::advance(REST).await;
        assert!(breaker.may_ask(), "one may try");
        assert!(!breaker.may_ask(), "and the others wait");
        breaker.succeeded();
        assert!(breaker.may_ask() && breaker.may_ask());
    }
}
