"""A service runs tasks, and a deployment comes to its end.

moto: never starts a task of a service; its first deployment stays IN_PROGRESS for ever, an update begins no other one,
and no target is ever registered.
AWS: each deployment has an id of its own and new tasks, whose addresses become targets; when these are healthy it is
COMPLETED, and the tasks before it are stopped (rows 29 and 31; 4.1).
Needed: a deploy is done when the deployment that it began is. Here, tasks need half a second to run, and as much
again to be found healthy. A deployment that fails is not told: that story is the simulation's.
"""

import time
import uuid

from moto.core.utils import utcnow
from moto.ec2 import ec2_backends
from moto.ecs.models import EC2ContainerServiceBackend, Task
from moto.elbv2 import elbv2_backends

_STARTING, _IN_ALL = 0.5, 1.0
"""Seconds after which a task runs, and after which its deployment is complete."""

_BEGINS_ONE = {"force_new_deployment", "load_balancers", "network_configuration", "platform_version", "task_definition"}
"""What of an update makes AWS begin a deployment."""


def install():
    backend = EC2ContainerServiceBackend
    backend.create_service = _beginning(backend.create_service)
    backend.update_service = _beginning_anew(backend.update_service)
    backend.describe_services = _going_on(backend.describe_services)
    backend.delete_service = _ending(backend.delete_service)


def _beginning(create_service):
    def create(self, *args, **kwargs):
        service = create_service(self, *args, **kwargs)
        service.deployments = []
        _begin(self, service)
        return service

    return create


def _beginning_anew(update_service):
    def update(self, wanted):
        begins = any(wanted.get(name) for name in _BEGINS_ONE)
        # moto would only give the deployment that runs another id.
        wanted.pop("force_new_deployment", None)
        service = update_service(self, wanted)
        if begins:
            _begin(self, service)
        return service

    return update


def _begin(backend, service):
    for deployment in service.deployments:
        deployment["status"] = "ACTIVE"
    name = f"ecs-svc/{uuid.uuid4().int % 10**19:019}"
    deployment = {
        "id": name,
        "status": "PRIMARY",
        "taskDefinition": service.task_definition,
        "desiredCount": service.desired_count,
        "pendingCount": service.desired_count,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": utcnow(),
        "updatedAt": utcnow(),
        "launchType": service.launch_type,
        "networkConfiguration": service.network_configuration,
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {name} in progress.",
    }
    service.deployments.insert(0, deployment)
    service.began = time.monotonic()
    tasks = backend.tasks.setdefault(service.cluster_name, {})
    for _ in range(service.desired_count):
        task = _start(backend, service, name)
        tasks[task.task_arn] = task
    _count(service)


def _start(backend, service, deployment):
    # What RunTask of moto does, but for its sums of memory: it expects every container to name its own.
    return Task(
        cluster=backend.clusters[service.cluster_name],
        task_definition=backend.describe_task_definition(service.task_definition),
        container_instance_arn=None,
        resource_requirements=None,
        backend=backend,
        group=f"service:{service.name}",
        launch_type=service.launch_type,
        started_by=deployment,
        tags=service.tags if service.propagate_tags == "SERVICE" else [],
        networking_configuration=service.network_configuration,
    )


def _going_on(describe_services):
    def describe(self, *args, **kwargs):
        for service in self.services.values():
            if service.status == "ACTIVE" and service.deployments[0]["rolloutState"] == "IN_PROGRESS":
                _go_on(self, service)
        return describe_services(self, *args, **kwargs)

    return describe


def _go_on(backend, service):
    deployment, took = service.deployments[0], time.monotonic() - service.began
    if took >= _STARTING:
        deployment |= {"runningCount": deployment["desiredCount"], "pendingCount": 0}
        _register(backend, service, deployment)
    if took >= _IN_ALL:
        state = {"rolloutState": "COMPLETED", "rolloutStateReason": f"ECS deployment {deployment['id']} completed."}
        deployment |= state | {"updatedAt": utcnow()}
        for old in service.deployments[1:]:
            _stop(backend, service, old)
        service.deployments = [deployment]
        _tell(service, "has reached a steady state.")
    _count(service)


def _tasks(backend, service, deployment):
    tasks = backend.tasks.get(service.cluster_name, {}).values()
    return [task for task in tasks if task.started_by == deployment["id"] and task.desired_status == "RUNNING"]


def _targets(service, task):
    """Where each target group finds a task."""
    address = {detail["name"]: detail["value"] for detail in task.attachments[0]["details"]}["privateIPv4Address"]
    for balancer in service.load_balancers:
        yield balancer["targetGroupArn"], [{"Id": address, "Port": balancer["containerPort"]}]


def _register(backend, service, deployment):
    balancing = elbv2_backends[backend.account_id][backend.region_name]
    for task in _tasks(backend, service, deployment):
        for group, target in _targets(service, task):
            balancing.register_targets(group, target)


def _stop(backend, service, deployment):
    balancing = elbv2_backends[backend.account_id][backend.region_name]
    network = ec2_backends[backend.account_id][backend.region_name]
    for task in _tasks(backend, service, deployment):
        for group, target in _targets(service, task):
            balancing.deregister_targets(group, target)
        backend.stop_task(service.cluster_name, task.id, f"Scaling activity initiated by (deployment {deployment['id']})")
        details = {detail["name"]: detail["value"] for detail in task.attachments[0]["details"]}
        network.delete_network_interface(details["networkInterfaceId"])
        _tell(service, f"has stopped 1 running tasks: (task {task.id}).")


def _count(service):
    service.running_count = sum(it["runningCount"] for it in service.deployments)
    service.pending_count = sum(it["pendingCount"] for it in service.deployments)


def _tell(service, what):
    event = {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": f"(service {service.name}) {what}"}
    service.events.insert(0, event)


def _ending(delete_service):
    def delete(self, *args, **kwargs):
        service = delete_service(self, *args, **kwargs)
        for deployment in service.deployments:
            _stop(self, service, deployment)
        service.running_count = 0
        return service

    return delete
