"""Service-linked roles have the names that AWS gives them, and exist once.

moto: makes `AWSServiceRoleForecs` of `ecs.amazonaws.com`, and calls a second one EntityAlreadyExists.
AWS: `AWSServiceRoleForECS`; a second one is InvalidInput, "has been taken in this account" (row 27; 1.5).
Needed: the roles are looked up by their names, and stay when everything else is destroyed.
"""

from moto.iam.exceptions import EntityAlreadyExists, InvalidInput
from moto.iam.models import IAMBackend

_NAMES = {
    "AWSServiceRoleForecs": "AWSServiceRoleForECS",
    "AWSServiceRoleForelasticloadbalancing": "AWSServiceRoleForElasticLoadBalancing",
    "AWSServiceRoleForApplicationAutoScaling_Ecs": "AWSServiceRoleForApplicationAutoScaling_ECSService",
}


def install():
    IAMBackend.create_role = _as_on_aws(IAMBackend.create_role)


def _as_on_aws(create_role):
    def create(self, role_name, *args, **kwargs):
        name = _NAMES.get(role_name, role_name)
        try:
            return create_role(self, name, *args, **kwargs)
        except EntityAlreadyExists:
            if not kwargs.get("linked_service"):
                raise
            message = f"Service role name {name} has been taken in this account, please try a different suffix."
            raise InvalidInput(message) from None

    return create
