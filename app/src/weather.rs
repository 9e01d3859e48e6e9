//! Where forecasts come from: one file each, all giving hourly points for one day.

mod answer;
pub mod demo;
pub mod open_meteo;
pub mod wxtech;

use std::time::Duration;

use anyhow::{Context as _, Result};
use config::places::Place;
use config::service::{App, Secrets, WeatherSource};
use jiff::Timestamp;
use jiff::civil::Date;
use thiserror::Error;

use crate::domain::day::HourlyPoint;

/// The source in use.
#[derive(Debug)]
pub enum Source {
    /// Built-in sample days.
    Demo,
    /// Open-Meteo.
    OpenMeteo(open_meteo::Client),
    /// WxTech.
    WxTech(wxtech::Client),
}

/// Why there is no forecast.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WeatherError {
    /// It cannot be reached, or is too slow.
    #[error("the weather service cannot be reached: {0}")]
    Unreachable(String),
    /// It asks for fewer calls.
    #[error("the weather service asks to wait")]
    Busy {
        /// For how long.
        retry_after: Option<Duration>,
    },
    /// It failed.
    #[error("the weather service failed with status {0}")]
    Failed(u16),
    /// It refused this question.
    #[error("the weather service refused the question: {0}")]
    Refused(String),
    /// It does not accept our key.
    #[error("the weather service does not accept the key; put a valid one in with `provision secrets set`")]
    KeyRefused,
    /// It knows nothing of this place.
    #[error("the weather service has no forecast for this place")]
    NoData,
    /// Its answer makes no sense.
    #[error("the weather service's answer cannot be read: {0}")]
    Unreadable(String),
}

impl WeatherError {
    /// Whether asking again may help.
    fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Busy { .. } => true,
            Self::Failed(status) => *status >= 500,
            Self::Refused(_) | Self::KeyRefused | Self::NoData | Self::Unreadable(_) => false,
        }
    }
}

/// How often a question is asked in all.
const ATTEMPTS: u32 = 3;
/// All attempts together must end within this; editors wait.
const BUDGET: Duration = Duration::from_secs(25);

impl Source {
    /// Makes the source that the settings name.
    ///
    /// # Errors
    /// When its client cannot be made, or when its key is missing.
    pub fn of(settings: &App, secrets: &Secrets) -> Result<Self> {
        Ok(match settings.weather {
            WeatherSource::Demo => Self::Demo,
            WeatherSource::OpenMeteo => {
                let base = settings.open_meteo_base_url.as_deref().unwrap_or(open_meteo::PUBLIC);
                Self::OpenMeteo(open_meteo::Client::new(base).context("making the client of Open-Meteo")?)
            }
            WeatherSource::WxTech => {
                let key = secrets.required("WXTECH_API_KEY", "WEATHER_SOURCE is wxtech")?;
                let base = settings.wxtech_base_url.as_deref().unwrap_or(wxtech::PUBLIC);
                Self::WxTech(wxtech::Client::new(base, key).context("making the client of WxTech")?)
            }
        })
    }

    /// Its name, as the API and the page show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::OpenMeteo(_) => "open-meteo",
            Self::WxTech(_) => "wxtech",
        }
    }

    /// How many rows of its answers could not be read, since the start.
    pub fn skipped(&self) -> u64 {
        if let Self::WxTech(client) = self { client.skipped() } else { 0 }
    }

    /// Fetches the hourly points of one day, trying again what passes.
    ///
    /// # Errors
    /// What the last attempt ended with.
    pub async fn fetch(&self, place: &Place, date: Date, now: Timestamp) -> Result<Vec<HourlyPoint>, WeatherError> {
        match self {
            Self::Demo => Ok(demo::points(place, date)),
            Self::OpenMeteo(client) => patiently(place, || client.fetch(place, date)).await,
            Self::WxTech(client) => patiently(place, || client.fetch(place, date, now)).await,
        }
    }
}

/// Asks up to three times, as long as the failures are of the kind that passes.
async fn patiently<T, F>(place: &Place, ask: impl Fn() -> F) -> Result<T, WeatherError>
where
    F: Future<Output = Result<T, WeatherError>>,
{
    let tries = async {
        let mut attempt = 0;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            attempt += 1;
            tracing::warn!(place = place.name, attempt, %error, "fetching a forecast failed");
            if attempt == ATTEMPTS || !error.passes() {
                return Err(error);
            }
            let asked = if let WeatherError::Busy { retry_after } = &error { *retry_after } else { None };
            tokio::time::sleep(asked.unwrap_or(Duration::from_secs(1 << (attempt - 1)))).await;
        }
    };
    let late = || WeatherError::Unreachable(format!("no answer within {} s", BUDGET.as_secs()));
    tokio::time::timeout(BUDGET, tries).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use config::places::Places;
    use tokio::time::Instant;

    use super::*;

    /// Asks something that gives these answers in turn; tells what came of it, how often it was asked, and how long
    /// that took in seconds.
    async fn ask(answers: Vec<Result<u8, WeatherError>>) -> (Result<u8, WeatherError>, usize, u64) {
        let began = Instant::now();
        let asked = RefCell::new(answers.into_iter());
        let total = asked.borrow().len();
        let place = &Places::embedded().all()[0];
        let result = patiently(place, || {
            let next = asked.borrow_mut().next();
            async {
                match next {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        })
        .await;
        (result, total - asked.borrow().len(), began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_with_pauses_that_grow_or_that_were_asked_for() {
        let down = || Err(WeatherError::Failed(503));
        assert_eq!(ask(vec![down(), Ok(1)]).await, (Ok(1), 2, 1));
        assert_eq!(ask(vec![down(), down(), Ok(1)]).await, (Ok(1), 3, 3));
        assert_eq!(ask(vec![down(), down(), down(), Ok(1)]).await, (down(), 3, 3));
        let busy = Err(WeatherError::Busy { retry_after: Some(Duration::from_secs(7)) });
        assert_eq!(ask(vec![busy, Ok(1)]).await, (Ok(1), 2, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_not_tried_again_and_nobody_waits_longer_than_the_budget() {
        for error in [WeatherError::KeyRefused, WeatherError::NoData, WeatherError::Refused("no".to_owned())] {
            assert_eq!(ask(vec![Err(error.clone()), Ok(1)]).await, (Err(error), 1, 0));
        }
        let late = Err(WeatherError::Unreachable("no answer within 25 s".to_owned()));
        assert_eq!(ask(Vec::new()).await, (late.clone(), 0, 25));
        let busy = Err(WeatherError::Busy { retry_after: Some(Duration::from_secs(600)) });
        assert_eq!(ask(vec![busy, Ok(1)]).await, (late, 1, 25));
    }
}
