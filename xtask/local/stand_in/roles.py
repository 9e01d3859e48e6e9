"""Service-linked roles.

Restored: their real names, by which they are looked up (ministack makes `AWSServiceRoleForEcs` of everything
that begins with `ecs.`), and what AWS says to a second one.
"""

from ministack.services import iam

_NAMES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
}


def install():
    iam._IAM_HANDLERS["CreateServiceLinkedRole"] = _create(iam._create_service_linked_role)


def _create(create_service_linked_role):
    def create(params):
        name = _NAMES[iam._p(params, "AWSServiceName")]
        if name in iam._roles:
            message = f"Service role name {name} has been taken in this account, please try a different suffix."
            return iam._error(400, "InvalidInput", message, ns="iam")
        before = set(iam._roles.keys())
        create_service_linked_role(params)
        (made,) = set(iam._roles.keys()) - before
        role = iam._roles.pop(made)
        iam._roles[name] = role | {"RoleName": name, "Arn": role["Arn"].replace(made, name)}
        result = f"<CreateServiceLinkedRoleResult><Role>{iam._role_xml(name)}</Role></CreateServiceLinkedRoleResult>"
        return iam._xml(200, "CreateServiceLinkedRoleResponse", result, ns="iam")

    return create
