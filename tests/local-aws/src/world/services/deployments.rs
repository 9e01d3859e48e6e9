//! The newer view of deployments: a list of them, what each deployed, and the order to stop one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Deployment, short};
use crate::call::Call;
use crate::world::{World, epoch, text};
use crate::{ACCOUNT, REGION};

fn arn(kind: &str, cluster: &str, service: &str, deployment: &Deployment) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{cluster}/{service}/{}", short(&deployment.id))
}

/// A deployment, and the way back from it, which belongs to it.
struct Deployed<'a> {
    service: &'a String,
    cluster: &'a String,
    deployment: &'a Deployment,
    back: Option<&'a Deployment>,
}

/// All deployments, the newest of each service first.
fn all(world: &World) -> impl Iterator<Item = Deployed<'_>> {
    world.services.by_name.iter().flat_map(|(service, it)| {
        let asked_for = it.deployments.iter().enumerate().filter(|(_, deployment)| !deployment.is_rollback);
        asked_for.map(move |(index, deployment)| {
            let newer = index.checked_sub(1).map(|newer| &it.deployments[newer]);
            Deployed { service, cluster: &it.cluster, deployment, back: newer.filter(|newer| newer.is_rollback) }
        })
    })
}

impl Deployed<'_> {
    fn arn(&self, kind: &str) -> String {
        arn(kind, self.cluster, self.service, self.deployment)
    }

    fn status(&self, now: Duration) -> &'static str {
        let failed = self.deployment.stopped.is_some() || self.deployment.story.given_up.is_some_and(|at| at <= now);
        match self.back {
            _ if self.deployment.is_running(now) => "IN_PROGRESS",
            Some(back) if back.is_running(now) => "ROLLBACK_IN_PROGRESS",
            Some(back) if back.story.healthy.is_none() => "ROLLBACK_FAILED",
            Some(_) => "ROLLBACK_SUCCESSFUL",
            None if failed => "STOPPED",
            None => "SUCCESSFUL",
        }
    }
}

pub(super) fn list(world: &World, call: &Call) -> Value {
    let wanted = short(call.text("service"));
    let statuses: Vec<_> = call.fields["status"].as_array().into_iter().flatten().map(text).collect();
    let found = all(world).filter(|it| {
        it.service == wanted && (statuses.is_empty() || statuses.iter().any(|wanted| wanted == it.status(world.now)))
    });
    let found = found.map(|it| {
        json!({
            "serviceDeploymentArn": it.arn("service-deployment"),
            "targetServiceRevisionArn": it.arn("service-revision"),
            "createdAt": epoch(it.deployment.began),
            "status": it.status(world.now),
        })
    });
    json!({"serviceDeployments": found.collect::<Vec<_>>()})
}

pub(super) fn describe(world: &World, call: &Call) -> Value {
    let wanted: Vec<_> = call.fields["serviceDeploymentArns"].as_array().into_iter().flatten().map(text).collect();
    let found = all(world).filter(|it| wanted.iter().any(|arn| short(arn) == short(&it.deployment.id)));
    let found = found.map(|it| {
        json!({
            "serviceDeploymentArn": it.arn("service-deployment"),
            "targetServiceRevision": {"arn": it.arn("service-revision")},
            "createdAt": epoch(it.deployment.began),
            "status": it.status(world.now),
            "deploymentCircuitBreaker": {
                "failureCount": it.deployment.story.stopped.iter().filter(|(at, _)| *at <= world.now).count(),
                "threshold": super::THRESHOLD,
            },
        })
    });
    json!({"serviceDeployments": found.collect::<Vec<_>>(), "failures": []})
}

pub(super) fn revisions(world: &World, call: &Call) -> Value {
    let wanted: Vec<_> = call.fields["serviceRevisionArns"].as_array().into_iter().flatten().map(text).collect();
    let found = all(world).filter(|it| wanted.iter().any(|arn| short(arn) == short(&it.deployment.id)));
    let found = found.map(|found| {
        let it = found.deployment;
        let task = world.task_definitions.get(&it.task_definition).cloned().unwrap_or_default();
        let images = task["containerDefinitions"].as_array().into_iter().flatten().map(|container| {
            let image = text(&container["image"]);
            json!({
                "containerName": container["name"],
                "image": image,
                "imageDigest": image.split_once('@').map(|(_, digest)| digest),
            })
        });
        json!({
            "serviceRevisionArn": found.arn("service-revision"),
            "taskDefinition": it.task_definition,
            "containerImages": images.collect::<Vec<_>>(),
            "createdAt": epoch(it.began),
        })
    });
    json!({"serviceRevisions": found.collect::<Vec<_>>(), "failures": []})
}

/// What ran before runs again.
pub(super) fn stop(world: &mut World, call: &Call) -> Value {
    let now = world.now;
    let wanted = call.text("serviceDeploymentArn");
    let services = world.services.by_name.values_mut();
    let found = services.flat_map(|it| &mut it.deployments).find(|it| short(&it.id) == short(wanted));
    if let Some(deployment) = found.filter(|it| it.is_running(now)) {
        deployment.stopped = Some(now);
        deployment.story.healthy = None;
    }
    super::advance(world);
    json!({"serviceDeploymentArn": wanted})
}
