//! Where the load balancer sends requests, and how it asks whether a target is well.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup as Description, TargetGroupAttribute, TargetTypeEnum,
};
use serde::Serialize;

use super::load_balancer::{is_tagged, tag, tags};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};
use crate::stop_reasons;

/// The target group of our name.
#[derive(Debug)]
pub struct TargetGroup {
    /// The name on AWS, which changes with everything that cannot change in place.
    pub name: String,
    /// The name in the stack.
    pub resource: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct TargetGroupSpec {
    /// The network.
    pub vpc_id: String,
    /// The port of the targets.
    pub port: i32,
    /// The protocol to the targets.
    pub protocol: String,
    /// `ip`, for tasks have their own addresses.
    pub target_type: String,
    /// How targets are asked whether they are well.
    pub health: Health,
    /// Attributes; those not named here are left alone.
    pub attributes: BTreeMap<String, String>,
    /// Whether it carries our tags, by which a run without hints knows it.
    pub tagged: bool,
}

/// How targets are asked whether they are well.
#[derive(Debug, Serialize)]
pub struct Health {
    /// What is requested.
    pub path: String,
    /// In which protocol.
    pub protocol: String,
    /// Every so many seconds.
    pub interval: i32,
    /// An answer within so many seconds.
    pub timeout: i32,
    /// So many good answers make a target healthy.
    pub healthy: i32,
    /// So many bad answers make it unhealthy.
    pub unhealthy: i32,
    /// Which status is good.
    pub matcher: String,
    /// On which port; `traffic-port` is the one that requests go to.
    pub port: String,
}

/// Its identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGroupOutput {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
}

/// What the load balancer thinks of one target.
#[derive(Clone, Debug, PartialEq, Eq, schemars::JsonSchema, Serialize)]
pub struct TargetState {
    /// The target's address and port.
    pub target: String,
    /// `healthy`, `initial`, `unhealthy`, `draining`, …
    pub state: String,
    /// Why, in the load balancer's words.
    pub reason: String,
    /// The code of the reason, as `Target.Timeout`; none when it is well.
    pub code: Option<String>,
}

impl TargetState {
    /// Whether something is wrong with it, rather than on its way.
    pub(crate) fn is_unwell(&self) -> bool {
        ["unhealthy", "unused", "unavailable"].contains(&self.state.as_str())
    }

    /// What the reason means, and what to do.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        stop_reasons::of_target(self.code.as_deref()?)
    }
}

impl std::fmt::Display for TargetState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.target, self.state)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

const OUR_ATTRIBUTES: &[&str] = &["deregistration_delay.timeout_seconds"];

/// Lists what the load balancer thinks of the targets of a group.
///
/// # Errors
/// When the call fails.
pub async fn health(context: &Context, arn: &str) -> Result<Vec<TargetState>> {
    let answer = context.aws.elb.describe_target_health().target_group_arn(arn).send().await;
    let descriptions = answer.map_err(AwsError::from)?.target_health_descriptions.unwrap_or_default();
    let states = descriptions.iter().map(|description| {
        let target = description.target();
        let health = description.target_health();
        let address = target.and_then(|target| target.id()).unwrap_or("?");
        let port = target.and_then(|target| target.port()).unwrap_or_default();
        let reason = health.and_then(|health| health.description().or(health.reason().map(|reason| reason.as_str())));
        TargetState {
            target: format!("{address}:{port}"),
            state: health.and_then(|health| health.state()).map_or("unknown", |state| state.as_str()).to_owned(),
            reason: reason.unwrap_or_default().to_owned(),
            code: health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned()),
        }
    });
    Ok(states.collect())
}

/// Every target group of the account: one question for all of ours, 400 in an answer.
pub(super) async fn all(context: &Context) -> Result<Vec<Description>> {
    let ask = || async {
        let pages = context.aws.elb.describe_target_groups().into_paginator().items().send();
        Ok(pages.collect::<Result<Vec<_>, _>>().await.map_err(AwsError::from)?)
    };
    context.once("target groups", ask).await
}

impl TargetGroup {
    async fn attributes(&self, context: &Context, arn: &str) -> Result<BTreeMap<String, String>> {
        let answer = context.aws.elb.describe_target_group_attributes().target_group_arn(arn).send().await;
        let attributes = answer.map_err(AwsError::from)?.attributes.unwrap_or_default().into_iter();
        let attributes = attributes.filter_map(|attribute| Some((attribute.key?, attribute.value?)));
        Ok(attributes.filter(|(key, _)| OUR_ATTRIBUTES.contains(&key.as_str())).collect())
    }

    async fn set_attributes(&self, context: &Context, arn: &str, spec: &TargetGroupSpec) -> Result<()> {
        let attributes = spec.attributes.iter();
        let attributes = attributes.map(|(key, value)| TargetGroupAttribute::builder().key(key).value(value).build());
        let request = context.aws.elb.modify_target_group_attributes().target_group_arn(arn);
        request.set_attributes(Some(attributes.collect())).send().await.map_err(AwsError::from)?;
        Ok(())
    }
}

fn text<T>(value: Option<&T>, text: impl Fn(&T) -> &str) -> String {
    value.map(text).unwrap_or_default().to_owned()
}

fn health_of(found: &Description) -> Health {
    Health {
        path: found.health_check_path.clone().unwrap_or_default(),
        protocol: text(found.health_check_protocol(), |protocol| protocol.as_str()),
        interval: found.health_check_interval_seconds.unwrap_or_default(),
        timeout: found.health_check_timeout_seconds.unwrap_or_default(),
        healthy: found.healthy_threshold_count.unwrap_or_default(),
        unhealthy: found.unhealthy_threshold_count.unwrap_or_default(),
        matcher: text(found.matcher(), |matcher| matcher.http_code().unwrap_or_default()),
        port: found.health_check_port.clone().unwrap_or_else(|| "traffic-port".to_owned()),
    }
}

impl Resource for TargetGroup {
    const KIND: &'static str = "target group";
    const IMMUTABLE: &'static [&'static str] = &["vpc_id", "port", "protocol", "target_type"];

    type Spec = TargetGroupSpec;
    type Output = TargetGroupOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let groups = all(context).await?;
        let found = groups.into_iter().find(|group| group.target_group_name() == Some(&self.name));
        let Some(found) = found else { return Ok(None) };
        let arn = super::sent(found.target_group_arn.clone(), "the target group's ARN")?;
        let what = format!("target group {}", self.name);
        let (tagged, attributes) = tokio::try_join!(is_tagged(context, &what, &arn), self.attributes(context, &arn))?;
        Ok(Some(Live {
            spec: TargetGroupSpec {
                vpc_id: found.vpc_id.clone().unwrap_or_default(),
                port: found.port.unwrap_or_default(),
                protocol: text(found.protocol(), |protocol| protocol.as_str()),
                target_type: text(found.target_type(), |kind| kind.as_str()),
                health: health_of(&found),
                attributes,
                tagged,
            },
            output: TargetGroupOutput { arn, name: self.name.clone() },
        }))
    }

    async fn create(&self, context: &Context, spec: &TargetGroupSpec) -> Result<TargetGroupOutput> {
        let health = &spec.health;
        let request = context
            .aws
            .elb
            .create_target_group()
            .name(&self.name)
            .vpc_id(&spec.vpc_id)
            .port(spec.port)
            .protocol(ProtocolEnum::from(spec.protocol.as_str()))
            .target_type(TargetTypeEnum::from(spec.target_type.as_str()))
            .health_check_path(&health.path)
            .health_check_port(&health.port)
            .health_check_protocol(ProtocolEnum::from(health.protocol.as_str()))
            .health_check_interval_seconds(health.interval)
            .health_check_timeout_seconds(health.timeout)
            .healthy_threshold_count(health.healthy)
            .unhealthy_threshold_count(health.unhealthy)
            .matcher(Matcher::builder().http_code(&health.matcher).build())
            .set_tags(Some(tags(context, &self.resource)));
        let answer = request.send().await.map_err(AwsError::from)?;
        let created = super::sent(answer.target_groups.unwrap_or_default().into_iter().next(), "the target group")?;
        let arn = super::sent(created.target_group_arn, "the target group's ARN")?;
        self.set_attributes(context, &arn, spec).await?;
        Ok(TargetGroupOutput { arn, name: self.name.clone() })
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &TargetGroupSpec) -> Result<TargetGroupOutput> {
        let health = &spec.health;
        let request = context
            .aws
            .elb
            .modify_target_group()
            .target_group_arn(&live.output.arn)
            .health_check_path(&health.path)
            .health_check_port(&health.port)
            .health_check_protocol(ProtocolEnum::from(health.protocol.as_str()))
            .health_check_interval_seconds(health.interval)
            .health_check_timeout_seconds(health.timeout)
            .healthy_threshold_count(health.healthy)
            .unhealthy_threshold_count(health.unhealthy)
            .matcher(Matcher::builder().http_code(&health.matcher).build());
        request.send().await.map_err(AwsError::from)?;
        self.set_attributes(context, &live.output.arn, spec).await?;
        if !live.spec.tagged {
            tag(context, &live.output.arn, &self.resource).await?;
        }
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.elb.delete_target_group().target_group_arn(&live.output.arn);
        request.send().await.absent_on(&["TargetGroupNotFound"])?;
        Ok(())
    }
}
