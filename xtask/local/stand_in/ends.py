"""How a container ended.

Restored: one that was killed for its memory says so, and one that somebody removed has ended (ministack waits
for it for ever).
"""

from types import SimpleNamespace

import docker.errors
from ministack.services import ecs

_KILLED = 137


def install():
    ecs._maybe_mark_stopped = _seeing_every_end(ecs._maybe_mark_stopped)


def _seeing_every_end(maybe_mark_stopped):
    def look(task, client=None):
        client = client or ecs._get_docker()
        maybe_mark_stopped(task, client and SimpleNamespace(containers=_Containers(client, task)))

    return look


class _Containers:
    def __init__(self, client, task):
        self._client, self._task = client, task

    def get(self, identifier):
        try:
            container = self._client.containers.get(identifier)
        except docker.errors.NotFound:
            return SimpleNamespace(status="exited", reload=lambda: None, wait=lambda: {"StatusCode": _KILLED})
        if container.attrs.get("State", {}).get("OOMKilled"):
            index = self._task["_docker_ids"].index(identifier)
            reason = "OutOfMemoryError: Container killed due to memory usage"
            self._task["containers"][index]["reason"] = reason
        return _Container(self._client, container)


class _Container:
    """One that is removed between two looks; the engine may then say that it ended well."""

    def __init__(self, client, container):
        self._client, self._container = client, container

    def __getattr__(self, name):
        return getattr(self._container, name)

    def wait(self):
        ended = self._container.wait()
        try:
            self._client.containers.get(self._container.id)
        except docker.errors.NotFound:
            return {"StatusCode": _KILLED}
        return ended
