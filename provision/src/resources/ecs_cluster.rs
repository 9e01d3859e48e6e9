//! What tasks run in.

use anyhow::Result;
use aws_sdk_ecs::types::{
    ClusterConfiguration, ClusterField, ClusterSetting, ClusterSettingName, ExecuteCommandConfiguration,
    ExecuteCommandLogConfiguration, ExecuteCommandLogging, Tag,
};
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::names::Names;
use crate::resource::{Live, Resource};

/// The cluster of our name.
#[derive(Debug)]
pub struct EcsCluster {
    /// The name on AWS.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct EcsClusterSpec {
    /// `disabled`, `enabled` or `enhanced`; it costs custom metrics.
    pub container_insights: String,
    /// Where sessions in tasks are written down, if that is not left to the tasks.
    pub sessions: Option<Sessions>,
}

/// Where sessions in tasks are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sessions {
    /// The log group.
    pub log_group: String,
    /// The bucket in which they are written down, too; this tool never asks for one, but somebody can.
    pub bucket: Option<String>,
    /// Whether AWS insists that the log group is encrypted with a key of one's own.
    pub encrypted_log: bool,
    /// The key that encrypts what goes to and fro, beside TLS.
    pub kms_key: Option<String>,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcsClusterOutput {
    /// The ARN.
    pub arn: String,
}

/// The tags of a new thing of this service.
pub(super) fn tags(context: &Context, resource: &str) -> Vec<Tag> {
    let tags = context.aws.owner.tags(resource).into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The tags of something found.
pub(crate) fn pairs(tags: &[Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()?)))
}

fn insights(spec: &EcsClusterSpec) -> ClusterSetting {
    ClusterSetting::builder().name(ClusterSettingName::ContainerInsights).value(&spec.container_insights).build()
}

/// How sessions are written down; nothing to be said stands for AWS's default, and takes back what was said before.
fn configuration(spec: &EcsClusterSpec) -> ClusterConfiguration {
    let sessions = match &spec.sessions {
        None => ExecuteCommandConfiguration::builder().logging(ExecuteCommandLogging::Default),
        Some(sessions) => {
            let log = ExecuteCommandLogConfiguration::builder().cloud_watch_log_group_name(&sessions.log_group);
            let log = log.set_s3_bucket_name(sessions.bucket.clone());
            ExecuteCommandConfiguration::builder()
                .logging(ExecuteCommandLogging::Override)
                .log_configuration(log.cloud_watch_encryption_enabled(sessions.encrypted_log).build())
                .set_kms_key_id(sessions.kms_key.clone())
        }
    };
    ClusterConfiguration::builder().execute_command_configuration(sessions.build()).build()
}

/// What is written down elsewhere, or not at all, is a log group without a name.
fn sessions(configuration: Option<&ClusterConfiguration>) -> Option<Sessions> {
    let found = configuration?.execute_command_configuration()?;
    if found.kms_key_id().is_none() && matches!(found.logging(), None | Some(ExecuteCommandLogging::Default)) {
        return None;
    }
    let log = found.log_configuration().filter(|_| found.logging() == Some(&ExecuteCommandLogging::Override));
    Some(Sessions {
        log_group: log.and_then(|log| log.cloud_watch_log_group_name.clone()).unwrap_or_default(),
        bucket: log.and_then(|log| log.s3_bucket_name.clone()).filter(|name| !name.is_empty()),
        encrypted_log: log.is_some_and(|log| log.cloud_watch_encryption_enabled),
        kms_key: found.kms_key_id.clone(),
    })
}

impl Resource for EcsCluster {
    const KIND: &'static str = "ECS cluster";

    type Spec = EcsClusterSpec;
    type Output = EcsClusterOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let request = context.aws.ecs.describe_clusters().clusters(&self.name);
        let request = request.include(ClusterField::Tags).include(ClusterField::Settings);
        let request = request.include(ClusterField::Configurations);
        let clusters = request.send().await.map_err(AwsError::from)?.clusters.unwrap_or_default();
        // A deleted cluster stays visible for a while.
        let Some(found) = clusters.into_iter().find(|cluster| cluster.status() == Some("ACTIVE")) else {
            return Ok(None);
        };
        context.aws.owner.check(format_args!("cluster {}", self.name), pairs(found.tags()))?;
        let insights = found.settings().iter().find(|it| it.name() == Some(&ClusterSettingName::ContainerInsights));
        Ok(Some(Live {
            spec: EcsClusterSpec {
                container_insights: insights.and_then(|it| it.value()).unwrap_or("disabled").to_owned(),
                sessions: sessions(found.configuration()),
            },
            output: EcsClusterOutput { arn: super::sent(found.cluster_arn, "the cluster's ARN")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &EcsClusterSpec) -> Result<EcsClusterOutput> {
        let request = context.aws.ecs.create_cluster().cluster_name(&self.name).settings(insights(spec));
        // Nothing was said before, so AWS's default need not be asked for.
        let request = request
            .set_configuration(spec.sessions.as_ref().map(|_| configuration(spec)))
            .set_tags(Some(tags(context, "cluster")));
        let created = super::sent(request.send().await.map_err(AwsError::from)?.cluster, "the cluster")?;
        Ok(EcsClusterOutput { arn: super::sent(created.cluster_arn, "the cluster's ARN")? })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &EcsClusterSpec) -> Result<EcsClusterOutput> {
        let request = context.aws.ecs.update_cluster().cluster(&self.name).settings(insights(spec));
        let request = request.configuration(configuration(spec));
        request.send().await.map_err(AwsError::from)?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        // Container Insights makes it, whenever it was on, and nothing in AWS removes it. First, because without the cluster
        // nobody would look for it any more.
        let request = context.aws.logs.delete_log_group().log_group_name(Names::measurements(&self.name));
        request.send().await.absent_on(&["ResourceNotFoundException"])?;
        let request = context.aws.ecs.delete_cluster().cluster(&self.name);
        request.send().await.absent_on(&["ClusterNotFoundException"])?;
        Ok(())
    }
}
