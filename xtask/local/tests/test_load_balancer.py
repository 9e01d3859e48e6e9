"""The load balancer in small, with listeners and rules made by calls to the API."""

import http.client
import json
import socket
import ssl
import unittest

from botocore.exceptions import ClientError

from tests.targets import Target
from tests.world import StandIn, until


class LoadBalancerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stand_in = StandIn()
        cls.addClassCleanup(cls.stand_in.close)
        cls.elb, cls.acm = cls.stand_in.client("elbv2"), cls.stand_in.client("acm")
        ec2 = cls.stand_in.client("ec2")
        cls.network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        cls.subnet = ec2.create_subnet(VpcId=cls.network, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]

    def setUp(self):
        self.arn = self.elb.create_load_balancer(Name="alb", Subnets=[self.subnet])["LoadBalancers"][0]["LoadBalancerArn"]
        self.addCleanup(self.elb.delete_load_balancer, LoadBalancerArn=self.arn)

    def group(self, name, *targets):
        made = self.elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId=self.network,
            TargetType="ip",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=5,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )
        arn = made["TargetGroups"][0]["TargetGroupArn"]
        self.addCleanup(self.elb.delete_target_group, TargetGroupArn=arn)
        if targets:
            self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": it.address, "Port": it.port} for it in targets])
        return arn

    def target(self, name, address="127.0.0.1"):
        target = Target(name, address)
        self.addCleanup(target.close)
        return target

    def listen(self, port, action, **options):
        options = {"Protocol": "HTTP"} | options
        made = self.elb.create_listener(LoadBalancerArn=self.arn, Port=port, DefaultActions=[action], **options)
        here = self.stand_in.https if port == 443 else self.stand_in.http
        until(lambda: is_open(here))
        return made["Listeners"][0]["ListenerArn"]

    def rule(self, listener, priority, group, *paths):
        conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}]
        return self.elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=[to(group)])

    def ask(self, path, method="GET", body=None, timeout=60, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.stand_in.http, timeout=timeout)
        self.addCleanup(self.connection.close)
        self.connection.request(method, path, body, headers)
        return self.connection.getresponse()

    def told(self, path, *args, **headers):
        return json.load(self.ask(path, *args, **headers))

    def settled(self, group, *states):
        def reached():
            found = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
            return sorted(it["TargetHealth"]["State"] for it in found) == sorted(states)

        until(reached)

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_rules_decide_by_path_and_a_changed_rule_is_seen_at_once(self):
        page, api = self.group("page", self.target("page")), self.group("api", self.target("api"))
        listener = self.listen(80, to(page))
        rule = self.rule(listener, 10, api, "/api", "/api/*")["Rules"][0]["RuleArn"]
        for path, wanted in {"/": "page", "/api/x?y=1": "api", "/api": "api", "/API": "page", "/apis": "page"}.items():
            told = self.told(path)
            self.assertEqual((told["target"], told["path"]), (wanted, path))
        self.elb.modify_rule(RuleArn=rule, Conditions=[{"Field": "path-pattern", "Values": ["/ap"]}])
        self.assertEqual(self.told("/api/x")["target"], "page")
        self.refused("PriorityInUse", self.rule, listener=listener, priority=10, group=api)
        self.refused("DuplicateListener", self.listen, port=80, action=to(page))

    def test_a_target_learns_who_asks_and_by_which_listener(self):
        listener = self.listen(80, to(self.group("page", self.target("page"))))
        told = self.told("/x", "POST", b"body", **{"X-Forwarded-For": "203.0.113.7", "Host": "example.com:1234"})
        headers = {name.lower(): value for name, value in told["headers"].items()}
        self.assertEqual(headers["x-forwarded-for"], "203.0.113.7, 127.0.0.1")
        self.assertEqual((headers["x-forwarded-proto"], headers["x-forwarded-port"]), ("http", "80"))
        self.assertTrue(headers["x-amzn-trace-id"].startswith("Root=1-"), headers)
        self.assertEqual((headers["host"], told["body"]), ("example.com", "body"))
        name = "routing.http.response.strict_transport_security.header_value"
        self.elb.modify_listener_attributes(ListenerArn=listener, Attributes=[{"Key": name, "Value": "max-age=1"}])
        self.assertEqual(self.ask("/x").headers["strict-transport-security"], "max-age=1")

    def test_the_listener_for_https_has_a_certificate_and_the_other_one_redirects_to_it(self):
        arn = self.acm.request_certificate(DomainName="weather.example.com", ValidationMethod="DNS")["CertificateArn"]
        group = self.group("page", self.target("page"))
        self.listen(443, to(group), Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        self.listen(80, {"Type": "redirect", "RedirectConfig": redirect})

        answer = self.ask("/a/b?c=d")
        there = f"127.0.0.1:{self.stand_in.https}"
        self.assertEqual((answer.status, answer.headers["location"]), (301, f"https://{there}/a/b?c=d"))
        self.assertIn("<h1>301 Moved Permanently</h1>", answer.read().decode())
        self.assertEqual(self.elb.describe_load_balancers()["LoadBalancers"][0]["DNSName"], there)
        self.assertIn(f"https://{there}/", self.stand_in.control("status")["listeners"])

        trusting = ssl.create_default_context(cadata=self.acm.get_certificate(CertificateArn=arn)["Certificate"])
        connection = http.client.HTTPSConnection("127.0.0.1", self.stand_in.https, timeout=60, context=trusting)
        self.addCleanup(connection.close)
        connection.request("GET", "/x")
        headers = {name.lower(): value for name, value in json.load(connection.getresponse())["headers"].items()}
        self.assertEqual((headers["x-forwarded-proto"], headers["x-forwarded-port"]), ("https", "443"))
        self.assertEqual(headers["host"], "127.0.0.1")

    def test_only_the_healthy_are_asked_and_when_none_is_all_are(self):
        well, ill = self.target("well"), self.target("ill", "127.0.0.2")
        ill.well = False
        group = self.group("page", well, ill)
        self.listen(80, to(group))
        self.settled(group, "healthy", "unhealthy")
        self.assertEqual({self.told("/")["target"] for _ in range(6)}, {"well"})
        well.well = False
        self.settled(group, "unhealthy", "unhealthy")
        self.assertEqual({self.told("/")["target"] for _ in range(6)}, {"well", "ill"})

    def test_without_a_good_answer_it_gives_its_own_pages(self):
        empty, target = self.group("empty"), self.target("page")
        listener = self.listen(80, to(empty))
        answer = self.ask("/")
        self.assertEqual((answer.status, answer.headers["server"], len(answer.read())), (503, "awselb/2.0", 162))
        self.elb.modify_listener(ListenerArn=listener, DefaultActions=[to(self.group("page", target))])
        answer = self.ask("/broken")
        self.assertEqual((answer.status, len(answer.read())), (502, 122))
        target.close()
        self.assertEqual(self.ask("/").status, 502)

    def test_what_is_silent_for_longer_than_the_idle_time_is_given_up(self):
        idle = {"Key": "idle_timeout.timeout_seconds", "Value": "1"}
        self.elb.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=[idle])
        self.listen(80, to(self.group("page", self.target("page"))))
        answer = self.ask("/silent")
        self.assertEqual((answer.status, b"504 Gateway Time-out" in answer.read()), (504, True))
        # One that is silent in the middle of its answer is cut off.
        answer = self.ask("/events")
        self.assertEqual(answer.fp.readline() and answer.status, 200)
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        with socket.create_connection(("127.0.0.1", self.stand_in.http), timeout=60) as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n")
            self.assertTrue(slow.recv(4096).startswith(b"HTTP/1.1 408"))

    def test_a_stream_of_events_passes_as_it_comes_and_ends_when_the_client_leaves(self):
        target = self.target("page")
        self.listen(80, to(self.group("page", target)))
        answer = self.ask("/events")
        # The second event is not even written yet.
        self.assertEqual(answer.readline(), b"data: 1\n")
        target.go_on.set()
        self.assertEqual([answer.readline() for _ in range(2)], [b"\n", b"data: 2\n"])
        answer.close()
        self.connection.close()
        self.assertTrue(target.left.wait(10))

    def test_a_fixed_answer_comes_from_the_load_balancer(self):
        config = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nothing here"}
        self.listen(80, {"Type": "fixed-response", "FixedResponseConfig": config})
        answer = self.ask("/")
        self.assertEqual((answer.status, answer.headers["content-type"], answer.read()), (404, "text/plain", b"nothing here"))

    def test_what_it_could_not_carry_out_is_refused(self):
        group = self.group("page")
        listener = self.listen(80, to(group))
        query = [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}}]
        create = self.elb.create_rule
        self.refused("OperationNotPermitted", create, ListenerArn=listener, Priority=1, Conditions=query, Actions=[to(group)])

    def test_a_listener_that_is_gone_answers_nobody(self):
        listener = self.listen(80, to(self.group("page")))
        self.elb.delete_listener(ListenerArn=listener)
        until(lambda: not is_open(self.stand_in.http))


def to(group):
    return {"Type": "forward", "TargetGroupArn": group}


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    unittest.main()
