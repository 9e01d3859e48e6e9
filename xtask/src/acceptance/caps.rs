//! How much an acceptance run may cost, and how long it may take.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::exit::BadInput;

/// Hours of a month, as AWS counts them.
const HOURS: f64 = 730.0;
/// How long destroying may take after the time is up: load balancers and network interfaces go slowly.
const DESTROYING: Duration = Duration::from_secs(30 * 60);

/// The caps, and when the run began.
#[derive(Debug)]
pub(super) struct Caps {
    max_usd: f64,
    time: Duration,
    usd_an_hour: f64,
    began: Instant,
}

impl Caps {
    /// Begins, unless the bill could become higher than it may.
    pub(super) fn new(max_usd: f64, time: Duration, usd_a_month: f64) -> Result<Self> {
        let caps = Self { max_usd, time, usd_an_hour: usd_a_month / HOURS, began: Instant::now() };
        let estimate = caps.at_most();
        // Written so that no number, an absurd one included, counts as below the cap.
        if estimate <= max_usd {
            return Ok(caps);
        }
        Err(BadInput(format!(
            "this could cost {estimate:.2} USD and may cost {max_usd:.2}; nothing was begun. Allow more with --max-usd, or \
             less time with --max-minutes"
        ))
        .into())
    }

    /// What it costs when all the time is used: hours are paid whole, and the stack is made twice.
    fn at_most(&self) -> f64 {
        let hours = (self.time + DESTROYING).as_secs_f64() / 3600.0;
        (hours.ceil() + 1.0) * self.usd_an_hour
    }

    /// Whether the time for making things is up.
    pub(super) fn are_reached(&self) -> bool {
        self.began.elapsed() >= self.time
    }

    /// What it has cost until now, as an estimate.
    pub(super) fn usd(&self) -> f64 {
        ((self.began.elapsed().as_secs_f64() / 3600.0).ceil() + 1.0) * self.usd_an_hour
    }
}

impl fmt::Display for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.time.as_secs() / 60;
        write!(f, "at most {minutes} minutes and {:.2} of {:.2} USD", self.at_most(), self.max_usd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_run_that_could_cost_too_much_does_not_begin() {
        // 73 a month are 0.10 an hour; an hour of work and its end are two, and making everything twice one more.
        assert!(Caps::new(0.31, HOUR, 73.0).is_ok());
        let refusal = Caps::new(0.29, HOUR, 73.0).unwrap_err().to_string();
        assert!(refusal.contains("could cost 0.30 USD and may cost 0.29"), "{refusal}");
        assert!(Caps::new(1e9, HOUR, f64::NAN).is_err());
    }

    #[test]
    fn the_time_is_up_when_it_is() {
        assert!(!Caps::new(9.0, HOUR, 73.0).unwrap().are_reached());
        assert!(Caps::new(9.0, Duration::ZERO, 73.0).unwrap().are_reached());
    }
}
