"""Listeners and their rules.

Restored: a priority and a listener's port are given once; listeners go with their load balancer; and its name
is the address on this machine that reaches it. What this load balancer could not carry out is refused when it
is asked for, and not passed over in silence.
"""

from ministack.services import alb

from stand_in import matching, settings

_ACTIONS = {"forward", "redirect", "fixed-response"}


def install():
    for name in ("CreateListener", "ModifyListener", "CreateRule", "ModifyRule"):
        alb._ACTION_MAP[name] = _checked(alb._ACTION_MAP[name])
    alb._ACTION_MAP["CreateListener"] = _on_a_free_port(alb._ACTION_MAP["CreateListener"])
    alb._ACTION_MAP["CreateRule"] = _of_a_free_priority(alb._ACTION_MAP["CreateRule"])
    alb._ACTION_MAP["DeleteLoadBalancer"] = _with_its_listeners(alb._ACTION_MAP["DeleteLoadBalancer"])
    alb._lb_xml = _at_this_machine(alb._lb_xml)


def _checked(handle):
    def checked(params):
        unable = _beyond_us(params)
        if unable:
            return alb._error("OperationNotPermitted", f"The stand-in's load balancer has no {unable}")
        return handle(params)

    return checked


def _beyond_us(params):
    actions = alb._parse_actions(params, "DefaultActions") + alb._parse_actions(params, "Actions")
    unknown = [f"action {action['Type']}" for action in actions if action["Type"] not in _ACTIONS]
    unknown += ["forwarding by weight" for action in actions if action["Type"] == "forward" and not action.get("TargetGroupArn")]
    fields = [condition["Field"] for condition in alb._parse_conditions(params)]
    unknown += [f"condition {field}" for field in fields if field not in matching.FIELDS]
    unknown += ["regular expressions" for name in params if ".RegexValues." in name]
    unknown += ["transforms" for name in params if name.startswith("Transforms.")]
    return unknown[0] if unknown else None


def _on_a_free_port(create):
    def create_listener(params):
        of, port = alb._p(params, "LoadBalancerArn"), alb._p(params, "Port")
        if any(it["LoadBalancerArn"] == of and str(it["Port"]) == port for it in alb._listeners.values()):
            return alb._error("DuplicateListener", f"A listener already exists on this port for this load balancer '{of}'")
        return create(params)

    return create_listener


def _of_a_free_priority(create):
    def create_rule(params):
        of, priority = alb._p(params, "ListenerArn"), alb._p(params, "Priority")
        if any(it["ListenerArn"] == of and it["Priority"] == priority for it in alb._rules.values()):
            return alb._error("PriorityInUse", f"Priority '{priority}' is currently in use")
        return create(params)

    return create_rule


def _with_its_listeners(delete):
    def delete_load_balancer(params):
        for listener in list(alb._listeners.values()):
            if listener["LoadBalancerArn"] == alb._p(params, "LoadBalancerArn"):
                alb._delete_listener({"ListenerArn": listener["ListenerArn"]})
        return delete(params)

    return delete_load_balancer


def _at_this_machine(lb_xml):
    def describe(load_balancer):
        ports = [it["Port"] for it in alb._listeners.values() if it["LoadBalancerArn"] == load_balancer["LoadBalancerArn"]]
        # Before it has listeners, it is called as it will be with the one for HTTPS.
        port = 80 if ports == [80] else 443
        return lb_xml(load_balancer | {"DNSName": f"127.0.0.1:{settings.LISTENERS[port]}"})

    return describe
