"""Commands in tasks (ECS Exec).

Restored: a task that began without exec is closed, as on AWS. One that began with it tells of the agent that would run
commands, and that it has stopped: nobody here speaks Session Manager's protocol, so the reason says what to run
instead. ministack would open a session whose other end is AWS itself.
"""

import os

from ministack.core.responses import error_response_json
from ministack.services import ecs

from stand_in import settings

_CLOSED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
)


def install():
    ecs._attach_started_container = _with_an_agent(ecs._attach_started_container)
    ecs._ACTION_MAP["ExecuteCommand"] = _refusing(ecs._ACTION_MAP["ExecuteCommand"])


def _with_an_agent(attach_started_container):
    def attach(task, container, index, *args):
        attached = attach_started_container(task, container, index, *args)
        if attached and task.get("enableExecuteCommand"):
            agent = {"name": "ExecuteCommandAgent", "lastStatus": "STOPPED", "reason": _instead(container)}
            task["containers"][index]["managedAgents"] = [agent]
        return attached

    return attach


def _refusing(execute_command):
    def execute(data):
        answer = execute_command(data)
        status, *_ = answer
        if status != 200:
            return answer
        task = ecs._resolve_task(data["task"], ecs._resolve_cluster_name(data.get("cluster", "default")))
        agents = [agent for container in task["containers"] for agent in container.get("managedAgents", [])]
        message = agents[0]["reason"] if agents else _CLOSED
        return error_response_json("InvalidParameterException", message, 400)

    return execute


def _instead(container):
    """What a person can run on this machine."""
    if settings.ENGINE == "process":
        (page, _), *_ = settings.FRONT
        command = f"curl http://127.0.0.1:{page}/health/ready"
    else:
        engine = "docker" if settings.ENGINE == "docker" else f"podman --url {os.environ['DOCKER_HOST']}"
        command = f"{engine} exec {container.id[:12]} /app/app health"
    return f"the stand-in for AWS runs no agent in tasks, so run here: {command}"
