//! One request through the load balancer, as a browser makes it: the last thing that a deploy has to show.
//!
//! Healthy targets are the load balancer's own opinion. Only a request from outside shows that its listener has the
//! right certificate, that its security group lets people in, and that its rules lead to the service.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, ServerName, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::aws::AwsError;
use crate::context::Context;
use crate::wait::{Poll, Wait};

/// What is asked: the page's own word on whether it can work.
const PATH: &str = "/health/ready";
/// A new load balancer's name takes a minute or two to be known everywhere, and so does a changed listener.
pub const PATIENCE: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a load balancer is asked, and whom it must prove to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontDoor {
    /// The load balancer's own name, so that nobody has to wait for a new record to spread.
    pub address: String,
    /// A name that its certificate is for.
    pub name: String,
    /// The certificate and its chain as ACM holds them, in PEM: a company's own authority is as good as a public one.
    pub certificates: String,
}

/// What a request got.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// No connection came about.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Whoever answered did not prove to be it, or did not speak HTTP.
    #[error("no answer that can be trusted: {0}")]
    Untrusted(String),
    /// It answered something else than 200.
    #[error("status {0}{advice}", advice = advice(*.0))]
    Status(u16),
}

/// What a load balancer means by a status, and what to do about it.
fn advice(status: u16) -> &'static str {
    match status {
        502 => ": the task broke off its answer; see `provision logs`",
        503 => {
            ": no task is healthy, or the service says that it is not ready; see `provision status` and `provision logs`"
        }
        504 => ": the task did not answer in time; see `provision logs`",
        301 | 302 | 307 | 308 | 404 => ": the listener leads somewhere else; see `provision plan`",
        _ => "",
    }
}

impl FrontDoor {
    /// Finds out what the door has to show.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub async fn of(context: &Context, address: &str, certificate: &str) -> Result<Self> {
        let acm = &context.aws.acm;
        let described = async {
            let answer = acm.describe_certificate().certificate_arn(certificate).send().await;
            anyhow::Ok(answer.map_err(AwsError::from)?.certificate.and_then(|it| it.domain_name))
        };
        let held = async {
            let answer = acm.get_certificate().certificate_arn(certificate).send().await.map_err(AwsError::from)?;
            let parts = [answer.certificate, answer.certificate_chain];
            Ok(parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
        };
        let (name, certificates) = tokio::try_join!(described, held)?;
        let name = name.with_context(|| format!("certificate {certificate} is for no name"))?;
        // A certificate for all names under a domain is for any one of them.
        Ok(Self { address: address.to_owned(), name: name.replacen('*', "www", 1), certificates })
    }

    /// What is asked.
    pub fn url(&self) -> String {
        format!("https://{}{PATH}", self.address)
    }

    /// What reaches it over the network.
    ///
    /// # Errors
    /// When the certificate's name is none.
    pub fn connector(&self) -> Result<SharedHttpConnector> {
        let mut trusted = TrustStore::default();
        if !self.certificates.is_empty() {
            trusted.add_pem_certificate(self.certificates.as_bytes());
        }
        let name = ServerName::try_from(self.name.as_str())
            .with_context(|| format!("the certificate is for {:?}, which is no name of a host", self.name))?;
        let tls = TlsContext::builder().with_trust_store(trusted).with_additional_server_names(vec![name]).build()?;
        let settings =
            HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
        let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls);
        Ok(SharedHttpConnector::new(connector.connector_settings(settings).build()))
    }

    /// Asks until it answers 200.
    ///
    /// # Errors
    /// [`Closed`], as it was at the end.
    pub async fn answers(&self, context: &Context, connector: &SharedHttpConnector) -> Result<(), Closed> {
        let last = Mutex::new(Closed::Unreachable("nobody asked".to_owned()));
        let wait = Wait::new(format!("{} to answer", self.url()), LOOK, PATIENCE);
        let look = || async {
            let Err(closed) = self.ask(connector).await else { return Ok(Poll::Ready(())) };
            let seen = closed.to_string();
            *last.lock().unwrap_or_else(PoisonError::into_inner) = closed;
            Ok(Poll::Pending(seen))
        };
        // It only ever fails at its deadline.
        let end = context.wait(wait, look).await;
        end.map_err(|_| last.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask(&self, connector: &SharedHttpConnector) -> Result<(), Closed> {
        let mut request = HttpRequest::empty();
        request.set_uri(self.url()).map_err(|error| Closed::Unreachable(error.to_string()))?;
        let answer = connector.call(request).await.map_err(closed)?;
        match answer.status().as_u16() {
            200 => Ok(()),
            status => Err(Closed::Status(status)),
        }
    }
}

/// Tells a wall from a wrong certificate: TLS reports what it does not trust as data that is not valid.
fn closed(error: ConnectorError) -> Closed {
    let mut causes = vec![error.to_string()];
    let mut untrusted = !(error.is_io() || error.is_timeout());
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        untrusted |= io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData);
        causes.push(error.to_string());
        cause = error.source();
    }
    causes.dedup();
    let text = causes.join(": ");
    if untrusted { Closed::Untrusted(text) } else { Closed::Unreachable(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_load_balancers_give_comes_with_what_it_means() {
        assert!(Closed::Status(503).to_string().contains("no task is healthy"));
        assert_eq!(Closed::Status(418).to_string(), "status 418");
    }

    #[test]
    fn a_name_that_is_none_is_an_error_and_no_panic() {
        let door = |name: &str| FrontDoor {
            address: "127.0.0.1:8443".to_owned(),
            name: name.to_owned(),
            certificates: String::new(),
        };
        assert!(door("weather.example.com").connector().is_ok());
        assert!(door("no name").connector().unwrap_err().to_string().contains("no name of a host"));
    }

    #[tokio::test]
    async fn where_nobody_listens_is_unreachable() {
        // A port that was free a moment ago.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let door = FrontDoor { address, name: "weather.example.com".to_owned(), certificates: String::new() };
        let seen = door.ask(&door.connector().unwrap()).await.unwrap_err();
        assert!(matches!(seen, Closed::Unreachable(_)), "{seen:?}");
    }
}
