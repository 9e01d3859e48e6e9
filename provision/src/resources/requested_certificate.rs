//! A certificate for our domain: requested, proved by a record in DNS, and issued.

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, FailureReason, Tag, ValidationMethod};
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::certificates::{self, ISSUING, LOOK, Ours};
use super::dns;
use crate::aws::AwsError;
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The certificate with our tags for a name.
#[derive(Debug)]
pub struct RequestedCertificate {
    /// The name.
    pub domain: String,
    /// The zone's name.
    pub hosted_zone: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct RequestedCertificateSpec {
    /// The name it is for.
    pub domain: String,
    /// `published`: the record that proves the domain, which AWS wants to see again at every renewal.
    pub proof: String,
    /// `ISSUED`; one that a killed run left behind is still on its way there.
    pub state: String,
    /// Where the record is written.
    #[serde(skip)]
    pub hosted_zone_id: String,
}

/// What [`RequestedCertificateSpec::proof`] should say.
pub const PUBLISHED: &str = "published";
/// What [`RequestedCertificateSpec::state`] should say.
pub const ISSUED: &str = "ISSUED";

/// How often a request may meet the token of a certificate that is gone.
const GENERATIONS: u32 = 5;

/// What is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedCertificateOutput {
    /// The ARN.
    pub arn: String,
    /// The record that proves the domain, and where it is.
    pub(crate) proof: Place,
}

/// Where the record that proves a domain is; empty as long as AWS has not said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    zone_id: String,
    name: String,
}

impl RequestedCertificateOutput {
    /// The certificate as a hint: with it, the next look asks for certificate and record side by side.
    pub(crate) fn hint(&self) -> String {
        format!("{} {} {}", self.arn, self.proof.zone_id, self.proof.name)
    }
}

/// The name of the hint with the certificate of a domain.
pub(crate) fn hint(domain: &str) -> String {
    format!("certificate of {domain}")
}

impl RequestedCertificate {
    /// The certificate that the last run left, with the record that proves it.
    async fn believed(&self, context: &Context) -> Option<(Ours, Place)> {
        let hint = context.believed(&hint(&self.domain)).await?;
        let [arn, zone_id, name] = hint.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
        let place = Place { zone_id: zone_id.to_owned(), name: name.to_owned() };
        let (arn, domain) = (arn.to_owned(), self.domain.clone());
        Some((Ours { arn, domain, is_alive: true, zone_id: zone_id.to_owned() }, place))
    }

    /// Reads what the last run left, if it is there still and the same: certificate and record side by side.
    async fn read_believed(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some((ours, place)) = self.believed(context).await else { return Ok(None) };
        let record = dns::record(context, &place.zone_id, &place.name, RrType::Cname);
        let (certificate, record) = tokio::try_join!(certificates::describe(context, &ours.arn), record)?;
        let Some(certificate) = certificate.filter(|it| alive(Some(it.clone())).is_ok()) else { return Ok(None) };
        let is_the_same = certificates::proof(&certificate).is_some_and(|proof| proof.name == place.name);
        if !is_the_same {
            return Ok(None);
        }
        let proof = self.proof(context, &ours, &certificate, async { Ok(record) }).await?;
        Ok(Some(Self::live(ours, &certificate, proof)))
    }

    fn live(ours: Ours, certificate: &CertificateDetail, proof: String) -> Live<Self> {
        let state = certificate.status().map_or("", CertificateStatus::as_str).to_owned();
        let name = certificates::proof(certificate).map(|it| it.name.clone()).unwrap_or_default();
        let place = Place { zone_id: ours.zone_id.clone(), name };
        let spec = RequestedCertificateSpec { domain: ours.domain, proof, state, hosted_zone_id: ours.zone_id };
        Live { spec, output: RequestedCertificateOutput { arn: ours.arn, proof: place } }
    }

    async fn find(&self, context: &Context) -> Result<Option<Ours>> {
        let ours = certificates::ours(context, |it| it.domain_name() == Some(self.domain.as_str())).await?;
        Ok(ours.into_iter().find(|it| it.is_alive))
    }

    /// The same request, the same token: AWS takes it for one request, if it comes again within an hour.
    fn token(&self, context: &Context, generation: u32) -> String {
        let owner = &context.aws.owner;
        let whole = format!("{}/{}/{}/{generation}", owner.app, owner.environment, self.domain);
        HEXLOWER.encode(&Sha256::digest(whole))[..32].to_owned()
    }

    async fn request(&self, context: &Context, zone_id: &str) -> Result<String> {
        let tags = context.aws.owner.tags("certificate").into_iter();
        let tags = tags.chain([(certificates::TAG_ZONE.to_owned(), zone_id.to_owned())]);
        let tags: Vec<_> =
            tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect::<Result<_, _>>()?;
        for generation in 0..GENERATIONS {
            let request = context
                .aws
                .acm
                .request_certificate()
                .domain_name(&self.domain)
                .validation_method(ValidationMethod::Dns)
                .idempotency_token(self.token(context, generation))
                .set_tags(Some(tags.clone()));
            let answer = request.send().await.map_err(AwsError::from)?;
            let arn = super::sent(answer.certificate_arn, "the certificate's ARN")?;
            if Self::is_of_use(context, &arn).await? {
                return Ok(arn);
            }
            context.note("AWS remembers a certificate that failed or was deleted within the hour; asking for another");
        }
        bail!("AWS answers with certificates that failed or are deleted; wait an hour, and run again")
    }

    /// Whether a certificate is there and may be issued yet, giving AWS some seconds to show it.
    async fn is_of_use(context: &Context, arn: &str) -> Result<bool> {
        let mut looks = 0;
        let wait = Wait::new("the request to show", Duration::from_secs(2), Duration::from_secs(60));
        let look = || {
            looks += 1;
            let last = looks == 8;
            async move {
                Ok(match certificates::describe(context, arn).await? {
                    Some(certificate) => Poll::Ready(alive(Some(certificate)).is_ok()),
                    None if last => Poll::Ready(false),
                    None => Poll::Pending("not there yet".to_owned()),
                })
            }
        };
        context.wait(wait, look).await
    }

    /// Publishes the record that AWS asks for.
    async fn prove(&self, context: &Context, arn: &str, zone_id: &str) -> Result<Place> {
        let wait = Wait::new("AWS to say how to prove the domain", Duration::from_secs(2), Duration::from_secs(120));
        let look = || async {
            let certificate = alive(certificates::describe(context, arn).await?)?;
            Ok(match certificates::proof(&certificate) {
                Some(proof) => Poll::Ready(proof.clone()),
                None => Poll::Pending("no record yet".to_owned()),
            })
        };
        let proof = context.wait(wait, look).await?;
        dns::write(context, zone_id, certificates::record(&proof)?).await?;
        Ok(Place { zone_id: zone_id.to_owned(), name: proof.name })
    }

    async fn issued(&self, context: &Context, arn: &str) -> Result<()> {
        let what = format!(
            "the certificate of {} to be issued, for which the name servers at its registrar must be those of hosted \
             zone {}",
            self.domain, self.hosted_zone
        );
        let look = || async {
            let certificate = alive(certificates::describe(context, arn).await?)?;
            Ok(match certificate.status() {
                Some(CertificateStatus::Issued) => Poll::Ready(()),
                status => Poll::Pending(status.map_or("no state", CertificateStatus::as_str).to_owned()),
            })
        };
        // Usually 1 to 10 minutes after the record is public.
        context.wait(Wait::new(what, LOOK, ISSUING), look).await
    }

    /// How the domain is proved, for which the record is asked.
    async fn proof(
        &self,
        context: &Context,
        ours: &Ours,
        certificate: &CertificateDetail,
        record: impl Future<Output = Result<Option<ResourceRecordSet>>>,
    ) -> Result<String> {
        let Some(proof) = certificates::proof(certificate) else { return Ok("not asked for yet".to_owned()) };
        let Some(zone_id) = dns::zone_id(context, &self.hosted_zone).await? else { return Ok("no zone".to_owned()) };
        if zone_id != ours.zone_id {
            return Ok(format!("in zone {}", ours.zone_id));
        }
        let value = record.await?.and_then(|set| set.resource_records?.into_iter().next()).map(|record| record.value);
        Ok(match value {
            Some(value) if dns::plain(&value) == dns::plain(&proof.value) => PUBLISHED.to_owned(),
            Some(value) => value,
            None => "missing".to_owned(),
        })
    }
}

/// A certificate that has failed never recovers, and says why only in one word.
fn alive(certificate: Option<CertificateDetail>) -> Result<CertificateDetail> {
    let Some(certificate) = certificate else { bail!("the certificate vanished; run again to request another one") };
    let domain = certificate.domain_name().unwrap_or_default();
    match certificate.status() {
        Some(CertificateStatus::Failed) => {
            let reason = certificate.failure_reason();
            let advice = match reason {
                Some(FailureReason::CaaError) => "a CAA record of the domain must allow amazon.com",
                Some(FailureReason::DomainNotAllowed | FailureReason::InvalidPublicDomain) => {
                    "AWS issues none for this name; choose another edge.domain"
                }
                Some(FailureReason::AdditionalVerificationRequired) => "AWS support must verify the domain first",
                _ => "mend the cause and run again, which requests another one",
            };
            let reason = reason.map_or("without a reason", FailureReason::as_str);
            bail!("the certificate of {domain} failed: {reason}; {advice}")
        }
        Some(CertificateStatus::ValidationTimedOut) => {
            bail!("AWS did not see the proof of {domain} within 72 hours; run again to request another certificate")
        }
        _ => Ok(certificate),
    }
}

impl Resource for RequestedCertificate {
    const KIND: &'static str = "certificate";
    const TRANSIENT: &'static [&'static str] = &["state"];

    type Spec = RequestedCertificateSpec;
    type Output = RequestedCertificateOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        if let Some(live) = self.read_believed(context).await? {
            return Ok(Some(live));
        }
        let Some(ours) = self.find(context).await? else { return Ok(None) };
        let Some(certificate) = certificates::describe(context, &ours.arn).await? else { return Ok(None) };
        let name = certificates::proof(&certificate).map(|it| it.name.clone()).unwrap_or_default();
        let record = dns::record(context, &ours.zone_id, &name, RrType::Cname);
        let proof = self.proof(context, &ours, &certificate, record).await?;
        Ok(Some(Self::live(ours, &certificate, proof)))
    }

    async fn create(&self, context: &Context, spec: &RequestedCertificateSpec) -> Result<RequestedCertificateOutput> {
        let arn = self.request(context, &spec.hosted_zone_id).await?;
        let proof = self.prove(context, &arn, &spec.hosted_zone_id).await?;
        self.issued(context, &arn).await?;
        Ok(RequestedCertificateOutput { arn, proof })
    }

    async fn update(
        &self,
        context: &Context,
        live: &Live<Self>,
        spec: &RequestedCertificateSpec,
    ) -> Result<RequestedCertificateOutput> {
        let RequestedCertificateOutput { arn, mut proof } = live.output.clone();
        if live.spec.hosted_zone_id != spec.hosted_zone_id {
            let tag = Tag::builder().key(certificates::TAG_ZONE).value(&spec.hosted_zone_id).build()?;
            let request = context.aws.acm.add_tags_to_certificate().certificate_arn(&arn).tags(tag);
            request.send().await.map_err(AwsError::from)?;
        }
        if live.spec.proof != PUBLISHED {
            proof = self.prove(context, &arn, &spec.hosted_zone_id).await?;
        }
        self.issued(context, &arn).await?;
        Ok(RequestedCertificateOutput { arn, proof })
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let ours = Ours {
            arn: live.output.arn.clone(),
            domain: self.domain.clone(),
            is_alive: true,
            zone_id: live.spec.hosted_zone_id.clone(),
        };
        certificates::remove_proof(context, &ours).await?;
        certificates::delete(context, &ours).await
    }
}
