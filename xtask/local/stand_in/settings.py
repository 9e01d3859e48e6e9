"""What `cargo xtask` tells the stand-in, in environment variables."""

import os
from pathlib import Path

IDENTITY = os.environ["STAND_IN_IDENTITY"]
"""Names this stand-in, so that a later run knows it again."""

ENGINE = os.environ["STAND_IN_ENGINE"]
"""What runs tasks: docker, podman, or process for no containers at all."""

FOLDER = Path(os.environ["STAND_IN_FOLDER"])
"""Everything the stand-in writes lies here."""

GATEWAY = int(os.environ["GATEWAY_PORT"])
"""The port of every AWS service and of the image registry."""



def _pairs(name):
    return [tuple(map(int, pair.split(":"))) for pair in os.environ[name].split(",")]


FRONT = _pairs("STAND_IN_FRONT")
"""Pairs of a port on this machine and the port of the service behind it."""

LISTENERS = {port: here for here, port in _pairs("STAND_IN_LISTENERS")}
"""The port on this machine of each port that the load balancer may listen on."""
