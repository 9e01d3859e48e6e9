//! What every source over HTTP has: an address, connections, manners, patience, and a count of what came of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use config::places::Place;
use reqwest::RequestBuilder;
use tokio::time::{Instant, sleep};

use super::throttle::Throttle;
use super::{WeatherError, answer};
use crate::breaker::{Breaker, Rests};
use crate::http;

/// No more than ten questions a second, for all places together. Other tasks have turns of their own; forecasts on the shared
/// disk are asked for once.
const BETWEEN: Duration = Duration::from_millis(100);
/// All attempts together must end within this; editors wait.
const BUDGET: Duration = Duration::from_secs(25);
/// For so long a service that is down is left alone.
const REST: Duration = Duration::from_secs(30);

/// A weather service on the other side of the network.
#[derive(Debug)]
pub struct Upstream {
    base: String,
    http: reqwest::Client,
    throttle: Throttle,
    breaker: Breaker,
    skipped: AtomicU64,
    outcomes: [AtomicU64; OUTCOMES.len()],
}

/// What can come of a question: an answer, or one of the errors.
const OUTCOMES: [&str; 9] =
    ["ok", "unreachable", "busy", "failed", "refused", "key_refused", "no_data", "empty", "unreadable"];

impl Upstream {
    /// Prepares to ask the service at an address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(super) fn new(base: &str) -> Result<Self> {
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            http: http::client()?,
            throttle: Throttle::new(BETWEEN),
            breaker: Breaker::new(REST),
            skipped: AtomicU64::new(0),
            outcomes: Default::default(),
        })
    }

    /// How many rows of its answers could not be read, since the start.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// How often it was asked, by what came of it, since the start.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        OUTCOMES.into_iter().zip(self.outcomes.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Why it is down, if it is.
    pub fn down(&self) -> Option<String> {
        self.breaker.reason()
    }

    /// Begins a question.
    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    /// Asks when it is our turn, and gives the body of a good answer.
    ///
    /// # Errors
    /// What the answer means; `reason` finds the service's own words in the body of a refusal.
    pub(super) async fn ask(
        &self,
        request: RequestBuilder,
        reason: impl Fn(&[u8]) -> Option<String>,
    ) -> Result<Vec<u8>, WeatherError> {
        self.throttle.turn().await;
        answer::body_of(request, reason).await
    }

    /// Counts the rows of an answer that could not be read.
    pub(super) fn skip(&self, place: &Place, bad: usize) {
        if bad > 0 {
            self.skipped.fetch_add(bad as u64, Ordering::Relaxed);
            tracing::warn!(place = place.name, bad, "rows of a forecast could not be read and were left out");
        }
    }

    /// Asks again as long as that may help and time is left, and not at all while the service is down.
    ///
    /// # Errors
    /// What the last attempt ended with.
    pub(super) async fn patiently<T, F>(&self, place: &Place, ask: impl Fn() -> F) -> Result<T, WeatherError>
    where
        F: Future<Output = Result<T, WeatherError>>,
    {
        self.breaker.check().map_err(|Rests { reason, again_in }| WeatherError::Down { reason, again_in })?;
        let mut last = None;
        let result = match tokio::time::timeout(BUDGET, self.attempts(place, ask, &mut last)).await {
            Ok(result) => result,
            Err(_) => {
                let late = WeatherError::Unreachable(format!("no answer within {} s", BUDGET.as_secs()));
                self.count(Some(&late));
                Err(last.unwrap_or(late))
            }
        };
        self.note(result.as_ref().err());
        result
    }

    /// Takes down what all attempts ended with; to know nothing of a place is an answer, too.
    fn note(&self, error: Option<&WeatherError>) {
        match error.filter(|error| error.is_outage()) {
            Some(error) => {
                // A refused key is refused for every place.
                let lasts = *error == WeatherError::KeyRefused;
                if let Some(rest) = self.breaker.failed(error, lasts, error.retry_after()) {
                    tracing::error!(reason = %error, seconds = rest.as_secs(), "the weather service is down and left alone");
                }
            }
            None if self.breaker.succeeded() => tracing::info!("the weather service answers again"),
            None => (),
        }
    }

    async fn attempts<T, F>(
        &self,
        place: &Place,
        ask: impl Fn() -> F,
        last: &mut Option<WeatherError>,
    ) -> Result<T, WeatherError>
    where
        F: Future<Output = Result<T, WeatherError>>,
    {
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = ask().await;
            self.count(result.as_ref().err());
            let Err(error) = result else { return result };
            let pause = error.pause(attempt);
            tracing::warn!(place = place.name, attempt, %error, "fetching a forecast failed");
            if attempt >= error.attempts() || began.elapsed() + pause >= BUDGET {
                return Err(error);
            }
            if matches!(error, WeatherError::Busy { .. }) {
                self.throttle.rest(pause);
            }
            *last = Some(error);
            sleep(pause).await;
        }
    }

    fn count(&self, error: Option<&WeatherError>) {
        let outcome = error.map_or("ok", WeatherError::name);
        if let Some(index) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.outcomes[index].fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use config::places::Places;

    use super::*;

    fn upstream() -> Upstream {
        Upstream::new("http://127.0.0.1:9").unwrap()
    }

    /// Asks something that gives these answers in turn and then none; tells what came of it, how often it was asked,
    /// and how long that took in seconds.
    async fn ask_of(
        upstream: &Upstream,
        answers: Vec<Result<u8, WeatherError>>,
    ) -> (Result<u8, WeatherError>, usize, u64) {
        let began = Instant::now();
        let asked = RefCell::new(answers.into_iter());
        let total = asked.borrow().len();
        let place = &Places::embedded().all()[0];
        let result = upstream.patiently(place, || {
            let next = asked.borrow_mut().next();
            async {
                match next {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        });
        (result.await, total - asked.borrow().len(), began.elapsed().as_secs())
    }

    async fn ask(answers: Vec<Result<u8, WeatherError>>) -> (Result<u8, WeatherError>, usize, u64) {
        ask_of(&upstream(), answers).await
    }

    fn failed(status: u16, seconds: Option<u64>) -> Result<u8, WeatherError> {
        Err(WeatherError::Failed { status, retry_after: seconds.map(Duration::from_secs) })
    }

    fn busy(seconds: Option<u64>) -> Result<u8, WeatherError> {
        Err(WeatherError::Busy { retry_after: seconds.map(Duration::from_secs) })
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_with_pauses_that_grow_or_that_were_asked_for() {
        let down = || failed(500, None);
        assert_eq!(ask(vec![down(), Ok(1)]).await, (Ok(1), 2, 1));
        assert_eq!(ask(vec![down(), down(), Ok(1)]).await, (Ok(1), 3, 3));
        assert_eq!(ask(vec![down(), down(), down(), Ok(1)]).await, (down(), 3, 3));
        assert_eq!(ask(vec![failed(503, Some(4)), Ok(1)]).await, (Ok(1), 2, 4));
        let lost = || Err(WeatherError::Unreachable("connection reset".to_owned()));
        assert_eq!(ask(vec![lost(), failed(502, None), Ok(1)]).await, (Ok(1), 3, 3));
        assert_eq!(ask(vec![busy(None), busy(None), Ok(1)]).await, (Ok(1), 3, 6));
        assert_eq!(ask(vec![busy(Some(7)), Ok(1)]).await, (Ok(1), 2, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_the_day_is_asked_for_once_more() {
        let empty = || Err(WeatherError::Empty);
        assert_eq!(ask(vec![empty(), Ok(1)]).await, (Ok(1), 2, 0));
        assert_eq!(ask(vec![empty(), empty(), Ok(1)]).await, (empty(), 2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_not_tried_again() {
        let reason = || "no".to_owned();
        let stay = [
            WeatherError::KeyRefused,
            WeatherError::NoData,
            WeatherError::Refused(reason()),
            WeatherError::Unreadable(reason()),
            WeatherError::Failed { status: 302, retry_after: None },
        ];
        for error in stay {
            assert_eq!(ask(vec![Err(error.clone()), Ok(1)]).await, (Err(error), 1, 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_budget_nor_for_a_pause_that_ends_after_it() {
        let late = Err(WeatherError::Unreachable("no answer within 25 s".to_owned()));
        assert_eq!(ask(Vec::new()).await, (late, 0, 25));
        assert_eq!(ask(vec![failed(500, None)]).await, (failed(500, None), 1, 25), "the last thing known is said");
        assert_eq!(ask(vec![busy(Some(600)), Ok(1)]).await, (busy(Some(600)), 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_is_down_is_left_alone_and_tried_again_later() {
        let upstream = upstream();
        for _ in 0..3 {
            let down = || failed(500, None);
            assert_eq!(ask_of(&upstream, vec![down(), down(), down()]).await, (down(), 3, 3));
        }
        let (result, asked, seconds) = ask_of(&upstream, vec![Ok(1)]).await;
        assert!(matches!(result, Err(WeatherError::Down { .. })), "{result:?}");
        assert_eq!((asked, seconds), (0, 0));
        assert!(upstream.down().is_some_and(|reason| reason.contains("500")));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(ask_of(&upstream, vec![Ok(1)]).await, (Ok(1), 1, 0));
        assert_eq!(upstream.down(), None);
        let outcomes: Vec<_> = upstream.outcomes().filter(|(_, count)| *count > 0).collect();
        assert_eq!(outcomes, [("ok", 1), ("failed", 9)]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_asked_to_wait_makes_the_others_wait_too() {
        let upstream = upstream();
        let place = &Places::embedded().all()[0];
        let first = RefCell::new(true);
        let one = upstream.patiently(place, || {
            let answer = if first.replace(false) { busy(Some(5)) } else { Ok(1) };
            async { answer }
        });
        let began = Instant::now();
        let other = async {
            tokio::task::yield_now().await;
            upstream.throttle.turn().await;
            began.elapsed().as_secs()
        };
        assert_eq!(futures::join!(one, other), (Ok(1), 5));
    }
}
