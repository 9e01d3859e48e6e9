"""A listener for plain HTTP has no TLS policy.

moto: gives every listener `ELBSecurityPolicy-2016-08` that names none.
AWS: has policies for HTTPS and TLS listeners only (the API reference of CreateListener, SslPolicy).
Needed: the plan after the first deploy would want to take the policy away from the listener that redirects.
"""

from moto.elbv2.models import ELBv2Backend


def install():
    ELBv2Backend.create_listener = _without_policy(ELBv2Backend.create_listener)


def _without_policy(create_listener):
    def create(self, *args, **kwargs):
        listener = create_listener(self, *args, **kwargs)
        if listener.protocol == "HTTP":
            listener.ssl_policy = None
        return listener

    return create
