//! A security group, without its rules: groups refer to each other, so all groups come first.

use anyhow::Result;
use aws_sdk_ec2::types::ResourceType;
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
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroupOutput {
    /// The identifier.
    pub id: String,
}

impl Resource for SecurityGroup {
    const KIND: &'static str = "security group";
    const IMMUTABLE: &'static [&'static str] = &["group_name", "description", "vpc_id"];

    type Spec = SecurityGroupSpec;
    type Output = SecurityGroupOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let filters = ec2_tags::filters(&context.aws, &self.name);
        let answer = context.aws.ec2.describe_security_groups().set_filters(filters).send().await;
        let groups = answer.map_err(AwsError::from)?.security_groups.unwrap_or_default();
        let Some(group) = ec2_tags::single(groups, Self::KIND, &self.name, |group| group.group_id())? else {
            return Ok(None);
        };
        Ok(Some(Live {
            spec: SecurityGroupSpec {
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

    async fn update(&self, _: &Context, _: &Live<Self>, _: &SecurityGroupSpec) -> Result<SecurityGroupOutput> {
        Err(super::never_changes(Self::KIND))
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.delete_security_group().group_id(&live.output.id);
        request.send().await.absent_on(&["InvalidGroup.NotFound"])?;
        Ok(())
    }
}
