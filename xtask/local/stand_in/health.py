"""Health: what the load balancer thinks of its targets, and what a container says about itself.

Restored: a target is `initial` until it answered, `healthy` or `unhealthy` as real requests find it, with
AWS's reasons, and `unused` while no listener leads to its group (ministack calls everything healthy);
health checks of containers are run. Checks come every second until they agree, then as configured:
nobody here wants to wait for ten seconds twice.
"""

import http.client
import logging
import threading
import time

from ministack.core.responses import request_scope
from ministack.services import alb, ecs

from stand_in import events, rollout, tasks

_logger = logging.getLogger("stand_in.health")
_checks = {}
_WORDS = {
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.ResponseCodeMismatch": "Health checks failed with a status that does not match",
    "Target.Timeout": "Request timed out",
}


def install():
    alb._ACTION_MAP["DescribeTargetHealth"] = _describe
    ecs._attach_started_container = _watching(ecs._attach_started_container)
    threading.Thread(target=_watch_targets, name="stand-in-health", daemon=True).start()


def is_healthy(group, address):
    """Whether requests to a target have been answered well of late."""
    check = _checks.get((group, address))
    return check is not None and check.state == "healthy"


def _watch_targets():
    while True:
        wanted = {}
        for (account, region, arn), group in alb._tgs.all_items():
            with request_scope(account, region):
                for target in alb._targets.get(arn, []):
                    wanted[arn, target["Id"]] = ((account, region), group, target)
        for key, check in wanted.items():
            if key not in _checks:
                _checks[key] = _TargetCheck(*check)
                _checks[key].start()
        for key in _checks.keys() - wanted.keys():
            _checks.pop(key).gone.set()
        time.sleep(0.2)


class _TargetCheck(threading.Thread):
    """Asks one target until it is gone."""

    def __init__(self, scope, group, target):
        super().__init__(name=f"stand-in-health-{target['Id']}", daemon=True)
        self.gone = threading.Event()
        self.state, self.reason = "initial", "Elb.InitialHealthChecking"
        self._scope, self._group, self._target = scope, group, target
        self._streak, self._began = 0, time.monotonic()

    def run(self):
        pause = 0
        while not self.gone.wait(pause):
            settled = self._note(_ask(self._group, self._target))
            interval = self._group["HealthCheckIntervalSeconds"]
            pause = interval if settled else min(interval, 1)

    def _note(self, reason):
        """Counts an answer; a positive streak is of good ones, a negative of bad ones."""
        good = reason is None
        self._streak = max(self._streak, 0) + 1 if good else min(self._streak, 0) - 1
        needed = self._group["HealthyThresholdCount" if good else "UnhealthyThresholdCount"]
        if abs(self._streak) < needed:
            return False
        before, self.state, self.reason = self.state, "healthy" if good else "unhealthy", reason
        if self.state != before or not good:
            with request_scope(*self._scope):
                self._tell_services()
        return True

    def _tell_services(self):
        arn = self._group["TargetGroupArn"]
        for key in rollout.services_behind(arn):
            if self.state == "healthy":
                rollout.look_again(key)
            # While the grace lasts, bad answers do not count.
            elif time.monotonic() - self._began > ecs._services[key]["healthCheckGracePeriodSeconds"]:
                for task in list(ecs._tasks.values()):
                    if ecs._task_ip(task) == self._target["Id"] and task["lastStatus"] == "RUNNING":
                        port, why = self._target["Port"], f"(reason {_WORDS[self.reason]})"
                        events.tell_of(task, f"{{}} (port {port}) is unhealthy in (target-group {arn}) due to {why}.")
                        rollout.replace(task, f"Task failed ELB health checks in (target-group {arn})")


def _ask(group, target):
    """One request; the answer is what is wrong, or nothing."""
    place = tasks.place(target["Id"], target.get("Port", group["Port"]))
    if place is None:
        return "Target.FailedHealthChecks"
    connection = http.client.HTTPConnection(*place, timeout=group["HealthCheckTimeoutSeconds"])
    try:
        connection.request("GET", group["HealthCheckPath"], headers={"User-Agent": "ELB-HealthChecker/2.0"})
        status = connection.getresponse().status
    except TimeoutError:
        return "Target.Timeout"
    except (OSError, http.client.HTTPException):
        return "Target.FailedHealthChecks"
    finally:
        connection.close()
    return None if _matches(group["Matcher"]["HttpCode"], status) else "Target.ResponseCodeMismatch"


def _matches(matcher, status):
    ranges = [part.partition("-") for part in matcher.split(",")]
    return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


def _describe(params):
    arn = alb._p(params, "TargetGroupArn")
    if arn not in alb._tgs:
        return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")
    port = alb._tgs[arn]["Port"]
    registered = {target["Id"]: target.get("Port", port) for target in alb._targets.get(arn, [])}
    asked = {target["Id"]: target.get("Port", port) for target in alb._parse_targets_param(params)} or registered
    members = "".join(_member(arn, target, port, target in registered) for target, port in asked.items())
    body = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
    return alb._xml(200, "DescribeTargetHealth", body)


def _member(group, target, port, registered):
    check = _checks.get((group, target))
    if not registered:
        state, reason = "unused", "Target.NotRegistered"
    elif not _is_used(group):
        state, reason = "unused", "Target.NotInUse"
    elif check is None:
        state, reason = "initial", "Elb.RegistrationInProgress"
    else:
        state, reason = check.state, check.reason
    reason = f"<Reason>{reason}</Reason>" if reason else ""
    return (
        f"<member><Target><Id>{target}</Id><Port>{port}</Port></Target><HealthCheckPort>{port}</HealthCheckPort>"
        f"<TargetHealth><State>{state}</State>{reason}</TargetHealth></member>"
    )


def _is_used(group):
    actions = [action for listener in alb._listeners.values() for action in listener["DefaultActions"]]
    actions += [action for rule in alb._rules.values() for action in rule["Actions"]]
    return any(action.get("TargetGroupArn") == group for action in actions)


def _watching(attach_started_container):
    def attach(task, container, index, *args):
        attached = attach_started_container(task, container, index, *args)
        where = task["taskDefinitionArn"].rpartition("/")[2]
        check = ecs._task_defs[where]["containerDefinitions"][index].get("healthCheck") if attached else None
        if check:
            task["_has_health_check"] = True
            arguments = (rollout.scope(), task, container, index, check)
            threading.Thread(target=_watch_container, args=arguments, name="stand-in-health", daemon=True).start()
        return attached

    return attach


def _watch_container(scope, task, container, index, check):
    command = check["command"][1:] if check["command"][0] == "CMD" else ["/bin/sh", "-c", *check["command"][1:]]
    began, failures = time.monotonic(), 0
    with request_scope(*scope):
        while task["lastStatus"] != "STOPPED":
            try:
                well = container.exec_run(command).exit_code == 0
            except Exception as error:
                _logger.debug("the container cannot be asked: %s", error)
                well = False
            if not well and not _still_runs(container):
                # That is another story, and told elsewhere.
                return
            starting = time.monotonic() - began < check.get("startPeriod", 0)
            failures = 0 if well else failures + (not starting)
            if well or failures >= check.get("retries", 3):
                status = "HEALTHY" if well else "UNHEALTHY"
                changed = task["healthStatus"] != status
                task["healthStatus"] = task["containers"][index]["healthStatus"] = status
                if changed:
                    _tell_service(task)
            time.sleep(check.get("interval", 30) if task["healthStatus"] == "HEALTHY" else 1)


def _still_runs(container):
    # What makes it fail its check may be its end, which takes a moment to be seen.
    time.sleep(1)
    try:
        container.reload()
        return container.status == "running"
    except Exception:
        return False


def _tell_service(task):
    if task["healthStatus"] == "UNHEALTHY":
        rollout.replace(task, "Task failed container health checks")
    elif task["group"].startswith("service:"):
        cluster = ecs._cluster_name_from_arn(task["clusterArn"])
        rollout.look_again(f"{cluster}/{task['group'].removeprefix('service:')}")
