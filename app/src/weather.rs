//! Where forecasts come from: one file each, all giving hourly points for one day.

pub mod demo;
pub mod open_meteo;

use std::time::Duration;

use anyhow::{Context as _, Result};
use config::places::Place;
use config::service::{App, WeatherSource};
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
}

/// Why there is no forecast.
#[derive(Clone, Debug, Error)]
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
            Self::Refused(_) | Self::Unreadable(_) => false,
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
    /// When its client cannot be made.
    pub fn of(settings: &App) -> Result<Self> {
        Ok(match settings.weather {
            WeatherSource::Demo => Self::Demo,
            WeatherSource::OpenMeteo => {
                let base = settings.open_meteo_base_url.as_deref().unwrap_or(open_meteo::PUBLIC);
                Self::OpenMeteo(open_meteo::Client::new(base).context("making the client of Open-Meteo")?)
            }
        })
    }

    /// Its name, as the API and the page show it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::OpenMeteo(_) => "open-meteo",
        }
    }

    /// Fetches the hourly points of one day, trying again what passes.
    ///
    /// # Errors
    /// What the last attempt ended with.
    pub async fn fetch(&self, place: &Place, date: Date) -> Result<Vec<HourlyPoint>, WeatherError> {
        let Self::OpenMeteo(client) = self else { return Ok(demo::points(place, date)) };
        let mut attempt = 0;
        let tries = async {
            loop {
                let error = match client.fetch(place, date).await {
                    Ok(points) => return Ok(points),
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
}
