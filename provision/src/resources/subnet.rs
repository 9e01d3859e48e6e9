//! A subnet: a part of the network in one availability zone.

use std::time::Duration;

use anyhow::Result;
use aws_sdk_ec2::types::{self, AttributeBooleanValue, ResourceType};
use serde::Serialize;

use super::ec2_tags;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::wait::{Poll, Wait};

/// The subnet with our tags.
#[derive(Debug)]
pub struct Subnet {
    /// The name in the stack.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct SubnetSpec {
    /// The block of addresses.
    pub cidr: String,
    /// The network it is part of.
    pub vpc_id: String,
    /// Whether everything in it gets a public address unasked.
    pub map_public_ip: bool,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
    /// Where to create it. Not compared: the list of zones can change, and a subnet stays where it is.
    #[serde(skip)]
    pub zone: String,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetOutput {
    /// The identifier.
    pub id: String,
    /// The zone it is in.
    pub zone: String,
}

/// Everything of this kind that is ours.
pub(super) async fn ours(context: &Context) -> Result<Vec<types::Subnet>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_subnets().set_filters(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.subnets.unwrap_or_default()) }
    };
    context.once("our subnets", || ec2_tags::ours(context, ask)).await
}

impl Resource for Subnet {
    const KIND: &'static str = "subnet";
    const IMMUTABLE: &'static [&'static str] = &["cidr", "vpc_id"];

    type Spec = SubnetSpec;
    type Output = SubnetOutput;

    fn ec2_id<'a>(&'a self, output: &'a SubnetOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let subnets = ours(context).await?;
        let subnet = ec2_tags::single(subnets, Self::KIND, &self.name)?;
        let Some(subnet) = subnet else { return Ok(None) };
        let tagged = ec2_tags::is_tagged(&subnet);
        let zone = super::sent(subnet.availability_zone, "the subnet's zone")?;
        Ok(Some(Live {
            spec: SubnetSpec {
                cidr: super::sent(subnet.cidr_block, "the subnet's CIDR")?,
                vpc_id: super::sent(subnet.vpc_id, "the subnet's VPC")?,
                map_public_ip: subnet.map_public_ip_on_launch.unwrap_or_default(),
                tagged,
                zone: zone.clone(),
            },
            output: SubnetOutput { id: super::sent(subnet.subnet_id, "the subnet's id")?, zone },
        }))
    }

    async fn create(&self, context: &Context, spec: &SubnetSpec) -> Result<SubnetOutput> {
        let request = context
            .aws
            .ec2
            .create_subnet()
            .vpc_id(&spec.vpc_id)
            .cidr_block(&spec.cidr)
            .availability_zone(&spec.zone)
            .tag_specifications(ec2_tags::specification(&context.aws, &self.name, ResourceType::Subnet));
        let subnet = request.send().await.map_err(AwsError::from)?.subnet;
        let id = super::sent(subnet.and_then(|subnet| subnet.subnet_id), "the subnet's id")?;
        // New subnets do not map public addresses, which is what we want, so nothing else is needed.
        Ok(SubnetOutput { id, zone: spec.zone.clone() })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &SubnetSpec) -> Result<SubnetOutput> {
        if !live.spec.tagged {
            ec2_tags::mark(context, &live.output.id, &self.name).await?;
        }
        let value = AttributeBooleanValue::builder().value(spec.map_public_ip).build();
        let request = context.aws.ec2.modify_subnet_attribute().subnet_id(&live.output.id);
        request.map_public_ip_on_launch(value).send().await.map_err(AwsError::from)?;
        // Right after a change the old value can be read once more, which would look like drift.
        let wait = Wait::new("the subnet's attribute", Duration::from_millis(500), Duration::from_secs(30));
        let look = || async {
            let shows = self.read(context).await?.is_some_and(|it| it.spec.map_public_ip == spec.map_public_ip);
            Ok(if shows { Poll::Ready(()) } else { Poll::Pending("the old value".to_owned()) })
        };
        context.wait(wait, look).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.delete_subnet().subnet_id(&live.output.id);
        request.send().await.absent_on(&["InvalidSubnetID.NotFound"])?;
        Ok(())
    }
}
