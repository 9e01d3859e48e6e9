"""Deployments of a service.

Restored: a new deployment is IN_PROGRESS until its tasks are healthy (ministack says COMPLETED when the
service is created, before anything runs), so COMPLETED means what it means on AWS; a task that the load
balancer or its own health check finds ill is replaced and counts against the circuit breaker; tasks are
stopped with AWS's reasons, which the deploy tool explains; reaching a steady state is an event.
"""

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs

from stand_in import breaker, events, health

_SCHEDULER = {"Deployment completed", "Task definition updated", "Service scaling down", "Deployment capacity limit"}
"""Reasons for which ministack's scheduler stops tasks, as if a user had asked."""


def install():
    ecs._ACTION_MAP["UpdateService"] = _after_what_failed(ecs._ACTION_MAP["UpdateService"])
    ecs._make_deployment = _in_progress(ecs._make_deployment)
    ecs._complete_service_deployment = _when_healthy(ecs._complete_service_deployment)
    ecs._record_service_task_healthy = _of_a_well_task(ecs._record_service_task_healthy)
    ecs._mark_task_stopped = _with_the_reasons_of_aws(ecs._mark_task_stopped)


def _after_what_failed(update_service):
    def update(data):
        # ministack would show every deployment that ever failed.
        for service in ecs._services.values():
            kept = [it for it in service["deployments"] if it["status"] == "PRIMARY" or it["rolloutState"] != "FAILED"]
            service["deployments"] = kept
        return update_service(data)

    return update


def _in_progress(make_deployment):
    def make(*args, **kwargs):
        deployment = make_deployment(*args, **kwargs)
        reason = f"ECS deployment {deployment['id']} in progress."
        return deployment | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": reason}

    return make


def _when_healthy(complete_service_deployment):
    def complete(cluster, key, *args, **kwargs):
        service = ecs._services.get(key)
        deployment = service and ecs._primary_deployment(service)
        if not deployment or deployment["rolloutState"] == "COMPLETED" or not _is_healthy(service, deployment):
            return
        complete_service_deployment(cluster, key, *args, **kwargs)
        if deployment["rolloutState"] == "COMPLETED":
            deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} completed."
            events.tell(service, "has reached a steady state.")

    return complete


def _is_healthy(service, deployment):
    tasks = [task for task in ecs._tasks.values() if task.get("_deployment_id") == deployment["id"]]
    return sum(_is_well(service, task) for task in tasks) >= service["desiredCount"]


def _is_well(service, task):
    if task["lastStatus"] != "RUNNING" or task["healthStatus"] == "UNHEALTHY":
        return False
    if task.get("_has_health_check") and task["healthStatus"] != "HEALTHY":
        return False
    groups = [balancer["targetGroupArn"] for balancer in service.get("loadBalancers") or []]
    return all(health.is_healthy(group, ecs._task_ip(task)) for group in groups)


def _of_a_well_task(record_service_task_healthy):
    def record(key, task):
        service = ecs._services.get(key)
        if service and _is_well(service, task):
            record_service_task_healthy(key, task)

    return record


def _with_the_reasons_of_aws(mark_task_stopped):
    def mark(arn, task, reason, code, **kwargs):
        if reason == "Essential container exited":
            reason = "Essential container in task exited"
        elif reason in _SCHEDULER:
            deployment = task.get("_deployment_id")
            reason, code = f"Scaling activity initiated by (deployment {deployment})", "ServiceSchedulerInitiated"
        # What fails in this package says itself what AWS would say; ministack puts its own words before it.
        own = reason.rpartition("unable to pull image or start container: ")[2]
        reason = own if own.startswith("ResourceInitializationError: ") else reason
        if code == "ServiceSchedulerInitiated" and task["lastStatus"] == "RUNNING":
            events.tell_of(task, "has stopped 1 running tasks: {}.")
        return mark_task_stopped(arn, task, reason, code, **kwargs)

    return mark


def services_behind(group):
    """The keys of the services of this account and region whose tasks are in a target group."""
    return [
        key
        for key, service in ecs._services.items()
        if service["status"] == "ACTIVE"
        and any(balancer["targetGroupArn"] == group for balancer in service.get("loadBalancers") or [])
    ]


def look_again(key):
    """Completes a deployment if that is what the change just seen was waited for."""
    for task in list(ecs._tasks.values()):
        if task["group"] == f"service:{key.split('/')[1]}":
            ecs._record_service_task_healthy(key, task)
    ecs._complete_service_deployment(key.split("/")[0], key)


def replace(task, reason):
    """Ends an ill task; the service starts another one, or gives up when it was one too many."""
    if ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated"):
        ecs._cleanup_task_resources(task, ecs._get_docker())
        breaker.count_failure(task)


def scope():
    """The account and region of the call that is being answered, for a thread that outlives it."""
    return get_account_id(), get_region()
