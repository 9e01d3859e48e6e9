//! What all sources over HTTP share: a client with roots of its own, and what an answer means.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, StatusCode};

use super::WeatherError;

/// Makes a client that keeps its connections.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn client() -> Result<reqwest::Client> {
    // The image holds no certificates of its own, so the roots are part of the program.
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = rustls::crypto::ring::default_provider().into();
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choosing TLS versions")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(10))
        .user_agent("weather-comment-generator")
        .build()
        .context("making an HTTP client")
}

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
