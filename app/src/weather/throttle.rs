//! Lets questions through one after another, with a pause between; whoever asks, from whichever request.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The time at which the next question may go.
#[derive(Debug)]
pub(super) struct Throttle {
    between: Duration,
    next: Mutex<Option<Instant>>,
}

impl Throttle {
    /// Lets one through in each of these spans.
    pub(super) fn new(between: Duration) -> Self {
        Self { between, next: Mutex::new(None) }
    }

    /// Waits for one's turn.
    pub(super) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().expect("nobody panics with the throttle locked");
            let at = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
            *next = Some(at + self.between);
            at
        };
        sleep_until(at).await;
    }

    /// Lets nobody through for a while; who has a turn already keeps it.
    pub(super) fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut next = self.next.lock().expect("nobody panics with the throttle locked");
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_questions_a_second_and_no_more_whoever_asks() {
        let throttle = Throttle::new(Duration::from_millis(100));
        let began = Instant::now();
        futures::future::join_all((0..21).map(|_| throttle.turn())).await;
        assert_eq!(began.elapsed(), Duration::from_secs(2));
        tokio::time::advance(Duration::from_secs(60)).await;
        let began = Instant::now();
        futures::future::join_all((0..2).map(|_| throttle.turn())).await;
        assert_eq!(began.elapsed(), Duration::from_millis(100), "a quiet minute is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_is_for_everyone() {
        let throttle = Throttle::new(Duration::from_millis(100));
        throttle.rest(Duration::from_secs(7));
        throttle.rest(Duration::from_secs(2));
        let began = Instant::now();
        futures::future::join_all((0..3).map(|_| throttle.turn())).await;
        assert_eq!(began.elapsed(), Duration::from_millis(7200));
    }
}
