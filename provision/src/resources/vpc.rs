//! The network.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_ec2::types::{self, AttributeBooleanValue, ResourceType, VpcAttributeName};
use serde::Serialize;

use super::ec2_tags;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The network with our tags.
#[derive(Debug)]
pub struct Vpc {
    /// The name in the stack.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct VpcSpec {
    /// The block of addresses.
    pub cidr: String,
    /// Whether things in it get names.
    pub dns_hostnames: bool,
    /// Whether it resolves names.
    pub dns_support: bool,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcOutput {
    /// The identifier.
    pub id: String,
}

/// Everything of this kind that is ours.
async fn ours(context: &Context) -> Result<Vec<types::Vpc>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_vpcs().set_filters(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.vpcs.unwrap_or_default()) }
    };
    context.once("our networks", || ec2_tags::ours(context, ask)).await
}

impl Vpc {
    async fn attribute(&self, context: &Context, id: &str, name: VpcAttributeName) -> Result<bool> {
        let answer = context.aws.ec2.describe_vpc_attribute().vpc_id(id).attribute(name.clone()).send().await;
        let answer = answer.map_err(AwsError::from)?;
        let value = match name {
            VpcAttributeName::EnableDnsHostnames => answer.enable_dns_hostnames,
            _ => answer.enable_dns_support,
        };
        Ok(value.and_then(|value| value.value).unwrap_or_default())
    }

    /// AWS takes one attribute a call.
    async fn set_attributes(&self, context: &Context, id: &str, spec: &VpcSpec) -> Result<()> {
        let value = |value| AttributeBooleanValue::builder().value(value).build();
        let modify = || context.aws.ec2.modify_vpc_attribute().vpc_id(id);
        // Host names need name resolution, so it comes first.
        modify().enable_dns_support(value(spec.dns_support)).send().await.map_err(AwsError::from)?;
        modify().enable_dns_hostnames(value(spec.dns_hostnames)).send().await.map_err(AwsError::from)?;
        Ok(())
    }
}

impl Resource for Vpc {
    const KIND: &'static str = "VPC";
    const IMMUTABLE: &'static [&'static str] = &["cidr"];

    type Spec = VpcSpec;
    type Output = VpcOutput;

    fn ec2_id<'a>(&'a self, output: &'a VpcOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let vpc = ec2_tags::single(ours(context).await?, Self::KIND, &self.name)?;
        let Some(vpc) = vpc else { return Ok(None) };
        let tagged = ec2_tags::is_tagged(&vpc);
        let id = super::sent(vpc.vpc_id, "the VPC's id")?;
        let (dns_hostnames, dns_support) = tokio::try_join!(
            self.attribute(context, &id, VpcAttributeName::EnableDnsHostnames),
            self.attribute(context, &id, VpcAttributeName::EnableDnsSupport),
        )?;
        let cidr = super::sent(vpc.cidr_block, "the VPC's CIDR")?;
        let spec = VpcSpec { cidr, dns_hostnames, dns_support, tagged };
        Ok(Some(Live { spec, output: VpcOutput { id } }))
    }

    async fn create(&self, context: &Context, spec: &VpcSpec) -> Result<VpcOutput> {
        let tags = ec2_tags::specification(&context.aws, &self.name, ResourceType::Vpc);
        let request = context.aws.ec2.create_vpc().cidr_block(&spec.cidr).tag_specifications(tags);
        let answer = request.send().await.map_err(AwsError::from)?;
        let id = super::sent(answer.vpc.and_then(|vpc| vpc.vpc_id), "the VPC's id")?;
        self.set_attributes(context, &id, spec).await?;
        Ok(VpcOutput { id })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &VpcSpec) -> Result<VpcOutput> {
        if !live.spec.tagged {
            ec2_tags::mark(context, &live.output.id, &self.name).await?;
        }
        self.set_attributes(context, &live.output.id, spec).await?;
        // Right after a change the old value can be read once more, which would look like drift.
        let wait = Wait::new("the network's attributes", Duration::from_millis(500), Duration::from_secs(30));
        context
            .wait(wait, || async {
                let hostnames = self.attribute(context, &live.output.id, VpcAttributeName::EnableDnsHostnames).await?;
                let support = self.attribute(context, &live.output.id, VpcAttributeName::EnableDnsSupport).await?;
                Ok(if (hostnames, support) == (spec.dns_hostnames, spec.dns_support) {
                    Poll::Ready(())
                } else {
                    Poll::Pending("the old value".into())
                })
            })
            .await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.delete_vpc().vpc_id(&live.output.id);
        request.send().await.absent_on(&["InvalidVpcID.NotFound"])?;
        Ok(())
    }
}
