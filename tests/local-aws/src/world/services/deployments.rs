//! The newer view of deployments: a list of them, what each deployed, and the order to stop one.

use serde_json::{Value, json};

use super::{Deployment, short};
use crate::call::Call;
use crate::world::{World, epoch, text};
use crate::{ACCOUNT, REGION};

fn arn(kind: &str, cluster: &str, service: &str, deployment: &Deployment) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{cluster}/{service}/{}", short(&deployment.id))
}

/// All deployments with their service's name and cluster, the newest of each service first.
fn all(world: &World) -> impl Iterator<Item = (&String, &String, &Deployment)> {
    let services = world.services.by_name.iter();
    services.flat_map(|(name, it)| it.deployments.iter().map(move |deployment| (name, &it.cluster, deployment)))
}

fn status(world: &World, deployment: &Deployment) -> &'static str {
    let now = world.now;
    if deployment.is_running(now) {
        "IN_PROGRESS"
    } else if deployment.stopped.is_some() || deployment.story.given_up.is_some_and(|at| at <= now) {
        "ROLLBACK_SUCCESSFUL"
    } else {
        "SUCCESSFUL"
    }
}

pub(super) fn list(world: &World, call: &Call) -> Value {
    let wanted = short(call.text("service"));
    let statuses: Vec<_> = call.fields["status"].as_array().into_iter().flatten().map(text).collect();
    let found = all(world).filter(|(name, _, it)| {
        *name == wanted && (statuses.is_empty() || statuses.iter().any(|wanted| wanted == status(world, it)))
    });
    let found = found.map(|(name, cluster, it)| {
        json!({
            "serviceDeploymentArn": arn("service-deployment", cluster, name, it),
            "targetServiceRevisionArn": arn("service-revision", cluster, name, it),
            "createdAt": epoch(it.began),
            "status": status(world, it),
        })
    });
    json!({"serviceDeployments": found.collect::<Vec<_>>()})
}

pub(super) fn describe(world: &World, call: &Call) -> Value {
    let wanted: Vec<_> = call.fields["serviceDeploymentArns"].as_array().into_iter().flatten().map(text).collect();
    let found = all(world).filter(|(_, _, it)| wanted.iter().any(|arn| short(arn) == short(&it.id)));
    let found = found.map(|(name, cluster, it)| {
        json!({
            "serviceDeploymentArn": arn("service-deployment", cluster, name, it),
            "targetServiceRevision": {"arn": arn("service-revision", cluster, name, it)},
            "createdAt": epoch(it.began),
            "status": status(world, it),
            "deploymentCircuitBreaker": {
                "failureCount": it.story.stopped.iter().filter(|(at, ..)| *at <= world.now).count(),
                "threshold": super::THRESHOLD,
            },
        })
    });
    json!({"serviceDeployments": found.collect::<Vec<_>>(), "failures": []})
}

pub(super) fn revisions(world: &World, call: &Call) -> Value {
    let wanted: Vec<_> = call.fields["serviceRevisionArns"].as_array().into_iter().flatten().map(text).collect();
    let found = all(world).filter(|(_, _, it)| wanted.iter().any(|arn| short(arn) == short(&it.id)));
    let found = found.map(|(name, cluster, it)| {
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
            "serviceRevisionArn": arn("service-revision", cluster, name, it),
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
