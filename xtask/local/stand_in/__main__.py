"""Starts ministack with everything that it lacks put in place."""

import ministack.app

from stand_in import (
    breaker,
    certificates,
    control,
    disks,
    ends,
    events,
    front,
    health,
    listeners,
    logs,
    monitoring,
    processes,
    providers,
    registry,
    roles,
    rollout,
    scaling,
    sessions,
    settings,
    tasks,
    topics,
)


def main():
    scaling.install()
    roles.install()
    providers.install()
    monitoring.install()
    topics.install()
    registry.install()
    certificates.install()
    listeners.install()
    disks.install()
    tasks.install()
    sessions.install()
    ends.install()
    logs.install()
    events.install()
    breaker.install()
    rollout.install()
    health.install()
    processes.end_left_overs()
    if settings.ENGINE == "process":
        processes.install()
    control.install()
    front.start()
    ministack.app.main()


main()
