//! A public address that stays the same: what the world sees of tasks behind a NAT gateway.

use anyhow::Result;
use aws_sdk_ec2::types::{self, DomainType, ResourceType};
use serde::Serialize;

use super::ec2_tags;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The address with our tags.
#[derive(Debug)]
pub struct ElasticIp {
    /// The name in the stack.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct ElasticIpSpec {
    /// `vpc`.
    pub domain: String,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElasticIpOutput {
    /// The identifier of its allocation.
    pub allocation_id: String,
    /// The address.
    pub public_ip: String,
}

/// Everything of this kind that is ours.
async fn ours(context: &Context) -> Result<Vec<types::Address>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_addresses().set_filters(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.addresses.unwrap_or_default()) }
    };
    context.once("our addresses", || ec2_tags::ours(context, ask)).await
}

impl Resource for ElasticIp {
    const KIND: &'static str = "elastic IP";
    const IMMUTABLE: &'static [&'static str] = &["domain"];

    type Spec = ElasticIpSpec;
    type Output = ElasticIpOutput;

    fn ec2_id<'a>(&'a self, output: &'a ElasticIpOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.allocation_id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let found = ours(context).await?;
        let found = ec2_tags::single(found, Self::KIND, &self.name)?;
        let Some(found) = found else { return Ok(None) };
        Ok(Some(Live {
            spec: ElasticIpSpec {
                tagged: ec2_tags::is_tagged(&found),
                domain: found.domain.map_or("vpc".to_owned(), |it| it.as_str().to_owned()),
            },
            output: ElasticIpOutput {
                allocation_id: super::sent(found.allocation_id, "the address's allocation")?,
                public_ip: super::sent(found.public_ip, "the address")?,
            },
        }))
    }

    /// AWS knows no token here; the tags, given in the same call, are what a lost address is found by.
    async fn create(&self, context: &Context, spec: &ElasticIpSpec) -> Result<ElasticIpOutput> {
        let tags = ec2_tags::specification(&context.aws, &self.name, ResourceType::ElasticIp);
        let request = context.aws.ec2.allocate_address().domain(DomainType::from(spec.domain.as_str()));
        let answer = request.tag_specifications(tags).send().await.map_err(AwsError::from)?;
        Ok(ElasticIpOutput {
            allocation_id: super::sent(answer.allocation_id, "the address's allocation")?,
            public_ip: super::sent(answer.public_ip, "the address")?,
        })
    }

    /// Of all that it is, only its tags can change.
    async fn update(&self, context: &Context, live: &Live<Self>, _: &ElasticIpSpec) -> Result<ElasticIpOutput> {
        ec2_tags::mark(context, &live.output.allocation_id, &self.name).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.release_address().allocation_id(&live.output.allocation_id);
        request.send().await.absent_on(&["InvalidAllocationID.NotFound"])?;
        Ok(())
    }
}
