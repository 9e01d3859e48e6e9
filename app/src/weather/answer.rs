//! What an answer of a weather service means.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};

use super::WeatherError;

/// Sends a request and gives the body of a good answer.
///
/// # Errors
/// What the status means; `reason` finds the service's own words in the body of a refusal.
pub(super) async fn body_of(
    request: RequestBuilder,
    reason: impl Fn(&[u8]) -> Option<String>,
) -> Result<Vec<u8>, WeatherError> {
    let answer = request.send().await.map_err(|error| WeatherError::Unreachable(cause(&error)))?;
    let status = answer.status();
    let retry_after = retry_after(answer.headers());
    let body = answer.bytes().await.map_err(|error| WeatherError::Unreachable(cause(&error)))?;
    let reason = || reason(&body).unwrap_or_else(|| format!("status {status}, no reason given"));
    match status {
        StatusCode::OK => Ok(body.to_vec()),
        StatusCode::TOO_MANY_REQUESTS => Err(WeatherError::Busy { retry_after }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(WeatherError::KeyRefused),
        StatusCode::NOT_FOUND => Err(WeatherError::NoData),
        status if status.is_client_error() => Err(WeatherError::Refused(reason())),
        status => Err(WeatherError::Failed { status: status.as_u16(), retry_after }),
    }
}

/// A number of seconds, or an instant by the clock of whoever sent it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wanted = text(RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let instant = |text: &str| rfc2822::parse(text).ok().map(|time| time.timestamp());
    let (until, now): (Timestamp, Timestamp) = (instant(wanted)?, instant(text(DATE)?)?);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// The innermost cause; the outer ones repeat the address, which nobody needs.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_given_in_seconds_or_as_an_instant_of_the_other_sides_clock() {
        let seconds = |retry_after: &'static str, date: &'static str| {
            let headers = [(RETRY_AFTER, retry_after), (DATE, date)].into_iter().filter(|(_, value)| !value.is_empty());
            let headers = headers.map(|(name, value)| (name, value.parse().unwrap())).collect();
            super::retry_after(&headers).map(|wait| wait.as_secs())
        };
        let noon = "Tue, 24 Nov 2026 12:00:00 GMT";
        assert_eq!(seconds("7", noon), Some(7));
        assert_eq!(seconds("Tue, 24 Nov 2026 12:01:30 GMT", noon), Some(90));
        assert_eq!(seconds("Tue, 24 Nov 2026 11:00:00 GMT", noon), Some(0), "an instant that is over is no wait");
        assert_eq!(seconds("Tue, 24 Nov 2026 12:01:30 GMT", ""), None);
        assert_eq!((seconds("soon", noon), seconds("", noon), seconds("-5", noon)), (None, None, None));
    }
}
