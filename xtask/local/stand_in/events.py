"""What a service says about itself.

Restored: each task that the scheduler starts, stops or finds ill is an event, in the words of AWS (ministack
says "has begun draining connections on 1 tasks" of every change), and the last hundred are kept.
"""

import json

from ministack.core.responses import new_uuid
from ministack.services import ecs


def install():
    ecs._run_task = _telling_of_starts(ecs._run_task)
    ecs._ACTION_MAP["UpdateService"] = _without_invented_draining(ecs._ACTION_MAP["UpdateService"])


def tell(service, message):
    """Adds an event; the newest is the first."""
    event = {"id": new_uuid(), "createdAt": ecs._iso(), "message": f"(service {service['serviceName']}) {message}"}
    service["events"] = [event, *service["events"]][:100]


def service_of(task):
    """The key of the service that a task belongs to and the service, if there is one."""
    key = f"{ecs._cluster_name_from_arn(task['clusterArn'])}/{task['group'].removeprefix('service:')}"
    return key, ecs._services.get(key) if task["group"].startswith("service:") else None


def tell_of(task, what):
    """Adds an event about a task, if it is a service's; `what` has a place for the task's name."""
    _, service = service_of(task)
    if service is not None:
        tell(service, what.format(f"(task {task['taskArn'].rpartition('/')[2]})"))


def _telling_of_starts(run_task):
    def run(data):
        answer = run_task(data)
        for started in json.loads(answer[2]).get("tasks", []):
            tell_of(started, "has started 1 tasks: {}.")
        return answer

    return run


def _without_invented_draining(update_service):
    def update(data):
        answer = update_service(data)
        for service in ecs._services.values():
            invented = f"(service {service['serviceName']}) has begun draining connections on 1 tasks."
            service["events"] = [event for event in service["events"] if event["message"] != invented]
        return answer

    return update
