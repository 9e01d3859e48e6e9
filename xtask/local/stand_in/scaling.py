"""Application Auto Scaling, which ministack does not have: it answers "Unsupported service".

Restored: targets and policies are kept and listed; a target needs its service; a target whose minimum
is above the service's desired count raises that at once. Nothing is measured here, so nothing scales.
"""

import json
import sys
import time

import ministack.app
from ministack.core.responses import (
    AccountRegionScopedDict,
    error_response_json,
    get_account_id,
    get_region,
    json_response,
    new_uuid,
)
from ministack.services import ecs

_targets = AccountRegionScopedDict()
_policies = AccountRegionScopedDict()
_tags = AccountRegionScopedDict()


def install():
    name = "application_autoscaling"
    # ministack finds a service as a module of its own package, and saves every service it finds.
    sys.modules[f"ministack.services.{name}"] = sys.modules[__name__]
    ministack.app.SERVICE_HANDLERS["application-autoscaling"] = ministack.app._lazy_handler(name)
    ministack.app._state_map[name] = name


def get_state():
    return {"targets": _targets, "policies": _policies, "tags": _tags}


def load_persisted_state(state):
    _targets.update(state["targets"])
    _policies.update(state["policies"])
    _tags.update(state["tags"])


async def handle_request(_method, _path, headers, body, _query):
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    handler = _ACTIONS.get(action)
    if handler is None:
        return error_response_json("UnknownOperationException", f"{action} is not part of the stand-in", 400)
    return handler(json.loads(body or b"{}"))


def _target_key(data):
    return "|".join((data["ServiceNamespace"], data["ScalableDimension"], data["ResourceId"]))


def _missing(what, data):
    message = f"No {what} found for service namespace: {data['ServiceNamespace']}, resource ID: {data['ResourceId']}"
    return error_response_json("ObjectNotFoundException", message, 400)


def _register_target(data):
    service = ecs._services.get(data["ResourceId"].removeprefix("service/"))
    if data["ServiceNamespace"] == "ecs" and (service is None or service["status"] != "ACTIVE"):
        message = f"ECS service doesn't exist: {data['ResourceId']}"
        return error_response_json("ValidationException", message, 400)
    target = _targets.get(_target_key(data))
    if target is None:
        arn = f"arn:aws:application-autoscaling:{get_region()}:{get_account_id()}:scalable-target/{new_uuid()}"
        target = {"CreationTime": time.time(), "ScalableTargetARN": arn, "RoleARN": data.get("RoleARN") or _role()}
        target["SuspendedState"] = {f"{kind}Suspended": False for kind in _SCALING_KINDS}
    target |= {key: value for key, value in data.items() if key != "Tags"}
    _targets[_target_key(data)] = target
    if data.get("Tags"):
        _tags[target["ScalableTargetARN"]] = data["Tags"]
    if service is not None and service["desiredCount"] < target["MinCapacity"]:
        cluster, name = data["ResourceId"].split("/")[1:]
        ecs._update_service({"cluster": cluster, "service": name, "desiredCount": target["MinCapacity"]})
    return json_response({"ScalableTargetARN": target["ScalableTargetARN"]})


_SCALING_KINDS = ("DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling")


def _role():
    name = "AWSServiceRoleForApplicationAutoScaling_ECSService"
    path = "aws-service-role/ecs.application-autoscaling.amazonaws.com"
    return f"arn:aws:iam::{get_account_id()}:role/{path}/{name}"


def _describe_targets(data):
    found = [
        target
        for target in _targets.values()
        if target["ServiceNamespace"] == data["ServiceNamespace"]
        and target["ResourceId"] in (data.get("ResourceIds") or [target["ResourceId"]])
        and target["ScalableDimension"] == data.get("ScalableDimension", target["ScalableDimension"])
    ]
    return json_response({"ScalableTargets": found})


def _deregister_target(data):
    target = _targets.pop(_target_key(data), None)
    if target is None:
        return _missing("scalable target", data)
    _tags.pop(target["ScalableTargetARN"], None)
    # Policies go with their target.
    for key, policy in list(_policies.items()):
        if _target_key(policy) == _target_key(data):
            _policies.pop(key)
    return json_response({})


def _policy_key(data):
    return "|".join((_target_key(data), data["PolicyName"]))


def _put_policy(data):
    if _target_key(data) not in _targets:
        return _missing("scalable target", data)
    policy = _policies.get(_policy_key(data))
    if policy is None:
        resource = f"{data['ServiceNamespace']}/{data['ResourceId']}:policyName/{data['PolicyName']}"
        arn = f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{new_uuid()}:resource/{resource}"
        policy = {"CreationTime": time.time(), "PolicyARN": arn, "Alarms": []}
    _policies[_policy_key(data)] = policy | data
    return json_response({"PolicyARN": policy["PolicyARN"], "Alarms": []})


def _describe_policies(data):
    found = [
        policy
        for policy in _policies.values()
        if policy["ServiceNamespace"] == data["ServiceNamespace"]
        and policy["ResourceId"] == data.get("ResourceId", policy["ResourceId"])
        and policy["PolicyName"] in (data.get("PolicyNames") or [policy["PolicyName"]])
    ]
    return json_response({"ScalingPolicies": found})


def _delete_policy(data):
    if _policies.pop(_policy_key(data), None) is None:
        return _missing("scaling policy", data)
    return json_response({})


def _list_tags(data):
    return json_response({"Tags": _tags.get(data["ResourceARN"], {})})


def _tag(data):
    _tags[data["ResourceARN"]] = _tags.get(data["ResourceARN"], {}) | data["Tags"]
    return json_response({})


def _untag(data):
    kept = {key: value for key, value in _tags.get(data["ResourceARN"], {}).items() if key not in data["TagKeys"]}
    _tags[data["ResourceARN"]] = kept
    return json_response({})


_ACTIONS = {
    "RegisterScalableTarget": _register_target,
    "DescribeScalableTargets": _describe_targets,
    "DeregisterScalableTarget": _deregister_target,
    "PutScalingPolicy": _put_policy,
    "DescribeScalingPolicies": _describe_policies,
    "DeleteScalingPolicy": _delete_policy,
    "ListTagsForResource": _list_tags,
    "TagResource": _tag,
    "UntagResource": _untag,
}
