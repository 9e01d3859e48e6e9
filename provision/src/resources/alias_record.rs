//! The domain's record, which leads to the load balancer wherever its addresses are.

use anyhow::{Result, bail};
use aws_sdk_route53::types::{AliasTarget, ResourceRecordSet, RrType};
use serde::Serialize;

use super::dns;
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The record of a name in a zone.
#[derive(Debug)]
pub struct AliasRecord {
    /// The zone's name.
    pub hosted_zone: String,
    /// The name.
    pub name: String,
    /// The load balancer's name on AWS: records have no tags, so this tells ours from others.
    pub load_balancer_name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct AliasRecordSpec {
    /// The name that the load balancer answers to.
    pub target: String,
    /// The zone of that name.
    pub target_zone: String,
    /// Whether the name stops resolving when no target is healthy; with one load balancer there is nothing better.
    pub evaluate_target_health: bool,
    /// Creation needs it; it is part of the key.
    #[serde(skip)]
    pub zone_id: String,
}

/// Whether a record leads to the load balancer of a name, this one or one before it.
pub(super) fn leads_to(set: &ResourceRecordSet, load_balancer_name: &str) -> bool {
    let target = set.alias_target().map(|target| dns::plain(target.dns_name())).unwrap_or_default();
    let target = target.strip_prefix("dualstack.").unwrap_or(&target);
    target.starts_with(&format!("{load_balancer_name}-")) && target.ends_with(".elb.amazonaws.com")
}

impl AliasRecord {
    async fn put(&self, context: &Context, spec: &AliasRecordSpec) -> Result<()> {
        let target = AliasTarget::builder()
            .dns_name(&spec.target)
            .hosted_zone_id(&spec.target_zone)
            .evaluate_target_health(spec.evaluate_target_health);
        let set = ResourceRecordSet::builder().name(&self.name).r#type(RrType::A).alias_target(target.build()?);
        dns::write(context, &spec.zone_id, set.build()?).await
    }
}

impl Resource for AliasRecord {
    const KIND: &'static str = "alias record";

    type Spec = AliasRecordSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(zone_id) = dns::zone_id(context, &self.hosted_zone).await? else { return Ok(None) };
        let Some(set) = dns::record(context, &zone_id, &self.name, RrType::A).await? else { return Ok(None) };
        let Some(target) = set.alias_target().filter(|_| leads_to(&set, &self.load_balancer_name)) else {
            bail!(
                "{} has an A record that does not lead to our load balancer; it belongs to someone else. \
                 Delete it in hosted zone {} if it is yours, or choose another edge.domain",
                self.name,
                self.hosted_zone
            )
        };
        let name = dns::plain(target.dns_name());
        Ok(Some(Live {
            spec: AliasRecordSpec {
                target: name.strip_prefix("dualstack.").unwrap_or(&name).to_owned(),
                target_zone: target.hosted_zone_id().to_owned(),
                evaluate_target_health: target.evaluate_target_health(),
                zone_id,
            },
            output: (),
        }))
    }

    async fn create(&self, context: &Context, spec: &AliasRecordSpec) -> Result<()> {
        self.put(context, spec).await
    }

    async fn update(&self, context: &Context, _: &Live<Self>, spec: &AliasRecordSpec) -> Result<()> {
        self.put(context, spec).await
    }

    /// A record is only deleted by saying exactly what it is, so it is read once more.
    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        match dns::record(context, &live.spec.zone_id, &self.name, RrType::A).await? {
            Some(set) => dns::remove(context, &live.spec.zone_id, set).await,
            None => Ok(()),
        }
    }
}
