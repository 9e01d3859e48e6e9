"""A new service keeps all of its settings.

moto: forgets the circuit breaker, the percentages, the grace for health checks and ECS Exec of a service that is
created; of one that is updated it keeps them.
AWS: tells them as they were given (row 29).
Needed: the plan after the first deploy would want to change the service.
"""

from moto.core.utils import camelcase_to_underscores
from moto.ecs.responses import EC2ContainerServiceResponse

_FORGOTTEN = (
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
)


def install():
    EC2ContainerServiceResponse.create_service = _keeping(EC2ContainerServiceResponse.create_service)


def _keeping(create_service):
    def create(self):
        answer = create_service(self)
        for name in _FORGOTTEN:
            setattr(answer.result["service"], camelcase_to_underscores(name), self._get_param(name))
        return answer

    return create
