//! Certificates that this tool requested for other domains, with their records: what a change of the domain leaves.

use anyhow::Result;
use aws_sdk_route53::types::RrType;
use serde::Serialize;

use super::certificates::{self, Ours};
use super::{alias_record, dns};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// All certificates with our tags but those that are described.
#[derive(Debug)]
pub struct OldCertificates {
    /// The domain whose certificate stays.
    pub domain: Option<String>,
    /// The certificate that stays although it may have our tags.
    pub arn: Option<String>,
    /// The load balancer's name on AWS, to which the domains may still lead.
    pub load_balancer_name: String,
}

/// What is left.
#[derive(Debug, Serialize)]
pub struct OldCertificatesSpec {
    /// The domains.
    pub domains: Vec<String>,
    #[serde(skip)]
    ours: Vec<Ours>,
}

impl OldCertificates {
    async fn remove_alias(&self, context: &Context, old: &Ours) -> Result<()> {
        if self.domain.as_ref() == Some(&old.domain) || old.zone_id.is_empty() {
            return Ok(());
        }
        let is_ours = |set: &_| alias_record::leads_to(set, &self.load_balancer_name);
        match dns::record(context, &old.zone_id, &old.domain, RrType::A).await?.filter(is_ours) {
            Some(set) => dns::remove(context, &old.zone_id, set).await,
            None => Ok(()),
        }
    }
}

impl Resource for OldCertificates {
    const KIND: &'static str = "old certificates";

    type Spec = OldCertificatesSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let mut ours = certificates::ours(context, |it| it.certificate_arn() != self.arn.as_deref()).await?;
        // One that has failed is of no use to its domain either.
        ours.retain(|it| !it.is_alive || self.domain.as_ref() != Some(&it.domain));
        let domains = super::sorted(ours.iter().map(|it| it.domain.clone()));
        let spec = OldCertificatesSpec { domains, ours };
        Ok((!spec.ours.is_empty()).then_some(Live { spec, output: () }))
    }

    async fn create(&self, _: &Context, _: &OldCertificatesSpec) -> Result<()> {
        Err(super::never_changes(Self::KIND))
    }

    async fn update(&self, _: &Context, _: &Live<Self>, _: &OldCertificatesSpec) -> Result<()> {
        Err(super::never_changes(Self::KIND))
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        for old in &live.spec.ours {
            self.remove_alias(context, old).await?;
            certificates::remove_proof(context, old).await?;
            // It may not have shown before, and without the certificate nobody looks for it any more.
            self.remove_alias(context, old).await?;
            certificates::delete(context, old).await?;
        }
        Ok(())
    }
}
