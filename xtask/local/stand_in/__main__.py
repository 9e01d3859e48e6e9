"""Starts ministack with everything that it lacks put in place."""

import ministack.app

from stand_in import (
    certificates,
    control,
    disks,
    front,
    health,
    listeners,
    logs,
    processes,
    registry,
    roles,
    rollout,
    scaling,
    settings,
    tasks,
)


def main():
    scaling.install()
    roles.install()
    registry.install()
    certificates.install()
    listeners.install()
    disks.install()
    tasks.install()
    logs.install()
    rollout.install()
    health.install()
    processes.end_left_overs()
    if settings.ENGINE == "process":
        processes.install()
    control.install()
    front.start()
    ministack.app.main()


main()
