//! The certificate for HTTPS, and the zone of the domain.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, CertificateType};
use aws_smithy_types::date_time::Format;
use config::deployment::Domain;

use super::super::session::Session;
use super::Finding;
use crate::context::Context;
use crate::resource::Resource as _;
use crate::resources::certificates::describe;
use crate::resources::dns;
use crate::resources::requested_certificate::{ISSUED, PUBLISHED, RequestedCertificate, RequestedCertificateSpec};

const WHAT: &str = "certificate";
/// AWS renews what it issued sixty days before its end; what ends sooner than this may not be renewed.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) async fn look(session: &Session<'_>, context: &Context) -> Vec<Finding> {
    let edge = &session.deployment.edge;
    if let Some(domain) = &edge.domain {
        let (zone, requested) = tokio::join!(zone(context, domain), requested(context, domain));
        return vec![Finding::of("hosted zone", zone), Finding::of(WHAT, requested)];
    }
    let Some(arn) = &edge.certificate_arn else {
        return vec![Finding::bad(WHAT, "none is configured; set `edge.certificate_arn`, or `edge.domain`")];
    };
    vec![Finding::of(WHAT, given(context, arn).await)]
}

/// A domain's certificate is requested by a deploy; what must be there before is its zone.
async fn zone(context: &Context, domain: &Domain) -> Result<Finding> {
    const WHAT: &str = "hosted zone";
    let Domain { hosted_zone, .. } = domain;
    Ok(match dns::zone_id(context, hosted_zone).await? {
        Some(id) => Finding::good(WHAT, format_args!("{hosted_zone} is {id}")),
        None => {
            let what = format!("there is no public zone {hosted_zone} in Route 53");
            Finding::bad(WHAT, format_args!("{what}; create it, or correct edge.hosted_zone"))
        }
    })
}

async fn requested(context: &Context, domain: &Domain) -> Result<Finding> {
    let Domain { name, hosted_zone } = domain.clone();
    let key = RequestedCertificate { domain: name.clone(), hosted_zone };
    let Some(live) = key.read(context).await? else {
        return Ok(Finding::good(WHAT, format_args!("none yet; a deploy requests one for {name}")));
    };
    let RequestedCertificateSpec { proof, state, .. } = &live.spec;
    if state != ISSUED {
        let text = format!("that of {name} is {state}, its record {proof}; a deploy publishes the record and waits");
        return Ok(Finding::note(WHAT, text));
    }
    if proof != PUBLISHED {
        let text = format!("issued for {name}, but the record that renews it is {proof}; a deploy publishes it again");
        return Ok(Finding::note(WHAT, text));
    }
    let Some(found) = describe(context, &live.output.arn).await? else { return Ok(gone(&live.output.arn)) };
    Ok(issued(&found, SystemTime::now()))
}

async fn given(context: &Context, arn: &str) -> Result<Finding> {
    let Some(found) = describe(context, arn).await? else { return Ok(gone(arn)) };
    Ok(match found.status() {
        Some(CertificateStatus::Issued) => issued(&found, SystemTime::now()),
        Some(CertificateStatus::PendingValidation) => Finding::bad(
            WHAT,
            format_args!("{arn} is not issued yet; publish the record in DNS that ACM shows for it, and wait"),
        ),
        status => {
            let state = status.map_or("in no state", CertificateStatus::as_str);
            Finding::bad(WHAT, format_args!("{arn} is {state}, and stays so; request another one"))
        }
    })
}

fn gone(arn: &str) -> Finding {
    let what = format!("{arn} does not exist in this account and region");
    Finding::bad(WHAT, format_args!("{what}; `aws acm list-certificates` shows those that do"))
}

/// What an issued certificate is for, and until when.
fn issued(found: &CertificateDetail, now: SystemTime) -> Finding {
    let mut names = found.subject_alternative_names().to_vec();
    names.extend(found.domain_name().filter(|name| !names.iter().any(|known| known == name)).map(ToOwned::to_owned));
    let names = names.join(", ");
    let is_imported = found.r#type() == Some(&CertificateType::Imported);
    let Some(end) = found.not_after() else { return Finding::good(WHAT, format_args!("issued for {names}")) };
    let until = end.fmt(Format::DateTime).unwrap_or_default();
    let left = u64::try_from(end.secs()).map(|end| SystemTime::UNIX_EPOCH + Duration::from_secs(end));
    let left = left.ok().and_then(|end| end.duration_since(now).ok());
    match left {
        None => Finding::bad(WHAT, format_args!("that of {names} ended at {until}; request or import another one")),
        Some(left) if left < SOON && is_imported => Finding::note(
            WHAT,
            format_args!(
                "that of {names} ends at {until}, and AWS does not renew what was imported; import the next one"
            ),
        ),
        Some(left) if left < SOON => Finding::note(
            WHAT,
            format_args!(
                "that of {names} ends at {until}, and AWS should have renewed it; see that its record is still in DNS"
            ),
        ),
        Some(_) => Finding::good(WHAT, format_args!("issued for {names} until {until}")),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_certificate_near_its_end_is_a_note_and_one_past_it_is_bad() {
        let at = |days: i64| {
            let certificate = CertificateDetail::builder().domain_name("a.example.com");
            let certificate = certificate.not_after(DateTime::from_secs(days * 24 * 3600)).build();
            issued(&certificate, SystemTime::UNIX_EPOCH + Duration::from_secs(100 * 24 * 3600)).verdict
        };
        assert_eq!([at(99), at(129), at(131)], [Verdict::Bad, Verdict::Note, Verdict::Good]);
    }
}
