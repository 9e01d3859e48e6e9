//! Whether a source is down: said once and remembered, so that a batch does not wait for it 142 times.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::WeatherError;

/// So many places in a row without an answer, and the source counts as down.
const FAILURES: u32 = 3;
/// For so long it is left alone; then one caller may try.
const REST: Duration = Duration::from_secs(30);
/// No longer than this, whatever it asks for.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// What is known of a source's health.
#[derive(Debug, Default)]
pub(super) struct Outage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    down: Option<Down>,
}

#[derive(Debug)]
struct Down {
    reason: String,
    until: Instant,
}

impl Outage {
    /// Lets a caller through unless the source is down. After a rest the first one may try, and the others wait for
    /// what comes of it.
    ///
    /// # Errors
    /// When the source is down, with the reason.
    pub(super) fn check(&self) -> Result<(), WeatherError> {
        let mut state = self.state.lock().expect("nobody panics with the state locked");
        let now = Instant::now();
        match &mut state.down {
            Some(down) if now < down.until => {
                Err(WeatherError::Down { reason: down.reason.clone(), again_in: down.until - now })
            }
            Some(down) => {
                down.until = now + REST;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Why the source is down, if it is.
    pub(super) fn reason(&self) -> Option<String> {
        let state = self.state.lock().expect("nobody panics with the state locked");
        state.down.as_ref().map(|down| down.reason.clone())
    }

    /// Notes that the source answered, be it that it knows nothing of a place.
    pub(super) fn answered(&self) {
        let mut state = self.state.lock().expect("nobody panics with the state locked");
        if state.down.is_some() {
            tracing::info!("the weather service answers again");
        }
        *state = State::default();
    }

    /// Notes a failure that all attempts ended with.
    pub(super) fn failed(&self, error: &WeatherError) {
        if !error.is_outage() {
            return self.answered();
        }
        let rest = error.retry_after().unwrap_or(REST).clamp(REST, LONGEST_REST);
        let mut state = self.state.lock().expect("nobody panics with the state locked");
        state.failures += 1;
        // A refused key is refused for every place, and who asks for a long rest is given it.
        if state.failures >= FAILURES || *error == WeatherError::KeyRefused || rest > REST {
            tracing::error!(reason = %error, seconds = rest.as_secs(), "the weather service is down and left alone");
            state.down = Some(Down { reason: error.to_string(), until: Instant::now() + rest });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> WeatherError {
        WeatherError::Failed { status: 503, retry_after: None }
    }

    #[tokio::test(start_paused = true)]
    async fn three_places_in_a_row_make_an_outage_and_one_answer_ends_it() {
        let outage = Outage::default();
        outage.failed(&failed());
        outage.failed(&failed());
        outage.failed(&WeatherError::NoData);
        outage.failed(&failed());
        outage.failed(&failed());
        assert_eq!(outage.check(), Ok(()), "a place without data was an answer");
        outage.failed(&failed());
        let refused = outage.check().unwrap_err();
        assert!(refused.to_string().contains("503") && refused.to_string().contains("30 s"), "{refused}");
        assert!(outage.reason().is_some());
        tokio::time::advance(REST).await;
        assert_eq!(outage.check(), Ok(()), "one may try");
        assert!(outage.check().is_err(), "and the others wait");
        outage.answered();
        assert_eq!((outage.check(), outage.check(), outage.reason()), (Ok(()), Ok(()), None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_key_and_a_long_wait_count_at_once_and_no_wait_is_endless() {
        let outage = Outage::default();
        outage.failed(&WeatherError::KeyRefused);
        assert!(outage.check().is_err());
        for (asked, rest) in [(120, 120), (100_000, 600)] {
            let outage = Outage::default();
            outage.failed(&WeatherError::Busy { retry_after: Some(Duration::from_secs(asked)) });
            tokio::time::advance(Duration::from_secs(rest - 1)).await;
            assert!(outage.check().is_err(), "{asked}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!(outage.check(), Ok(()), "{asked}");
        }
    }
}
