"""A task's output in CloudWatch Logs.

Restored: a quiet task is not forgotten (ministack stops reading a container's output when there was none
for as long as one call to the engine may take), a line is one event however it was written, and a container
stays until its last words are read.
"""

import logging
import threading

from ministack.core.responses import request_scope
from ministack.services import ecs

from stand_in import settings

_logger = logging.getLogger("stand_in.logs")
_LONGEST = 10
_read = {}


def install():
    ecs._forward_awslogs = _forward
    ecs._start_awslogs_forwarder = _noting(ecs._start_awslogs_forwarder)
    ecs._remove_docker_container = _remove


def _noting(start):
    def noted(container, definition, task):
        if ecs._awslogs_config(definition, task, container.id) is not None:
            _read[container.id] = threading.Event()
        start(container, definition, task)

    return noted


def _remove(client, container):
    try:
        container = client.containers.get(container) if isinstance(container, str) else container
        container.stop(timeout=5)
        if container.id in _read:
            _read.pop(container.id).wait(_LONGEST)
        container.remove(v=True, force=True)
    except Exception as error:
        _logger.debug("a container is gone already: %s", error)


def _forward(container, config, account, region):
    with request_scope(account, region):
        if not ecs._ensure_awslogs_stream(config):
            return
        read = _read.get(container.id, threading.Event())
        try:
            for line in _lines(_output(container)):
                ecs._emit_awslogs_event(config, line.decode("utf-8", errors="replace"))
        except Exception as error:
            _logger.warning("the output of %s is not read any more: %s", container.name, error)
        finally:
            read.set()


def _output(container):
    if settings.ENGINE != "process":
        import docker

        # A connection of its own, which may wait for output as long as the task lives.
        container = docker.from_env(timeout=None).containers.get(container.id)
    return container.logs(stream=True, follow=True)


def _lines(chunks):
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line)
    if rest:
        yield rest
