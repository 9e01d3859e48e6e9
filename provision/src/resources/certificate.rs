//! The certificate for HTTPS, which someone else requested and which must be issued.

use anyhow::{Result, bail};
use aws_sdk_acm::types::CertificateStatus;

use crate::aws::Absent as _;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// A certificate by its ARN; `None` while removing, when it does not matter which.
#[derive(Debug)]
pub struct Certificate {
    /// The ARN.
    pub arn: Option<String>,
}

/// The name of the hint with the certificate that a listener uses.
pub(crate) const HINT: &str = "certificate in use";

impl Resource for Certificate {
    const KIND: &'static str = "certificate";
    const LOOKUP: bool = true;

    type Spec = ();
    type Output = String;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(arn) = &self.arn else { return Ok(None) };
        // One that a listener uses stays issued, or its renewal is a matter for `doctor`.
        if context.hint(HINT).await.as_ref() == Some(arn) {
            return Ok(Some(Live { spec: (), output: arn.clone() }));
        }
        let answer = context.aws.acm.describe_certificate().certificate_arn(arn).send().await;
        let answer = answer.absent_on(&["ResourceNotFoundException"])?;
        let Some(certificate) = answer.and_then(|answer| answer.certificate) else { return Ok(None) };
        match certificate.status {
            Some(CertificateStatus::Issued) => Ok(Some(Live { spec: (), output: arn.clone() })),
            // The load balancer would refuse it, and its error does not mention validation.
            status => bail!(
                "certificate {arn} is {}, and a load balancer takes only an issued one; \
                 publish its validation record in DNS and wait until it is ISSUED",
                status.map_or_else(|| "in no state".to_owned(), |status| status.as_str().to_owned())
            ),
        }
    }

    async fn create(&self, _context: &Context, (): &()) -> Result<String> {
        Err(super::never_changes(Self::KIND))
    }

    async fn update(&self, _context: &Context, live: &Live<Self>, (): &()) -> Result<String> {
        Ok(live.output.clone())
    }

    async fn delete(&self, _context: &Context, _live: &Live<Self>) -> Result<()> {
        Ok(())
    }
}
