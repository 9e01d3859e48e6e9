"""The ports on this machine where people and programs find the service.

A connection goes to a healthy task behind the target group of that port, as the load balancer would send
it, so a redeploy changes tasks without the ports ever being closed. It is passed on byte by byte.
"""

import asyncio
import random
import threading

from ministack.services import alb

from stand_in import health, settings, tasks

_NOBODY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def start():
    """Opens the ports, or fails; then serves them on a thread of its own."""
    loop = asyncio.new_event_loop()
    for here, behind in settings.FRONT:
        loop.run_until_complete(asyncio.start_server(_serve(behind), "127.0.0.1", here))
    threading.Thread(target=loop.run_forever, name="stand-in-front", daemon=True).start()


def _serve(port):
    async def serve(reader, writer):
        there = _task_port(port)
        try:
            if there is None:
                writer.write(_NOBODY)
                return
            task_reader, task_writer = await asyncio.open_connection("127.0.0.1", there)
            await asyncio.gather(_copy(reader, task_writer), _copy(task_reader, writer))
        except OSError:
            # Either side may leave at any time.
            pass
        finally:
            writer.close()

    return serve


async def _copy(reader, writer):
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


def _task_port(port):
    targets = [
        (arn, target["Id"])
        for (_account, _region, arn), group in alb._tgs.all_items()
        if group["Port"] == port
        for targets in [_targets_of(arn)]
        for target in targets
    ]
    # A group without a healthy target fails open: better a guess than no answer.
    chosen = [target for target in targets if health.is_healthy(*target)] or targets
    ports = [there for _, address in chosen if (there := tasks.open_port(address, port))]
    return random.choice(ports) if ports else None


def _targets_of(group):
    return [target for key, targets in alb._targets._data.items() if key[-1] == group for target in targets]
