"""Which target of a group gets the next request, and when one that gets no more has answered its last."""

import collections
import contextlib
import itertools
import time

from ministack.services import alb

from stand_in import health

_turns = itertools.count()
_in_use = collections.Counter()


def choose(group):
    """A target of a group, each in its turn; only the healthy ones, unless none is: then the group fails open."""
    targets = alb._targets.get(group, [])
    chosen = [target for target in targets if health.is_healthy(group, target["Id"])] or targets
    if not chosen:
        return None
    target = chosen[next(_turns) % len(chosen)]
    return target["Id"], target.get("Port", alb._tgs[group]["Port"])


@contextlib.contextmanager
def using(place):
    """While a request is with a target; only the thread of the front counts."""
    _in_use[place] += 1
    try:
        yield
    finally:
        _in_use[place] -= 1


def drain(places, seconds):
    """Waits until nobody is served in these places any more, but not for ever."""
    deadline = time.monotonic() + seconds
    while True:
        # Also before the first look: a request may just be on its way.
        time.sleep(0.05)
        if not any(_in_use[place] for place in places) or time.monotonic() > deadline:
            return
