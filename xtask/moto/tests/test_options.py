"""The options of the stack, on and off on a living one, and the role of a pipeline."""

import re
import unittest

from tests.world import AccountTest, Provision, census


def settings(*settings):
    return [word for setting in settings for word in ("--set", setting)]


class OptionsTest(AccountTest):
    def setUp(self):
        super().setUp()
        self.moto.client("route53").create_hosted_zone(Name="example.com", CallerReference="somebody")
        self.before = census(self.moto)

    def test_options_are_taken_up_and_given_up_by_a_living_stack(self):
        named = settings("edge.domain=weather.example.com", "edge.hosted_zone=example.com")
        more = settings(
            "alarms.email=team@example.com",
            "edge.deletion_protection=true",
            "network.nat_gateways=2",
            "service.container_insights=true",
            "service.exec=true",
        )
        everything = Provision(self.moto, "--environment", "staging", *named, *more)
        everything.run("deploy", "--yes", "--image-layout", self.one.folder)
        everything.run("plan", "--exit-code")
        self.assertEqual(everything.told("outputs")["outputs"]["url"], "https://weather.example.com/")
        self.assertEqual(self.records(), ["A weather.example.com.", "CNAME _*.weather.example.com."])
        self.assertEqual(self.service()["enableExecuteCommand"], True)

        # The certificate is given now, and everything else is off.
        self.deploy()
        self.is_as_described()
        self.assertEqual(self.records(), [])
        self.assertEqual(self.service()["enableExecuteCommand"], False)
        gateways = self.moto.client("ec2").describe_nat_gateways()["NatGateways"]
        self.assertEqual({gateway["State"] for gateway in gateways}, {"deleted"})

        one = settings("network.nat_gateways=1", "edge.deletion_protection=true")
        self.deploy(*one)
        self.is_as_described(*one)
        self.provision.run("destroy", "--yes", "--delete-data", *one)
        self.nothing_is_left()

    def records(self):
        """What is in the zone beside its own records; AWS invents the name of a proof."""
        route53 = self.moto.client("route53")
        (zone,) = route53.list_hosted_zones()["HostedZones"]
        records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        added = [it for it in records if it["Type"] not in ("NS", "SOA")]
        return sorted(f"{it['Type']} {re.sub('^_[0-9a-f]+', '_*', it['Name'])}" for it in added)

    def service(self):
        ecs = self.moto.client("ecs")
        (cluster,) = ecs.list_clusters()["clusterArns"]
        services = ecs.list_services(cluster=cluster)["serviceArns"]
        (service,) = ecs.describe_services(cluster=cluster, services=services)["services"]
        return service

    def test_a_pipeline_gets_a_role_that_names_its_repository(self):
        repository = settings("github.repository=owner/name", "github.repository_id=1", "github.owner_id=2")
        common = (*repository, "--set", 'github.environments=["staging"]')
        self.assertFalse(self.provision.told("ci-role", *common)["as_described"])
        self.provision.run("ci-role", "--apply", "--yes", *common)
        told = self.provision.told("ci-role", *common)
        self.assertTrue(told["as_described"])
        iam = self.moto.client("iam")
        role = iam.get_role(RoleName=told["role"].rpartition("/")[2])["Role"]
        self.assertEqual((role["Arn"], role["AssumeRolePolicyDocument"]), (told["role"], told["trust"]))
        policies = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        self.assertEqual(sorted(policies), sorted(told["policies"]))
        self.provision.run("ci-role", "--remove", "--yes", *common)
        # Others in the account may rely on the trust in GitHub.
        left = census(self.moto) - self.before
        self.assertEqual([it.rpartition("/")[2] for it in left], ["token.actions.githubusercontent.com"])


if __name__ == "__main__":
    unittest.main()
