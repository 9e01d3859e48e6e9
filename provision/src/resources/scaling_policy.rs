//! When the service gets more or fewer tasks.

use anyhow::Result;
use aws_sdk_applicationautoscaling::types::{
    MetricType, PolicyType, PredefinedMetricSpecification, ScalableDimension, ServiceNamespace,
    TargetTrackingScalingPolicyConfiguration,
};
use serde::Serialize;

use super::scalable_target::resource_id;
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The policy of our name.
#[derive(Debug)]
pub struct ScalingPolicy {
    /// The cluster.
    pub cluster: String,
    /// The service.
    pub service: String,
    /// The name of the policy.
    pub name: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct ScalingPolicySpec {
    /// What is measured.
    pub metric: String,
    /// The value that is aimed at, in percent.
    pub target: f64,
    /// Seconds between two removals.
    pub scale_in_cooldown: i32,
    /// Seconds between two additions.
    pub scale_out_cooldown: i32,
    /// Whether tasks are removed again when they are not needed.
    pub scales_in: bool,
}

impl ScalingPolicy {
    async fn put(&self, context: &Context, spec: &ScalingPolicySpec) -> Result<()> {
        let metric = PredefinedMetricSpecification::builder()
            .predefined_metric_type(MetricType::from(spec.metric.as_str()))
            .build()?;
        let tracking = TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(spec.target)
            .predefined_metric_specification(metric)
            .scale_in_cooldown(spec.scale_in_cooldown)
            .scale_out_cooldown(spec.scale_out_cooldown)
            .disable_scale_in(!spec.scales_in)
            .build()?;
        let request = context
            .aws
            .autoscaling
            .put_scaling_policy()
            .policy_name(&self.name)
            .policy_type(PolicyType::TargetTrackingScaling)
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource_id(&self.cluster, &self.service))
            .target_tracking_scaling_policy_configuration(tracking);
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }
}

impl Resource for ScalingPolicy {
    const KIND: &'static str = "scaling policy";

    type Spec = ScalingPolicySpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let request = context
            .aws
            .autoscaling
            .describe_scaling_policies()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource_id(&self.cluster, &self.service));
        let ask = || async { Ok(request.send().await.map_err(AwsError::from)?.scaling_policies.unwrap_or_default()) };
        let policies = context.once("scaling policies of the service", ask).await?;
        let policy = policies.into_iter().find(|policy| policy.policy_name == self.name);
        let Some(tracking) = policy.and_then(|policy| policy.target_tracking_scaling_policy_configuration) else {
            return Ok(None);
        };
        let metric = tracking.predefined_metric_specification.map(|metric| metric.predefined_metric_type);
        Ok(Some(Live {
            spec: ScalingPolicySpec {
                metric: metric.map(|metric| metric.as_str().to_owned()).unwrap_or_default(),
                target: tracking.target_value,
                scale_in_cooldown: tracking.scale_in_cooldown.unwrap_or_default(),
                scale_out_cooldown: tracking.scale_out_cooldown.unwrap_or_default(),
                scales_in: !tracking.disable_scale_in.unwrap_or_default(),
            },
            output: (),
        }))
    }

    async fn create(&self, context: &Context, spec: &ScalingPolicySpec) -> Result<()> {
        self.put(context, spec).await
    }

    async fn update(&self, context: &Context, _live: &Live<Self>, spec: &ScalingPolicySpec) -> Result<()> {
        self.put(context, spec).await
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        let request = context
            .aws
            .autoscaling
            .delete_scaling_policy()
            .policy_name(&self.name)
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource_id(&self.cluster, &self.service));
        request.send().await.absent_on(&["ObjectNotFoundException"])?;
        Ok(())
    }
}
