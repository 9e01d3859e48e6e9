"""Tasks: the container that a task definition describes, as Fargate would run it.

Restored: user, read-only root, temporary file systems, shared and scratch volumes, entry point, working
directory, memory and processor limits (ministack passes on only image, command and environment); the
environment that Fargate gives, and not ministack's own; a missing log group stops the task before it
starts; every task has an address in its subnet, where its ports are open to the load balancer; and a task
that ran when the stand-in was stopped is not listed as running for ever.
"""

import ipaddress
import itertools
import logging
import os

from ministack import app
from ministack.core.arn import parse_arn
from ministack.core.responses import get_region
from ministack.services import cloudwatch_logs, ec2, ecs

from stand_in import disks
from stand_in.registry import Image

_logger = logging.getLogger("stand_in.tasks")

_open_ports = {}
"""Where on this machine the port of a task's address is."""


def install():
    ecs._build_run_kwargs = _as_described(ecs._build_run_kwargs)
    ecs._run_docker_container = _without_limits_where_forbidden(ecs._run_docker_container)
    ecs._container_ip = _address_of
    ecs._restore_state = _ending_what_ran(ecs._restore_state)
    _start_again_when_all_is_there()


def place(address, port):
    """The host and port where a target is found on this machine, if something is there."""
    if ipaddress.ip_address(address).is_loopback:
        # A target need not be a task: anybody may register an address.
        return address, int(port)
    here = _open_ports.get((address, int(port)))
    return here and ("127.0.0.1", here)


def places_of(container):
    """Where the ports of a container are found on this machine."""
    bindings = (container.attrs["NetworkSettings"]["Ports"] or {}).values()
    return [("127.0.0.1", int(binding["HostPort"])) for some in bindings for binding in some or []]


def _as_described(build_run_kwargs):
    def build(container, task, environment, *args):
        _check_log(container)
        run = build_run_kwargs(container, task, environment, *args)
        run["environment"] = _environment(environment)
        run["user"] = container.get("user")
        run["read_only"] = bool(container.get("readonlyRootFilesystem"))
        run["entrypoint"] = container.get("entryPoint")
        run["working_dir"] = container.get("workingDirectory")
        # The engine chooses a port on this machine: two tasks of a rolling deployment run at once.
        mappings = container.get("portMappings", [])
        run["ports"] = {f"{mapping['containerPort']}/tcp": ("127.0.0.1", None) for mapping in mappings}
        run["volumes"], run["tmpfs"] = _mounts(container, task)
        if task.get("memory"):
            run["mem_limit"] = f"{task['memory']}m"
        if task.get("cpu"):
            run["nano_cpus"] = min(int(task["cpu"]) * 1_000_000_000 // 1024, (os.cpu_count() or 1) * 1_000_000_000)
        return run

    return build


def _ending_what_ran(restore_state):
    def restore(state):
        restore_state(state)
        for _key, task in ecs._tasks.all_items():
            # ministack says that they are stopped, but still lists them as wanted.
            if task["desiredStatus"] != "STOPPED":
                task |= {"desiredStatus": "STOPPED", "stopCode": "TerminationNotice", "stoppedAt": ecs._iso()}
                task["stoppedReason"] = "The stand-in was stopped"

    return restore


def _start_again_when_all_is_there():
    # ministack starts the tasks of its services again as soon as it knows the services, side by side with reading what
    # those tasks need: log groups, secrets, target groups.
    start_again, load = ecs._start_restored_service_reconciler, app._load_persisted_state
    wanted = []
    ecs._start_restored_service_reconciler = lambda: wanted.append(True)

    def load_all():
        load()
        if wanted:
            start_again()

    app._load_persisted_state = load_all


def _check_log(container):
    log = container.get("logConfiguration") or {}
    group = (log.get("options") or {}).get("awslogs-group")
    if log.get("logDriver") == "awslogs" and group not in cloudwatch_logs._log_groups:
        raise RuntimeError(
            "ResourceInitializationError: failed to validate logger args: "
            f"The specified log group does not exist: {group}"
        )


# ministack points every container at itself. A task of ours has no business there, and finds out on AWS.
_NOT_ON_FARGATE = {"AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}


def _environment(environment):
    given = {name: value for name, value in environment.items() if name not in _NOT_ON_FARGATE}
    region = get_region()
    return {"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE", "AWS_REGION": region, "AWS_DEFAULT_REGION": region} | given


def _mounts(container, task):
    volumes = {volume["name"]: volume for volume in task.get("volumes", [])}
    shared, temporary = [], {}
    for mount in container.get("mountPoints", []):
        volume, path = volumes[mount["sourceVolume"]], mount["containerPath"]
        if "efsVolumeConfiguration" in volume:
            mode = "ro" if mount.get("readOnly") else "rw"
            shared.append(f"{disks.mounted(volume['efsVolumeConfiguration'])}:{path}:{mode}")
        else:
            temporary[path] = f"mode={_scratch_mode(container['image'], path):o}"
    for mount in (container.get("linuxParameters") or {}).get("tmpfs", []):
        options = [f"size={mount['size']}m", *mount.get("mountOptions", [])]
        temporary[mount["containerPath"]] = ",".join(options)
    return shared, temporary


def _scratch_mode(image, path):
    # A volume that goes with the task is root's and closed to others, unless the image declares a volume
    # in this place: then it has the permissions of the image's folder.
    try:
        image = Image(image)
    except LookupError:
        message = f"pull image manifest has been retried 1 time(s): failed to resolve ref {image}: not found"
        raise ecs._ImagePullError(message) from None
    declared = path in (image.config["config"].get("Volumes") or {})
    return (image.mode(path) if declared else None) or 0o755


def _without_limits_where_forbidden(run_docker_container):
    def run(client, container, kwargs, **options):
        try:
            return run_docker_container(client, container, kwargs, **options)
        except Exception as error:
            # An engine of an ordinary user may set limits only where the system lets it.
            if "cgroup" not in str(error) and "NanoCPUs" not in str(error):
                raise
            _logger.warning("the engine cannot limit memory and processor, so the task runs without: %s", error)
            kwargs = {name: value for name, value in kwargs.items() if name not in ("mem_limit", "nano_cpus")}
            return run_docker_container(client, container, kwargs, **options)

    return run


_numbers = itertools.count(10)


def _address_of(container, _network):
    """Gives the task an address of its subnet, and remembers where its ports are on this machine."""
    container.reload()
    arn = container.labels["com.amazonaws.ecs.task-arn"]
    where = parse_arn(arn)
    task = ecs._tasks.get_scoped(where.account_id, where.region, arn) or {}
    subnet = ec2._subnets.get_scoped(where.account_id, where.region, task.get("_subnet"))
    network = ipaddress.ip_network((subnet or {}).get("CidrBlock", "10.255.0.0/16"))
    address = str(network[next(_numbers) % (network.num_addresses - 2) + 1])
    for port, bindings in (container.attrs["NetworkSettings"]["Ports"] or {}).items():
        for binding in bindings or []:
            _open_ports[address, int(port.partition("/")[0])] = int(binding["HostPort"])
    return address
