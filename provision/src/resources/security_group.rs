//! A security group, without its rules: groups refer to each other, so all groups come first.

use anyhow::Result;
use aws_sdk_ec2::types::{self, ResourceType};
use serde::Serialize;

use super::ec2_tags;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The security group with our tags.
#[derive(Debug)]
pub struct SecurityGroup {
    /// The name in the stack.
    pub name: String,
    /// The name on AWS.
    pub group_name: String,
}

/// What it should be; AWS changes none of it.
#[derive(Debug, Serialize)]
pub struct SecurityGroupSpec {
    /// The name on AWS.
    pub group_name: String,
    /// What it is for, in ASCII.
    pub description: String,
    /// The network.
    pub vpc_id: String,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroupOutput {
    /// The identifier.
    pub id: String,
}

/// Everything of this kind that is ours.
pub(super) async fn ours(context: &Context) -> Result<Vec<types::SecurityGroup>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_security_groups().set_filters(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.security_groups.unwrap_or_default()) }
    };
    context.once("our security groups", || ec2_tags::ours(context, ask)).await
}

/// The group of a name in the stack.
pub(super) async fn find(context: &Context, name: &str) -> Result<Option<types::SecurityGroup>> {
    ec2_tags::single(ours(context).await?, SecurityGroup::KIND, name)
}

impl Resource for SecurityGroup {
    const KIND: &'static str = "security group";
    const IMMUTABLE: &'static [&'static str] = &["group_name", "description", "vpc_id"];

    type Spec = SecurityGroupSpec;
    type Output = SecurityGroupOutput;

    fn ec2_id<'a>(&'a self, output: &'a SecurityGroupOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(group) = find(context, &self.name).await? else { return Ok(None) };
        Ok(Some(Live {
            spec: SecurityGroupSpec {
                tagged: ec2_tags::is_tagged(&group),
                group_name: super::sent(group.group_name, "the group's name")?,
                description: super::sent(group.description, "the group's description")?,
                vpc_id: super::sent(group.vpc_id, "the group's VPC")?,
            },
            output: SecurityGroupOutput { id: super::sent(group.group_id, "the group's id")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &SecurityGroupSpec) -> Result<SecurityGroupOutput> {
        let request = context
            .aws
            .ec2
            .create_security_group()
            .group_name(&spec.group_name)
            .description(&spec.description)
            .vpc_id(&spec.vpc_id)
            .tag_specifications(ec2_tags::specification(&context.aws, &self.name, ResourceType::SecurityGroup));
        let answer = request.send().await.map_err(AwsError::from)?;
        Ok(SecurityGroupOutput { id: super::sent(answer.group_id, "the group's id")? })
    }

    /// Of all that it is, only its tags can change.
    async fn update(&self, context: &Context, live: &Live<Self>, _: &SecurityGroupSpec) -> Result<SecurityGroupOutput> {
        ec2_tags::mark(context, &live.output.id, &self.name).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.delete_security_group().group_id(&live.output.id);
        request.send().await.absent_on(&["InvalidGroup.NotFound"])?;
        Ok(())
    }
}
