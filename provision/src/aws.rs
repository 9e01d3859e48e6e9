//! The AWS clients, who owns what they make, and what an AWS answer means.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::guard::Access;
use crate::transcript::Transcript;

/// The key of the tag that names the application.
pub const TAG_APP: &str = "provision:app";
/// The key of the tag that names the environment.
pub const TAG_ENVIRONMENT: &str = "provision:environment";
/// The key of the tag that names the resource within the stack.
pub const TAG_RESOURCE: &str = "provision:resource";

/// Every client that a resource may use, and the marks of ownership.
#[derive(Clone, Debug)]
pub struct Aws {
    /// Certificates.
    pub acm: aws_sdk_acm::Client,
    /// Scaling of the service.
    pub autoscaling: aws_sdk_applicationautoscaling::Client,
    /// Metrics, alarms and dashboards.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Networks.
    pub ec2: aws_sdk_ec2::Client,
    /// Images.
    pub ecr: aws_sdk_ecr::Client,
    /// Containers.
    pub ecs: aws_sdk_ecs::Client,
    /// Shared files.
    pub efs: aws_sdk_efs::Client,
    /// Load balancers.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Roles.
    pub iam: aws_sdk_iam::Client,
    /// Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Names on the internet.
    pub route53: aws_sdk_route53::Client,
    /// Secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Messages to people.
    pub sns: aws_sdk_sns::Client,
    /// The caller's identity.
    pub sts: aws_sdk_sts::Client,
    /// Firewalls.
    pub waf: aws_sdk_wafv2::Client,
    /// The region all clients talk to.
    pub region: String,
    /// Whose things these are.
    pub owner: Owner,
    /// How long blind pauses are.
    pub pace: Pace,
    caller: Arc<OnceCell<Caller>>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: String,
    /// The caller's own name.
    pub arn: String,
}

/// How long the pauses are for which AWS offers nothing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As long as AWS needs.
    Real,
    /// None: a stand-in on this machine is done when it answers.
    StandIn,
}

impl Pace {
    /// The pause at this pace.
    pub fn scale(self, pause: std::time::Duration) -> std::time::Duration {
        match self {
            Self::Real => pause,
            Self::StandIn => std::time::Duration::ZERO,
        }
    }
}

impl Aws {
    /// Makes the clients from one SDK configuration.
    ///
    /// With [`Access::ReadOnly`] every operation that could change something is refused before
    /// it is sent.
    pub fn new(config: &SdkConfig, owner: Owner, access: Access) -> Self {
        Self::recorded(config, owner, access, None)
    }

    /// Makes clients whose every call is written into a transcript, if there is one.
    pub fn recorded(config: &SdkConfig, owner: Owner, access: Access, transcript: Option<&Transcript>) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        macro_rules! client {
            ($service:ident) => {{
                let mut settings = $service::config::Builder::from(config).interceptor(access.interceptor());
                if let Some(transcript) = transcript {
                    settings = settings.interceptor(transcript.interceptor());
                }
                $service::Client::from_conf(settings.build())
            }};
        }
        Self {
            acm: client!(aws_sdk_acm),
            autoscaling: client!(aws_sdk_applicationautoscaling),
            cloudwatch: client!(aws_sdk_cloudwatch),
            ec2: client!(aws_sdk_ec2),
            ecr: client!(aws_sdk_ecr),
            ecs: client!(aws_sdk_ecs),
            efs: client!(aws_sdk_efs),
            elb: client!(aws_sdk_elasticloadbalancingv2),
            iam: client!(aws_sdk_iam),
            logs: client!(aws_sdk_cloudwatchlogs),
            route53: client!(aws_sdk_route53),
            secrets: client!(aws_sdk_secretsmanager),
            sns: client!(aws_sdk_sns),
            sts: client!(aws_sdk_sts),
            waf: client!(aws_sdk_wafv2),
            region,
            owner,
            pace: Pace::Real,
            caller: Arc::default(),
        }
    }

    /// Who calls; asked once, because the account is a part of many names.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn caller(&self) -> anyhow::Result<Caller> {
        let ask = async || {
            let answer = self.sts.get_caller_identity().send().await.map_err(AwsError::from)?;
            Ok(Caller {
                account: answer.account.context("AWS answered without the account")?,
                arn: answer.arn.context("AWS answered without the caller's ARN")?,
            })
        };
        self.caller.get_or_try_init(ask).await.cloned()
    }
}

/// The application and environment that everything we make belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The application.
    pub app: String,
    /// Its environment.
    pub environment: String,
}

impl Owner {
    /// Lists the tags that a resource of the given name in the stack carries.
    pub fn tags(&self, resource: &str) -> BTreeMap<String, String> {
        [
            ("Name", format!("{}-{}-{resource}", self.app, self.environment)),
            (TAG_APP, self.app.clone()),
            (TAG_ENVIRONMENT, self.environment.clone()),
            (TAG_RESOURCE, resource.to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// Refuses something that has our name but not our tags.
    ///
    /// # Errors
    /// [`NotOurs`] when the application's or the environment's tag is absent or another's.
    pub fn check<'a>(
        &self,
        thing: impl fmt::Display,
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), NotOurs> {
        let tags: BTreeMap<_, _> = tags.into_iter().collect();
        let ours = tags.get(TAG_APP) == Some(&self.app.as_str())
            && tags.get(TAG_ENVIRONMENT) == Some(&self.environment.as_str());
        if ours { Ok(()) } else { Err(NotOurs { thing: thing.to_string() }) }
    }
}

/// Something exists under our name that this tool did not make.
#[derive(Debug, Error)]
#[error(
    "{thing} exists but does not carry our tags ({TAG_APP}, {TAG_ENVIRONMENT}); it belongs to someone else. \
     Rename `app` in the configuration, or remove or tag it by hand if it is yours"
)]
pub struct NotOurs {
    thing: String,
}

/// A failed AWS call, in the terms that decide what to do about it.
#[derive(Debug, Error)]
pub struct AwsError {
    /// The service's error code, where an answer came.
    pub code: Option<String>,
    /// The service's sentence, or what broke on the way.
    pub message: String,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message)?,
            None => write!(f, "{}", self.message)?,
        }
        self.advice().map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

impl AwsError {
    /// Tells whether the service answered with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the caller may not do this.
    pub fn is_denied(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        ["UnauthorizedOperation", "AuthorizationError"].contains(&code) || code.starts_with("AccessDenied")
    }

    /// Whether AWS found the request too old or from the future; each service has its own word for it.
    pub fn is_of_another_time(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        let signature = ["SignatureDoesNotMatch", "InvalidSignatureException"].contains(&code);
        let time = ["Signature expired", "Signature not yet current"].iter().any(|part| self.message.contains(part));
        code == "RequestTimeTooSkewed" || (signature && time)
    }

    /// Whether the sign-in is over; EC2's word for it means a wrong clock as well.
    fn is_of_an_expired_sign_in(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        ["ExpiredToken", "ExpiredTokenException", "RequestExpired"].contains(&code)
    }

    /// What somebody has to do where the tool cannot go on.
    fn advice(&self) -> Option<&'static str> {
        let code = self.code.as_deref()?;
        if self.is_of_another_time() {
            return Some(
                "the clock of this machine is wrong by minutes, and AWS takes no request from another time; set it (`sudo \
                 timedatectl set-ntp true`), then run again",
            );
        }
        if self.is_of_an_expired_sign_in() {
            return Some(
                "the sign-in has expired: sign in again (`aws sso login`), then run again, which continues; if that does \
                 not help, compare the clock of this machine",
            );
        }
        if self.is_denied() && self.message.contains("not authorized to perform") {
            return Some("give the caller this permission, then run again");
        }
        if self.message.contains("KMS key does not exist or is not allowed to be used") {
            return Some(
                "CloudWatch Logs may not use the key: add to its policy what provision/HARDENING.md says under \
                 \"A key of your own\", then run again",
            );
        }
        let is_quota =
            code.ends_with("LimitExceeded") || code == "LimitExceededException" || code.starts_with("TooMany");
        let is_rate = ["RequestLimitExceeded", "TooManyRequestsException", "TooManyRequests"].contains(&code);
        (is_quota && !is_rate).then_some(
            "a quota of the account is reached: remove what nobody needs or ask AWS for more (Service Quotas), then run \
             again",
        )
    }
}

impl<E> From<SdkError<E, Response>> for AwsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E, Response>) -> Self {
        let status = error.raw_response().map(|response| response.status().as_u16());
        match &error {
            SdkError::ServiceError(service) => Self {
                code: service.err().code().map(ToOwned::to_owned),
                message: service.err().message().unwrap_or("no explanation given").to_owned(),
                status,
            },
            // Nothing was sent, so nothing is lost and nothing passes by itself.
            SdkError::ConstructionFailure(_) => {
                Self { code: Some("NotSent".to_owned()), message: chain(&error), status }
            }
            other => Self { code: None, message: chain(other), status },
        }
    }
}

/// Writes an error with all its causes; the SDK's outermost sentence alone says next to nothing.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Reads "there is none" out of an answer that says so by an error code.
pub trait Absent<T> {
    /// Turns the given error codes into `None`.
    ///
    /// # Errors
    /// Any other failure.
    fn absent_on(self, codes: &[&str]) -> Result<Option<T>, AwsError>;
}

impl<T, E> Absent<T> for Result<T, SdkError<E, Response>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn absent_on(self, codes: &[&str]) -> Result<Option<T>, AwsError> {
        match self.map_err(AwsError::from) {
            Ok(value) => Ok(Some(value)),
            Err(error) if codes.iter().any(|code| error.is(code)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
