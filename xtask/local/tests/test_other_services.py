"""Services around the service: what a deploy writes to them is read back, also after a stop."""

import json
import time
import unittest

import botocore.model
from botocore.exceptions import ClientError

from tests.world import StandIn, pairs


class OtherServicesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand_in = StandIn()
        cls.addClassCleanup(cls.stand_in.close)

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def cloudwatch(self):
        """A client that asks as the SDK for Rust does."""
        before = botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS
        botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = ("smithy-rpc-v2-cbor", *before)
        try:
            client = self.stand_in.client("cloudwatch")
        finally:
            botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = before
        self.assertEqual(client.meta.service_model.resolved_protocol, "smithy-rpc-v2-cbor")
        return client

    def test_alarms_come_back_as_they_were_made(self):
        cloudwatch = self.cloudwatch()
        common = {"EvaluationPeriods": 5, "DatapointsToAlarm": 3, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold"}
        one = {"Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Period": 60}
        stat = {"Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "a", "Value": "b"}]}, "Period": 60, "Stat": "Sum"}
        slow = {"ExtendedStatistic": "p95", "EvaluateLowSampleCountPercentile": "ignore"}
        sums = [{"Id": "e", "Expression": "m/2", "Label": "half", "ReturnData": True}, {"Id": "m", "MetricStat": stat, "ReturnData": False}]
        alarms = {"mean": one | {"Statistic": "Average"}, "slow": one | slow, "sum": {"Metrics": sums}}
        for name, alarm in alarms.items():
            cloudwatch.put_metric_alarm(AlarmName=name, Tags=pairs("Key", "Value"), **alarm, **common)
        self.stand_in.stop()
        self.stand_in.start()
        found = {it["AlarmName"]: it for it in cloudwatch.describe_alarms()["MetricAlarms"]}
        for name, alarm in alarms.items():
            # What was not said is not told.
            told = {key: found[name].get(key) for key in (*one, "Statistic", *slow, "Metrics", "AlarmDescription")}
            self.assertEqual(told, dict.fromkeys(told) | alarm, name)
            self.assertEqual(cloudwatch.list_tags_for_resource(ResourceARN=found[name]["AlarmArn"])["Tags"], pairs("Key", "Value"))
        self.refused("ValidationError", cloudwatch.put_metric_alarm, AlarmName="odd", Statistic="Sum", **one | {"Period": 45}, **common)

    def test_a_dashboard_is_json_and_exists_or_not(self):
        cloudwatch = self.cloudwatch()
        cloudwatch.put_dashboard(DashboardName="board", DashboardBody='{"widgets":[]}', Tags=pairs("Key", "Value"))
        found = cloudwatch.get_dashboard(DashboardName="board")
        self.assertEqual(found["DashboardBody"], '{"widgets":[]}')
        self.assertEqual(cloudwatch.list_tags_for_resource(ResourceARN=found["DashboardArn"])["Tags"], pairs("Key", "Value"))
        self.assertIn(f"cloudwatch: {found['DashboardArn']}", self.stand_in.control("owned"))
        self.refused("InvalidParameterInput", cloudwatch.put_dashboard, DashboardName="board", DashboardBody="{")
        cloudwatch.delete_dashboards(DashboardNames=["board"])
        self.refused("ResourceNotFound", cloudwatch.get_dashboard, DashboardName="board")
        self.refused("ResourceNotFound", cloudwatch.delete_dashboards, DashboardNames=["board"])

    def test_a_subscription_by_mail_waits_for_its_confirmation(self):
        sns = self.stand_in.client("sns")
        topic = sns.create_topic(Name="alarms", Tags=pairs("Key", "Value"))["TopicArn"]
        asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": "someone@example.com"}
        self.assertEqual(sns.subscribe(**asked)["SubscriptionArn"], "pending confirmation")
        sns.subscribe(**asked)
        (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        self.assertEqual((found["SubscriptionArn"], found["Endpoint"]), ("PendingConfirmation", asked["Endpoint"]))
        sns.delete_topic(TopicArn=topic)
        self.refused("NotFound", sns.get_topic_attributes, TopicArn=topic)

    def test_an_identity_provider_can_be_changed(self):
        iam = self.stand_in.client("iam")
        created = iam.create_open_id_connect_provider(Url="https://token.example.com", ClientIDList=["one"], Tags=pairs("Key", "Value"))
        arn = {"OpenIDConnectProviderArn": created["OpenIDConnectProviderArn"]}
        iam.add_client_id_to_open_id_connect_provider(**arn, ClientID="two")
        iam.remove_client_id_from_open_id_connect_provider(**arn, ClientID="one")
        iam.tag_open_id_connect_provider(**arn, Tags=[{"Key": "a", "Value": "b"}])
        iam.untag_open_id_connect_provider(**arn, TagKeys=["provision:app"])
        found = iam.get_open_id_connect_provider(**arn)
        self.assertEqual((found["Url"], found["ClientIDList"]), ("token.example.com", ["two"]))
        self.assertEqual(iam.list_open_id_connect_provider_tags(**arn)["Tags"], [{"Key": "a", "Value": "b"}])
        iam.delete_open_id_connect_provider(**arn)
        self.refused("NoSuchEntity", iam.add_client_id_to_open_id_connect_provider, **arn, ClientID="x")

    def test_a_log_stream_is_made_once_and_can_be_a_lock(self):
        logs = self.stand_in.client("logs")
        stream = {"logGroupName": "/app/env/deployments", "logStreamName": "lock-1"}
        logs.create_log_group(logGroupName=stream["logGroupName"])
        logs.create_log_stream(**stream)
        self.refused("ResourceAlreadyExistsException", logs.create_log_stream, **stream)
        line = {"timestamp": int(time.time() * 1000), "message": "held"}
        logs.put_log_events(**stream, logEvents=[line])
        self.assertEqual([it["message"] for it in logs.get_log_events(**stream)["events"]], ["held"])
        logs.delete_log_stream(**stream)
        self.refused("ResourceNotFoundException", logs.delete_log_stream, **stream)
        self.refused("ResourceNotFoundException", logs.put_log_events, **stream, logEvents=[line])

    def test_a_disk_has_a_policy_of_its_own_or_none(self):
        efs = self.stand_in.client("efs")
        disk = {"FileSystemId": efs.create_file_system(CreationToken="policy")["FileSystemId"]}
        self.refused("PolicyNotFound", efs.describe_file_system_policy, **disk)
        mount = ["elasticfilesystem:ClientMount"]
        statement = {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": mount, "Resource": "*"}
        efs.put_file_system_policy(**disk, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        policy = json.loads(efs.describe_file_system_policy(**disk)["Policy"])
        self.assertEqual(policy["Statement"], [statement])

    def test_a_record_of_a_zone_is_found_by_its_name(self):
        route53 = self.stand_in.client("route53")
        zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
        target = {"HostedZoneId": "Z14GRHDCWA56QT", "DNSName": "alb.example.net.", "EvaluateTargetHealth": True}
        record = {"Name": "w.example.com.", "Type": "A", "AliasTarget": target}
        for _ in range(2):
            change = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
        asked = {"HostedZoneId": zone, "StartRecordName": record["Name"], "StartRecordType": "A", "MaxItems": "1"}
        self.assertEqual(route53.list_resource_record_sets(**asked)["ResourceRecordSets"], [record])


if __name__ == "__main__":
    unittest.main()
