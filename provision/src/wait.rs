//! The only waiting loop: probe, sleep, give up at a deadline and say what was awaited.

use std::time::Duration;

use anyhow::{Result, bail};
use thiserror::Error;
use tokio::time::{Instant, sleep};

/// What is awaited, how often to look, and for how long.
#[derive(Clone, Debug)]
pub struct Wait {
    /// The awaited thing, as it reads after "waiting for".
    pub what: String,
    /// The pause between two looks.
    pub interval: Duration,
    /// When to give up.
    pub deadline: Duration,
}

impl Wait {
    /// Describes a wait.
    pub fn new(what: impl Into<String>, interval: Duration, deadline: Duration) -> Self {
        Self { what: what.into(), interval, deadline }
    }
}

/// What was awaited did not come in time.
#[derive(Debug, Error)]
#[error("gave up waiting for {what} after {}; last seen: {last}", human(*.deadline))]
pub struct GaveUp {
    what: String,
    deadline: Duration,
    last: String,
}

/// The answer of one look.
#[derive(Debug)]
pub enum Poll<T> {
    /// The awaited thing is there.
    Ready(T),
    /// Not yet; the text is the state seen, for the watcher and for the error at the deadline.
    Pending(String),
}

/// Probes until it is ready; `seen` hears of each new state.
///
/// # Errors
/// When the probe fails, or at the deadline, naming the awaited thing and the last state.
pub async fn until<T, F>(
    wait: Wait,
    mut seen: impl FnMut(&str) + Send,
    mut probe: impl FnMut() -> F + Send,
) -> Result<T>
where
    F: Future<Output = Result<Poll<T>>> + Send,
{
    let started = Instant::now();
    let mut last = String::new();
    loop {
        match probe().await? {
            Poll::Ready(value) => return Ok(value),
            Poll::Pending(state) => {
                if state != last {
                    seen(&state);
                    last = state;
                }
            }
        }
        if started.elapsed() + wait.interval > wait.deadline {
            bail!(GaveUp { what: wait.what, deadline: wait.deadline, last });
        }
        sleep(wait.interval).await;
    }
}

/// Writes a duration the way people say it: `45 s`, `3 min`, `1 min 30 s`.
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{} ms", duration.as_millis()),
        (0, s) => format!("{s} s"),
        (m, 0) => format!("{m} min"),
        (m, s) => format!("{m} min {s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_what_became_ready_and_names_each_state_once() {
        let mut states = ["creating", "creating", "available"].into_iter();
        let mut seen = Vec::new();
        let wait = Wait::new("the disk", Duration::from_secs(5), Duration::from_secs(60));
        let ready = until(
            wait,
            |state| seen.push(state.to_owned()),
            || {
                let state = states.next().expect("three looks are enough");
                async move { Ok(if state == "available" { Poll::Ready(7) } else { Poll::Pending(state.to_owned()) }) }
            },
        )
        .await
        .unwrap();
        assert_eq!((ready, seen), (7, vec!["creating".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_gives_up_at_its_deadline_and_says_what_it_last_saw() {
        let wait = Wait::new("the disk", Duration::from_secs(5), Duration::from_secs(60));
        let started = Instant::now();
        let error =
            until::<(), _>(wait, |_| (), || async { Ok(Poll::Pending("creating".to_owned())) }).await.unwrap_err();
        assert_eq!(error.to_string(), "gave up waiting for the disk after 1 min; last seen: creating");
        assert_eq!(started.elapsed(), Duration::from_secs(60));
    }
}
