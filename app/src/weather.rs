//! Where forecasts come from: one file each, all giving hourly points for one day.
//!
//! What a source asks is its own; how it is asked (when, how often, and what the failures mean) is in `upstream`.

mod answer;
pub mod demo;
pub mod open_meteo;
mod throttle;
mod upstream;
pub mod wxtech;

use std::time::Duration;

use anyhow::{Context as _, Result};
use config::places::Place;
use config::service::{App, Secrets, WeatherSource};
use jiff::Timestamp;
use jiff::civil::Date;
use thiserror::Error;

use crate::domain::day::HourlyPoint;
pub use upstream::Upstream;

/// The source in use.
#[derive(Debug)]
pub enum Source {
    /// Built-in sample days.
    Demo,
    /// Open-Meteo.
    OpenMeteo(open_meteo::Client),
    /// WxTech.
    WxTech(wxtech::Client),
    /// The same mild and sunny day everywhere, after a wait for each place.
    #[cfg(test)]
    Delayed(std::collections::HashMap<String, Duration>),
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
    #[error("the weather service failed with status {status}")]
    Failed {
        /// Its status.
        status: u16,
        /// For how long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It failed before, and is left alone for a while.
    #[error("the weather service is down and is asked again in {} s: {reason}", .again_in.as_secs_f64().ceil())]
    Down {
        /// How it failed.
        reason: String,
        /// When it is asked again.
        again_in: Duration,
    },
    /// It refused this question.
    #[error("the weather service refused the question: {0}")]
    Refused(String),
    /// It does not accept our key.
    #[error("the weather service does not accept the key; put a valid one in with `provision secrets set`")]
    KeyRefused,
    /// It knows nothing of this place.
    #[error("the weather service has no forecast for this place")]
    NoData,
    /// It answered, but not for this day.
    #[error("the weather service's answer holds no hour of the day")]
    Empty,
    /// Its answer makes no sense.
    #[error("the weather service's answer cannot be read: {0}")]
    Unreadable(String),
}

impl WeatherError {
    /// Its name in the metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Busy { .. } => "busy",
            Self::Failed { .. } => "failed",
            Self::Down { .. } => "down",
            Self::Refused(_) => "refused",
            Self::KeyRefused => "key_refused",
            Self::NoData => "no_data",
            Self::Empty => "empty",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// How often to ask in all, when this is the answer.
    fn attempts(&self) -> u32 {
        match self {
            Self::Unreachable(_) | Self::Busy { .. } => 3,
            Self::Failed { status, .. } if *status >= 500 => 3,
            Self::Empty => 2,
            Self::Failed { .. }
            | Self::Down { .. }
            | Self::Refused(_)
            | Self::KeyRefused
            | Self::NoData
            | Self::Unreadable(_) => 1,
        }
    }

    /// How long to wait after an attempt: as asked for, or longer each time; not at all for a service that is well.
    fn pause(&self, attempt: u32) -> Duration {
        let first = match self {
            Self::Empty => 0,
            Self::Busy { .. } => 2,
            _ => 1,
        };
        self.retry_after().unwrap_or(Duration::from_secs(first << (attempt - 1)))
    }

    /// How long it asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } | Self::Failed { retry_after, .. } => *retry_after,
            Self::Down { again_in, .. } => Some(*again_in),
            _ => None,
        }
    }

    /// Whether other places would fare no better.
    fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Busy { .. } | Self::Failed { .. } | Self::KeyRefused | Self::Unreadable(_)
        )
    }
}

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
            #[cfg(test)]
            Self::Delayed(_) => "delayed",
            Self::OpenMeteo(_) => "open-meteo",
            Self::WxTech(_) => "wxtech",
        }
    }

    /// What it has of a service over the network.
    pub fn upstream(&self) -> Option<&Upstream> {
        match self {
            Self::Demo => None,
            #[cfg(test)]
            Self::Delayed(_) => None,
            Self::OpenMeteo(client) => Some(client.upstream()),
            Self::WxTech(client) => Some(client.upstream()),
        }
    }

    /// Fetches the hourly points of one day, trying again what passes.
    ///
    /// # Errors
    /// What the last attempt ended with.
    pub async fn fetch(&self, place: &Place, date: Date, now: Timestamp) -> Result<Vec<HourlyPoint>, WeatherError> {
        match self {
            Self::Demo => Ok(demo::points(place, date)),
            #[cfg(test)]
            Self::Delayed(waits) => {
                tokio::time::sleep(waits.get(&place.name).copied().unwrap_or_default()).await;
                Ok(demo::sunny(date))
            }
            Self::OpenMeteo(client) => client.upstream().patiently(place, || client.fetch(place, date)).await,
            Self::WxTech(client) => client.upstream().patiently(place, || client.fetch(place, date, now)).await,
        }
    }
}
