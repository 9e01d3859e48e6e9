//! Between how many and how many tasks the service may have.

use anyhow::Result;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace, SuspendedState};
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The scaling of a service.
#[derive(Debug)]
pub struct ScalableTarget {
    /// The cluster.
    pub cluster: String,
    /// The service.
    pub service: String,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct ScalableTargetSpec {
    /// At least.
    pub min: i32,
    /// At most.
    pub max: i32,
    /// Whether somebody has stopped scaling, in whatever direction.
    pub suspended: bool,
}

/// Names a service the way scaling does.
pub(super) fn resource_id(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

fn suspended(all: bool) -> SuspendedState {
    SuspendedState::builder()
        .dynamic_scaling_in_suspended(all)
        .dynamic_scaling_out_suspended(all)
        .scheduled_scaling_suspended(all)
        .build()
}

impl ScalableTarget {
    async fn register(&self, context: &Context, spec: &ScalableTargetSpec) -> Result<()> {
        let request = context
            .aws
            .autoscaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource_id(&self.cluster, &self.service))
            .min_capacity(spec.min)
            .max_capacity(spec.max)
            .suspended_state(suspended(spec.suspended));
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }
}

impl Resource for ScalableTarget {
    const KIND: &'static str = "scalable target";

    type Spec = ScalableTargetSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let request = context
            .aws
            .autoscaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_ids(resource_id(&self.cluster, &self.service));
        let targets = request.send().await.map_err(AwsError::from)?.scalable_targets.unwrap_or_default();
        Ok(targets.into_iter().next().map(|target| {
            let (min, max) = (target.min_capacity, target.max_capacity);
            let suspended = target.suspended_state.is_some_and(|it| {
                [it.dynamic_scaling_in_suspended, it.dynamic_scaling_out_suspended, it.scheduled_scaling_suspended]
                    .contains(&Some(true))
            });
            Live { spec: ScalableTargetSpec { min, max, suspended }, output: () }
        }))
    }

    async fn create(&self, context: &Context, spec: &ScalableTargetSpec) -> Result<()> {
        self.register(context, spec).await
    }

    async fn update(&self, context: &Context, _live: &Live<Self>, spec: &ScalableTargetSpec) -> Result<()> {
        self.register(context, spec).await
    }

    async fn delete(&self, context: &Context, _live: &Live<Self>) -> Result<()> {
        let request = context
            .aws
            .autoscaling
            .deregister_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource_id(&self.cluster, &self.service));
        request.send().await.absent_on(&["ObjectNotFoundException"])?;
        Ok(())
    }
}
