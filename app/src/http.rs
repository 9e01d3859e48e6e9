//! The client for everything outside, with roots of its own.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Makes a client that keeps its connections.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn client() -> Result<reqwest::Client> {
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
        // A key in a header of its own would go along to wherever an answer points.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("weather-comment-generator")
        .build()
        .context("making an HTTP client")
}
