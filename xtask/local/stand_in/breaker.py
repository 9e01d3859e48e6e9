"""The deployment circuit breaker.

Restored: what AWS says when it trips; the rollback is a deployment with a number of its own, whose tasks are
those that still run; and without a deployment that was ever complete there is nothing to go back to, so the
failed one stays, with no task.
"""

from ministack.core.concurrency import resource_lock
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from stand_in import events


def install():
    ecs._record_service_task_failure = count_failure


def count_failure(task, digest_resolution_failed=False):
    """A task of a service has ended badly: another one is started, or its deployment is given up."""
    key, service = events.service_of(task)
    if service is None or service["status"] != "ACTIVE":
        return
    cluster = key.partition("/")[0]
    with resource_lock("ecs-service", key):
        deployment = ecs._deployment_for_task(service, task)
        if deployment is None or deployment is not ecs._primary_deployment(service):
            # The replacement of an old task is under way already.
            return
        breaker = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
        rolls_back = False
        if deployment["rolloutState"] == "IN_PROGRESS":
            deployment |= {"failedTasks": deployment["failedTasks"] + 1, "updatedAt": ecs._iso()}
            trips = digest_resolution_failed or deployment["failedTasks"] >= ecs._circuit_breaker_threshold(service)
            if breaker.get("enable") and trips:
                _give_up(service, deployment)
                rolls_back = breaker.get("rollback", False) and _roll_back(service, deployment)
    ecs._reconcile_service_tasks(cluster, key)
    if rolls_back:
        ecs._schedule_service_deployment_completion(cluster, key, get_account_id(), get_region())


def _give_up(service, deployment):
    reason = "ECS deployment circuit breaker: tasks failed to start."
    deployment |= {"rolloutState": "FAILED", "rolloutStateReason": reason, "desiredCount": 0}
    events.tell(service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start.")


def _roll_back(service, failed):
    """Makes a new deployment of what the last complete one ran; says whether there was one."""
    good = next((it for it in service["deployments"] if it["rolloutState"] == "COMPLETED"), None)
    if good is None:
        return False
    rollback = ecs._make_deployment(good["taskDefinition"], service["desiredCount"])
    reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good['id']}."
    kept = {name: value for name, value in good.items() if name not in rollback}
    rollback |= kept | {"launchType": good["launchType"], "rolloutStateReason": reason}
    for task in ecs._tasks.values():
        if task.get("_deployment_id") == good["id"]:
            task["_deployment_id"] = rollback["id"]
    failed["status"] = "ACTIVE"
    service["taskDefinition"] = rollback["taskDefinition"]
    service["deployments"] = [rollback, *(it for it in service["deployments"] if it is not good)]
    events.tell(service, f"rolling back to deployment {rollback['id']}.")
    return True
