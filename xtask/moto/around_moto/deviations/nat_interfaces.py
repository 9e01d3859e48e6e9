"""The network interface of a NAT gateway goes with it.

moto: deletes the gateway and leaves its interface in the subnet for good.
AWS: releases the interface (rows 2.1#15 and 2.2).
Needed: after destroy nothing is left, which moto itself is asked.
"""

from moto.ec2.models.nat_gateways import NatGatewayBackend


def install():
    NatGatewayBackend.delete_nat_gateway = _with_interface(NatGatewayBackend.delete_nat_gateway)


def _with_interface(delete_nat_gateway):
    def delete(self, nat_gateway_id):
        gateway = delete_nat_gateway(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    return delete
