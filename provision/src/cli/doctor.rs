//! `provision doctor`: everything that would stand in the way of a deploy, looked at all at once.

use std::fmt::Display;

use anyhow::Result;
use aws_sdk_acm::types::CertificateStatus;
use config::deployment::Domain;
use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::exit::Exit;
use super::session::Session;
use crate::aws::{Absent as _, Aws, AwsError};
use crate::context::Context;
use crate::guard::Access;
use crate::names::Names;
use crate::plan::{Goal, plan};
use crate::resources::dns;
use crate::resources::image::ImageSource;
use crate::resources::secret::Secret;
use crate::run::look;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Good,
    /// Works, but somebody should know.
    Note,
    /// In the way of a deploy.
    Bad,
}

/// Everything that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Findings {
    /// One for each thing.
    findings: Vec<Finding>,
}

impl Document for Findings {
    const NAME: &'static str = "provision.doctor/1";
}

/// What was found of one thing.
#[derive(Debug, Serialize, JsonSchema)]
struct Finding {
    /// The thing.
    what: &'static str,
    /// How it is.
    verdict: Verdict,
    /// What was seen, and what to do about it.
    text: String,
}

impl Finding {
    fn good(what: &'static str, text: impl Display) -> Self {
        Self { what, verdict: Verdict::Good, text: text.to_string() }
    }

    fn note(what: &'static str, text: impl Display) -> Self {
        Self { what, verdict: Verdict::Note, text: text.to_string() }
    }

    fn bad(what: &'static str, text: impl Display) -> Self {
        Self { what, verdict: Verdict::Bad, text: text.to_string() }
    }
}

pub(crate) async fn run(session: &Session<'_>) -> Result<Exit> {
    session.check_account().await?;
    let aws = session.aws(Access::ReadOnly);
    let names = Names::of(&session.deployment);
    let (who, certificate, keys, room, ours) =
        tokio::join!(who(&aws), certificate(session, &aws), keys(&aws, &names), room(&aws), ours(session, &aws));
    let findings = [who, certificate, keys, room, ours];
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    for finding in &findings {
        let sign = match finding.verdict {
            Verdict::Good => "ok",
            Verdict::Note => "note",
            Verdict::Bad => "BAD",
        };
        session.terminal.print(format_args!("{sign:<4}  {:<12} {}", finding.what, finding.text));
    }
    session.terminal.document(&Findings { findings: findings.into() });
    Ok(if bad == 0 { Exit::Done } else { Exit::BadInput })
}

async fn who(aws: &Aws) -> Finding {
    match aws.sts.get_caller_identity().send().await.map_err(AwsError::from) {
        Ok(identity) => {
            Finding::good("account", format_args!("{} in {}", identity.arn().unwrap_or_default(), aws.region))
        }
        Err(error) => Finding::bad("account", error),
    }
}

async fn certificate(session: &Session<'_>, aws: &Aws) -> Finding {
    const WHAT: &str = "certificate";
    if let Some(domain) = &session.deployment.edge.domain {
        return zone(aws, domain).await;
    }
    let Some(arn) = &session.deployment.edge.certificate_arn else {
        return Finding::bad(WHAT, "none is configured; set `edge.certificate_arn`, or `edge.domain`");
    };
    let answer = aws.acm.describe_certificate().certificate_arn(arn).send().await;
    match answer.absent_on(&["ResourceNotFoundException"]) {
        Err(error) => Finding::bad(WHAT, error),
        Ok(None) => Finding::bad(WHAT, format_args!("{arn} does not exist in {}", aws.region)),
        Ok(Some(answer)) => match answer.certificate.and_then(|it| it.status) {
            Some(CertificateStatus::Issued) => Finding::good(WHAT, "issued"),
            status => {
                Finding::bad(WHAT, format_args!("{arn} is {status:?}, not ISSUED; publish its DNS record and wait"))
            }
        },
    }
}

/// A domain's certificate is requested by a deploy; what must be there before is its zone.
async fn zone(aws: &Aws, domain: &Domain) -> Finding {
    const WHAT: &str = "hosted zone";
    match dns::zone_id(&Context::silent(aws.clone()), &domain.hosted_zone).await {
        Err(error) => Finding::bad(WHAT, format_args!("{error:#}")),
        Ok(Some(id)) => Finding::good(WHAT, format_args!("{} is {id}", domain.hosted_zone)),
        Ok(None) => Finding::bad(
            WHAT,
            format_args!(
                "there is no public zone {} in Route 53; create it, or correct edge.hosted_zone",
                domain.hosted_zone
            ),
        ),
    }
}

async fn keys(aws: &Aws, names: &Names) -> Finding {
    const WHAT: &str = "API keys";
    let secret = Secret { name: names.secret() };
    match secret.keys_with_values(&Context::silent(aws.clone())).await {
        Err(error) => Finding::bad(WHAT, format_args!("{error:#}")),
        Ok(keys) if keys.is_empty() => {
            Finding::note(WHAT, "none is set; Open-Meteo and the rules need none, `provision secrets set` adds one")
        }
        Ok(keys) => Finding::good(WHAT, format_args!("{} set", keys.join(", "))),
    }
}

/// How many networks a region has room for, unless AWS was asked for more.
const NETWORKS: usize = 5;

async fn room(aws: &Aws) -> Finding {
    const WHAT: &str = "networks";
    match aws.ec2.describe_vpcs().send().await.map_err(AwsError::from) {
        Err(error) => Finding::bad(WHAT, error),
        Ok(answer) if answer.vpcs().len() >= NETWORKS => Finding::note(
            WHAT,
            format_args!(
                "{} exist, and {NETWORKS} is the default limit; a new one may be refused",
                answer.vpcs().len()
            ),
        ),
        Ok(answer) => Finding::good(WHAT, format_args!("{} of {NETWORKS} exist", answer.vpcs().len())),
    }
}

/// Reads everything as a plan would, which shows missing permissions and things that are not ours.
async fn ours(session: &Session<'_>, aws: &Aws) -> Finding {
    const WHAT: &str = "resources";
    let ours = session.stack(ImageSource::Unknown);
    let world = match look(&ours, &session.record(), aws).await {
        Ok(world) => world,
        Err(error) => return Finding::bad(WHAT, format_args!("{error:#}")),
    };
    let counts = plan(&ours.stack, &world, Goal::Absent { delete_data: true }).map(|plan| plan.counts().delete);
    match counts {
        Ok(there) => {
            Finding::good(WHAT, format_args!("all can be read; {there} of {} exist", ours.stack.described().count()))
        }
        Err(error) => Finding::bad(WHAT, format_args!("{error:#}")),
    }
}
