//! What an answer of a weather service means.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
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
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = answer.bytes().await.map_err(|error| WeatherError::Unreachable(cause(&error)))?;
    let reason = || reason(&body).unwrap_or_else(|| format!("status {status}, no reason given"));
    match status {
        StatusCode::OK => Ok(body.to_vec()),
        StatusCode::TOO_MANY_REQUESTS => Err(WeatherError::Busy { retry_after: retry_after.map(Duration::from_secs) }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(WeatherError::KeyRefused),
        StatusCode::NOT_FOUND => Err(WeatherError::NoData),
        status if status.is_client_error() => Err(WeatherError::Refused(reason())),
        status => Err(WeatherError::Failed(status.as_u16())),
    }
}

/// The innermost cause; the outer ones repeat the address, which nobody needs.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}
