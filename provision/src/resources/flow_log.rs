//! The flow log of the network: every connection, written into a log group.

use anyhow::Result;
use aws_sdk_ec2::types::{self, FlowLogsResourceType, LogDestinationType, ResourceType, TrafficType};
use serde::Serialize;

use super::{ec2_calls, ec2_tags};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The flow log with our tags.
#[derive(Debug)]
pub struct FlowLog {
    /// The name in the stack.
    pub name: String,
}

/// What it should be. AWS changes none of it, but a flow log holds nothing, so another one takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowLogSpec {
    /// The network.
    pub vpc_id: String,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic: String,
    /// Over how many seconds packets are counted together: 60 or 600.
    pub aggregation_seconds: i32,
    /// The log group.
    pub log_group: String,
    /// The role that writes into it.
    pub role_arn: String,
    /// Whether it carries our tags, by which later runs find it.
    pub tagged: bool,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowLogOutput {
    /// The identifier.
    pub id: String,
}

/// Everything of this kind that is ours.
async fn ours(context: &Context) -> Result<Vec<types::FlowLog>> {
    let ask = |filters| {
        let request = context.aws.ec2.describe_flow_logs().set_filter(filters);
        async { Ok(request.send().await.map_err(AwsError::from)?.flow_logs.unwrap_or_default()) }
    };
    context.once("our flow logs", || ec2_tags::ours(context, ask)).await
}

impl FlowLog {
    async fn request(&self, context: &Context, spec: &FlowLogSpec, token: String) -> Result<String> {
        let request = context
            .aws
            .ec2
            .create_flow_logs()
            .client_token(token)
            .resource_type(FlowLogsResourceType::Vpc)
            .resource_ids(&spec.vpc_id)
            .traffic_type(TrafficType::from(spec.traffic.as_str()))
            .max_aggregation_interval(spec.aggregation_seconds)
            .log_destination_type(LogDestinationType::CloudWatchLogs)
            .log_group_name(&spec.log_group)
            .deliver_logs_permission_arn(&spec.role_arn)
            .tag_specifications(ec2_tags::specification(&context.aws, &self.name, ResourceType::VpcFlowLog));
        let answer = request.send().await.map_err(AwsError::from)?;
        ec2_calls::all_done(answer.unsuccessful(), &[])?;
        super::sent(answer.flow_log_ids.unwrap_or_default().into_iter().next(), "the flow log's id")
    }
}

impl Resource for FlowLog {
    const KIND: &'static str = "VPC flow log";

    type Spec = FlowLogSpec;
    type Output = FlowLogOutput;

    fn ec2_id<'a>(&'a self, output: &'a FlowLogOutput) -> Option<(&'a str, &'a str)> {
        Some((&self.name, &output.id))
    }

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let found = ec2_tags::single(ours(context).await?, Self::KIND, &self.name)?;
        let Some(found) = found else { return Ok(None) };
        Ok(Some(Live {
            spec: FlowLogSpec {
                tagged: ec2_tags::is_tagged(&found),
                vpc_id: super::sent(found.resource_id, "the flow log's network")?,
                traffic: found.traffic_type.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                aggregation_seconds: found.max_aggregation_interval.unwrap_or_default(),
                // One that writes elsewhere has neither.
                log_group: found.log_group_name.unwrap_or_default(),
                role_arn: found.deliver_logs_permission_arn.unwrap_or_default(),
            },
            output: FlowLogOutput { id: super::sent(found.flow_log_id, "the flow log's id")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &FlowLogSpec) -> Result<FlowLogOutput> {
        let request = |token| self.request(context, spec, token);
        let is_there = |id: String| async move {
            Ok(ours(context).await?.iter().any(|found| found.flow_log_id() == Some(id.as_str())))
        };
        let what = format!("{spec:?}");
        Ok(FlowLogOutput { id: ec2_calls::make(context, &what, request, is_there).await? })
    }

    /// For a moment nothing is written down: AWS keeps no two flow logs of one network in one log group.
    async fn update(&self, context: &Context, live: &Live<Self>, spec: &FlowLogSpec) -> Result<FlowLogOutput> {
        if (FlowLogSpec { tagged: spec.tagged, ..live.spec.clone() }) == *spec {
            ec2_tags::mark(context, &live.output.id, &self.name).await?;
            return Ok(live.output.clone());
        }
        self.delete(context, live).await?;
        self.create(context, spec).await
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.ec2.delete_flow_logs().flow_log_ids(&live.output.id);
        let answer = request.send().await.absent_on(GONE)?;
        ec2_calls::all_done(&answer.and_then(|answer| answer.unsuccessful).unwrap_or_default(), GONE)?;
        Ok(())
    }
}

/// How EC2 says that there is no such flow log.
const GONE: &[&str] = &["InvalidFlowLogId.NotFound"];
