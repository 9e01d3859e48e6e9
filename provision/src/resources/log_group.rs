//! Where log lines go.

use anyhow::Result;
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The log group of our name.
#[derive(Clone, Debug)]
pub struct LogGroup {
    /// The name on AWS.
    pub name: String,
    /// Its name in the stack.
    pub resource: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct LogGroupSpec {
    /// For how many days lines are kept; 0 is for ever.
    pub retention_days: i32,
    /// The key that encrypts them, if it is not AWS's own.
    pub kms_key: Option<String>,
    /// Whether it carries our tags, by which a run without hints knows it.
    pub tagged: bool,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroupOutput {
    /// The ARN without the `:*` that policies add.
    pub arn: String,
    /// The name.
    pub name: String,
    /// When it was made, in milliseconds since 1970: tells it from another one of its name.
    pub created: i64,
}

impl LogGroup {
    async fn set_retention(&self, context: &Context, spec: &LogGroupSpec) -> Result<()> {
        let request = context.aws.logs.put_retention_policy().log_group_name(&self.name);
        request.retention_in_days(spec.retention_days).send().await.map_err(AwsError::from)?;
        Ok(())
    }

    async fn set_key(&self, context: &Context, spec: &LogGroupSpec) -> Result<()> {
        let logs = &context.aws.logs;
        if let Some(key) = &spec.kms_key {
            let request = logs.associate_kms_key().log_group_name(&self.name).kms_key_id(key);
            request.send().await.map_err(AwsError::from)?;
        } else {
            logs.disassociate_kms_key().log_group_name(&self.name).send().await.map_err(AwsError::from)?;
        }
        Ok(())
    }

    async fn find(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let request = context.aws.logs.describe_log_groups().log_group_name_prefix(&self.name);
        let groups = request.send().await.map_err(AwsError::from)?.log_groups.unwrap_or_default();
        // The search is by prefix, so other groups can be among the answers.
        let Some(found) = groups.into_iter().find(|group| group.log_group_name() == Some(&self.name)) else {
            return Ok(None);
        };
        let arn = super::sent(found.arn, "the log group's ARN")?.trim_end_matches(":*").to_owned();
        Ok(Some(Live {
            spec: LogGroupSpec {
                retention_days: found.retention_in_days.unwrap_or_default(),
                kms_key: found.kms_key_id,
                tagged: true,
            },
            output: LogGroupOutput { arn, name: self.name.clone(), created: found.creation_time.unwrap_or_default() },
        }))
    }
}

impl Resource for LogGroup {
    const KIND: &'static str = "log group";

    type Spec = LogGroupSpec;
    type Output = LogGroupOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some(mut live) = self.find(context).await? else { return Ok(None) };
        let LogGroupOutput { arn, created, .. } = &live.output;
        if context.believed(&super::owned(arn)).await == Some(created.to_string()) {
            return Ok(Some(live));
        }
        let answer = context.aws.logs.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = answer.map_err(AwsError::from)?.tags.unwrap_or_default();
        let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let checked = context.aws.owner.check(format_args!("log group {}", self.name), tags);
        let known = async || context.hint(&super::owned(arn)).await == Some(created.to_string());
        live.spec.tagged = super::is_marked(checked, known).await?;
        Ok(Some(live))
    }

    async fn create(&self, context: &Context, spec: &LogGroupSpec) -> Result<LogGroupOutput> {
        let tags = context.aws.owner.tags(&self.resource).into_iter().collect();
        let request = context.aws.logs.create_log_group().log_group_name(&self.name).set_tags(Some(tags));
        let request = request.set_kms_key_id(spec.kms_key.clone());
        request.send().await.map_err(AwsError::from)?;
        self.set_retention(context, spec).await?;
        // Creating answers nothing, and the ARN holds the account, so it is looked up.
        Ok(super::sent(self.find(context).await?, "the log group")?.output)
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &LogGroupSpec) -> Result<LogGroupOutput> {
        if live.spec.kms_key != spec.kms_key {
            self.set_key(context, spec).await?;
        }
        self.set_retention(context, spec).await?;
        if !live.spec.tagged {
            let tags = context.aws.owner.tags(&self.resource).into_iter().collect();
            let request = context.aws.logs.tag_resource().resource_arn(&live.output.arn).set_tags(Some(tags));
            request.send().await.map_err(AwsError::from)?;
        }
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        let request = context.aws.logs.delete_log_group().log_group_name(&self.name);
        request.send().await.absent_on(&["ResourceNotFoundException"])?;
        Ok(())
    }
}
