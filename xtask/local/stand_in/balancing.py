"""Which target of a group gets the next request."""

import itertools

from ministack.services import alb

from stand_in import health

_turns = itertools.count()


def choose(group):
    """A target of a group, each in its turn; only the healthy ones, unless none is: then the group fails open."""
    targets = alb._targets.get(group, [])
    chosen = [target for target in targets if health.is_healthy(group, target["Id"])] or targets
    if not chosen:
        return None
    target = chosen[next(_turns) % len(chosen)]
    return target["Id"], target.get("Port", alb._tgs[group]["Port"])
