"""The ports on this machine where people and programs find the service.

The listeners of the load balancer are open where they exist, each with its protocol and certificate. Beside
them, two ports lead straight to the tasks of a target group, past every rule.
"""

import asyncio
import contextlib
import logging
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.core.responses import request_scope
from ministack.services import alb

from stand_in import balancing, certificates, load_balancer, settings, tasks

_logger = logging.getLogger("stand_in.front")
_INTERVAL = 0.2
_NOBODY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_open = {}


def start():
    """Opens the ports that are always open, or fails; then serves on a thread of its own."""
    loop = asyncio.new_event_loop()
    for here, behind in settings.FRONT:
        loop.run_until_complete(asyncio.start_server(_straight_to(behind), "127.0.0.1", here))
    loop.create_task(_follow_listeners())
    threading.Thread(target=loop.run_forever, name="stand-in-front", daemon=True).start()


def addresses():
    """Where each listener that is open is found, the one for HTTPS first."""
    found = sorted((door.protocol.lower(), door.port) for door in _open.values() if door)
    return [f"{protocol}://127.0.0.1:{settings.LISTENERS[port]}/" for protocol, port in reversed(found)]


async def _follow_listeners():
    while True:
        found = [it for it in load_balancer.listeners() if it[1]["Port"] in settings.LISTENERS]
        wanted = {_Door.key(*it): it for it in found}
        for key in _open.keys() - wanted.keys():
            if door := _open.pop(key):
                await door.close()
        for key in wanted.keys() - _open.keys():
            _open[key] = _opened(*wanted[key])
        for key, door in _open.items():
            if door:
                door.follow(*wanted[key])
        await asyncio.sleep(_INTERVAL)


def _opened(scope, listener):
    try:
        return _Door(scope, listener)
    except Exception:
        _logger.exception("the listener on port %s is not open on this machine", listener["Port"])
        return None


class _Door:
    """A listener that is open on this machine."""

    @staticmethod
    def key(_scope, listener):
        """What makes it another one when it changes."""
        return listener["Port"], listener["Protocol"], *listener.get("Certificates", [])

    def __init__(self, scope, listener):
        self.port, self.protocol = listener["Port"], listener["Protocol"]
        config = self._config = _Config()
        if self.protocol == "HTTPS":
            with request_scope(*scope):
                config.tls = certificates.context(listener["Certificates"][0])
        config.bind = [f"127.0.0.1:{settings.LISTENERS[self.port]}"]
        self._closed = asyncio.Event()
        application = load_balancer.application(self.port)
        self._serving = asyncio.ensure_future(serve(application, config, shutdown_trigger=self._closed.wait))
        self._serving.add_done_callback(self._ended)

    def _ended(self, serving):
        if not self._closed.is_set():
            _logger.error("the listener on port %s is not served on this machine: %s", self.port, serving.exception())

    def follow(self, scope, listener):
        """Takes over what may change while it is open."""
        with request_scope(*scope):
            self._config.keep_alive_timeout = load_balancer.idle_seconds(listener["LoadBalancerArn"])

    async def close(self):
        self._closed.set()
        with contextlib.suppress(Exception):
            await self._serving


class _Config(Config):
    """A server that adds nothing of its own, with TLS from memory."""

    def __init__(self):
        super().__init__()
        self.tls = None
        self.include_server_header = self.include_date_header = False
        self.h11_max_incomplete_size = 64 * 1024
        self.graceful_timeout = 1
        self.errorlog = logging.getLogger("stand_in.front")

    @property
    def ssl_enabled(self):
        return self.tls is not None

    def create_ssl_context(self):
        return self.tls


def _straight_to(port):
    async def connect(reader, writer):
        there = _task(port)
        try:
            if there is None:
                writer.write(_NOBODY)
                return
            task_reader, task_writer = await asyncio.open_connection(*there)
            await asyncio.gather(_copy(reader, task_writer), _copy(task_reader, writer))
        except OSError:
            # Either side may leave at any time.
            pass
        finally:
            writer.close()

    return connect


async def _copy(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


def _task(port):
    for (account, region, arn), group in alb._tgs.all_items():
        if group["Port"] == port:
            with request_scope(account, region):
                target = balancing.choose(arn)
            if target:
                return tasks.place(*target)
    return None
