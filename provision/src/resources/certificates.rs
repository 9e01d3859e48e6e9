//! Certificates that this tool requested, which carry our tags, and the records that prove the domain.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, CertificateSummary, CertificateType, ResourceRecord};
use aws_sdk_route53::types::{self, ResourceRecordSet, RrType};

use super::dns;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;

/// The tag with the hosted zone that the records are in, so that they are found when the configuration has changed.
pub(super) const TAG_ZONE: &str = "provision:hosted-zone";

/// A certificate with our tags.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    /// The ARN.
    pub(super) arn: String,
    /// The name it is for.
    pub(super) domain: String,
    /// Whether it is of use, or may become so.
    pub(super) is_alive: bool,
    /// The zone that its records are in.
    pub(super) zone_id: String,
}

/// Lists the certificates that AWS issues and that pass a test; whether they are ours takes a call each.
pub(super) async fn ours(context: &Context, test: impl Fn(&CertificateSummary) -> bool) -> Result<Vec<Ours>> {
    let mut ours = Vec::new();
    for summary in list(context).await?.into_iter().filter(test) {
        let Some(arn) = summary.certificate_arn.clone() else { continue };
        let answer = context.aws.acm.list_tags_for_certificate().certificate_arn(&arn).send().await;
        let tags = answer.absent_on(&["ResourceNotFoundException"])?.and_then(|answer| answer.tags);
        let tags: Vec<_> = tags.unwrap_or_default();
        let pairs = || tags.iter().map(|tag| (tag.key(), tag.value().unwrap_or_default()));
        if context.aws.owner.check("", pairs()).is_err() {
            continue;
        }
        let zone = pairs().find(|(key, _)| *key == TAG_ZONE);
        ours.push(Ours {
            arn,
            domain: summary.domain_name.clone().unwrap_or_default(),
            is_alive: is_alive(&summary),
            zone_id: zone.map(|(_, zone)| zone.to_owned()).unwrap_or_default(),
        });
    }
    Ok(ours)
}

async fn list(context: &Context) -> Result<Vec<CertificateSummary>> {
    let mut all = Vec::new();
    let mut next = None;
    loop {
        let answer = context.aws.acm.list_certificates().set_next_token(next).send().await.map_err(AwsError::from)?;
        let listed = answer.certificate_summary_list.unwrap_or_default().into_iter();
        all.extend(listed.filter(|it| it.r#type().is_none_or(|kind| *kind == CertificateType::AmazonIssued)));
        next = answer.next_token;
        if next.is_none() {
            return Ok(all);
        }
    }
}

fn is_alive(summary: &CertificateSummary) -> bool {
    let alive = [CertificateStatus::Issued, CertificateStatus::PendingValidation];
    summary.status().is_none_or(|status| alive.contains(status))
}

/// Reads a certificate.
pub(crate) async fn describe(context: &Context, arn: &str) -> Result<Option<CertificateDetail>> {
    let answer = context.aws.acm.describe_certificate().certificate_arn(arn).send().await;
    Ok(answer.absent_on(&["ResourceNotFoundException"])?.and_then(|answer| answer.certificate))
}

/// The record that proves the domain; AWS names it some seconds after the request.
pub(super) fn proof(certificate: &CertificateDetail) -> Option<&ResourceRecord> {
    certificate.domain_validation_options().iter().find_map(|option| option.resource_record())
}

/// The record that proves the domain, as it is written in DNS.
pub(super) fn record(proof: &ResourceRecord) -> Result<ResourceRecordSet> {
    let value = types::ResourceRecord::builder().value(proof.value()).build()?;
    let set = ResourceRecordSet::builder().name(proof.name()).r#type(RrType::Cname).ttl(TTL);
    Ok(set.resource_records(value).build()?)
}

/// How long others may remember the record, in seconds.
const TTL: i64 = 300;

/// Removes the record that proves a certificate, before the certificate goes: without it nothing would tell the record's
/// name any more.
pub(super) async fn remove_proof(context: &Context, ours: &Ours) -> Result<()> {
    let Some(certificate) = describe(context, &ours.arn).await? else { return Ok(()) };
    // Other certificates of the account for the same name are proved by the same record.
    let is_another = |it: &CertificateSummary| {
        it.domain_name() == Some(ours.domain.as_str())
            && it.certificate_arn() != Some(ours.arn.as_str())
            && is_alive(it)
    };
    let is_shared = list(context).await?.iter().any(is_another);
    if let Some(proof) = proof(&certificate).filter(|_| !is_shared && !ours.zone_id.is_empty()) {
        // It may only not show, and would stay for good.
        let set = match dns::record(context, &ours.zone_id, proof.name(), RrType::Cname).await? {
            Some(set) => set,
            None => record(proof)?,
        };
        dns::remove(context, &ours.zone_id, set).await?;
    }
    Ok(())
}

/// Deletes a certificate.
pub(super) async fn delete(context: &Context, ours: &Ours) -> Result<()> {
    // In use until the load balancer has forgotten it, which the executor waits for.
    let request = context.aws.acm.delete_certificate().certificate_arn(&ours.arn);
    request.send().await.absent_on(&["ResourceNotFoundException"])?;
    Ok(())
}

/// How often to look at a certificate.
pub(super) const LOOK: Duration = Duration::from_secs(12);
/// How long it may take until it is issued.
pub(super) const ISSUING: Duration = Duration::from_secs(45 * 60);
