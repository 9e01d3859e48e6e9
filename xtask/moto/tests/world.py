"""An account of its own for a test, with `provision` before it and a look at everything behind it."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

import boto3
from botocore.config import Config

REGION = "ap-northeast-1"

_PROVISION = os.environ["PROVISION"]
"""The program."""

_WITHOUT = os.environ.get("WITHOUT_DEVIATION")
"""A deviation that is left out, to see whether it is needed."""

# Nothing here may find the way to the user's real accounts, or believe to be a step of a workflow.
for _name in [name for name in os.environ if name.startswith(("AWS_", "GITHUB_", "PROVISION"))]:
    del os.environ[_name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "moto",
    "AWS_SECRET_ACCESS_KEY": "moto",
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_COLOR": "1",
    "NO_PROXY": "127.0.0.1",
}


class Moto:
    """moto's server, with our deviations around it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name) / "moto.log"
        command = [sys.executable, "-m", "around_moto", *(["--without", _WITHOUT] if _WITHOUT else [])]
        environment = os.environ | {
            "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
            # Certificates are issued as soon as somebody looks.
            "MOTO_ACM_VALIDATION_WAIT": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self.log.open("w") as log:
            here = Path(__file__).parents[1]
            self._process = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=log)
        port = self._process.stdout.readline().decode().strip()
        if not port:
            self._process.wait()
            raise RuntimeError(f"moto did not start:\n{self.log.read_text()}")
        self.endpoint = f"http://127.0.0.1:{port}"
        # The one that boto3 would share is not for several threads.
        self._session = boto3.Session(region_name=REGION)

    def close(self):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        failed = self.log.read_text()
        self.folder.cleanup()
        # `provision` tries again after an internal error, so one might pass unseen.
        if failed:
            raise AssertionError(f"moto failed to answer:\n{failed[-4000:]}")

    def client(self, service):
        # What fails is not tried again: it should not fail.
        once = Config(retries={"max_attempts": 0})
        return self._session.client(service, endpoint_url=self.endpoint, config=once)

    def certificate(self):
        """The ARN of a certificate that somebody requested."""
        asked = {"DomainName": "given.example.com", "ValidationMethod": "DNS"}
        return self.client("acm").request_certificate(**asked)["CertificateArn"]


class Provision:
    """The program, pointed at an account."""

    def __init__(self, moto, *common):
        self._common = common
        self._log = moto.log
        self._environment = os.environ | {"AWS_ENDPOINT_URL": moto.endpoint}

    def run(self, *words, code=0, stdin=""):
        """Runs a command line; whoever expects another exit code says so."""
        command = self._command(words)
        done = subprocess.run(
            command, input=stdin, env=self._environment, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode != code:
            ended = f"`provision {' '.join(map(str, words))}` ended with {done.returncode} and not {code}"
            moto = self._log.read_text()[-4000:]
            raise AssertionError(f"{ended}:\n{done.stdout}{done.stderr}\nmoto said:\n{moto}")
        return done

    def start(self, *words):
        """Starts a command line, and leaves it running."""
        pipe = subprocess.PIPE
        command = self._command(words)
        return subprocess.Popen(command, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def _command(self, words):
        # Nobody is behind moto's load balancers who could answer a request.
        unasked = ["--no-request"] if "deploy" in words else []
        return [_PROVISION, *self._common, *words, *unasked]

    def told(self, *words, code=0):
        """Runs a command line; gives the document it writes."""
        return json.loads(self.run("--output", "json", *words, code=code).stdout)


def _digest(blob):
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


class Image:
    """The layout of an image in a folder; nobody runs it, so one file with a word in it is enough."""

    def __init__(self, folder, word):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("app/app")
            entry.size = len(word)
            tar.addfile(entry, io.BytesIO(word.encode()))
        self.folder = Path(folder) / f"image-{word}"
        self._blobs = self.folder / "blobs" / "sha256"
        self._blobs.mkdir(parents=True)
        config = {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/app/app"]}}
        config["rootfs"] = {"type": "layers", "diff_ids": [_digest(archive.getvalue())]}
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self._add("config.v1+json", json.dumps(config).encode()),
            "layers": [self._add("layer.v1.tar+gzip", gzip.compress(archive.getvalue(), mtime=0))],
        }
        described = self._add("manifest.v1+json", json.dumps(manifest).encode())
        self.digest = described["digest"]
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [described]}))
        (self.folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))

    def _add(self, kind, blob):
        (self._blobs / hashlib.sha256(blob).hexdigest()).write_bytes(blob)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": _digest(blob), "size": len(blob)}


def _paged(client, operation, key, **arguments):
    """All pages of a list, where moto has pages."""
    if client.can_paginate(operation):
        return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]
    return getattr(client, operation)(**arguments)[key]


_LISTS = [
    # service, operation, the list in its answer, what names an item
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("efs", "describe_file_systems", "FileSystems", "FileSystemId"),
    ("efs", "describe_access_points", "AccessPoints", "AccessPointId"),
    ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_open_id_connect_providers", "OpenIDConnectProviderList", "Arn"),
    ("ecs", "list_task_definitions", "taskDefinitionArns", None),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("acm", "list_certificates", "CertificateSummaryList", "CertificateArn"),
]


_STAYS = {f"iam AWSServiceRoleFor{name}" for name in ("ECS", "ElasticLoadBalancing", "ApplicationAutoScaling_ECSService")}
"""What AWS keeps for everybody in the account."""


def census(moto):
    """Everything in the account that a deploy could have made, by service and name."""
    found = set()
    for service, operation, key, name in _LISTS:
        items = _paged(moto.client(service), operation, key)
        # For an hour, AWS still shows what is gone.
        items = [item for item in items if not (isinstance(item, dict) and item.get("State") == "deleted")]
        found |= {f"{service} {item[name] if name else item}" for item in items}
    ecs = moto.client("ecs")
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    found |= {f"ecs {it['clusterArn']}" for it in clusters if it["status"] != "INACTIVE"}
    scaling = moto.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    found |= {f"scaling {target['ResourceId']}" for target in targets}
    route53 = moto.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
        found |= {f"route53 {record['Name']} {record['Type']}" for record in records}
    return found - _STAYS


class AccountTest(unittest.TestCase):
    """A test with an empty account of its own, and two images."""

    maxDiff = None

    def setUp(self):
        self.moto = Moto()
        self.addCleanup(self.moto.close)
        self.one, self.two = (Image(self.moto.folder.name, word) for word in ("one", "two"))
        given = ("--set", f"edge.certificate_arn={self.moto.certificate()}")
        self.before = census(self.moto)
        self.provision = Provision(self.moto, "--environment", "staging", *given)

    def deploy(self, *words):
        return self.provision.run("deploy", "--yes", *words)

    def changes(self, *words):
        """What a deploy would do: the kind of each change with its name, and what differs where something does."""
        plan = self.provision.told("plan", *words)
        steps = [step for step in plan["steps"] if step["action"] not in ("keep", "recheck")]
        return {
            f"{step['action']} {step['name']}": sorted(change["path"] for change in step.get("changes", []))
            for step in steps
        }

    def is_as_described(self, *words):
        self.assertEqual(self.changes(*words), {})
        self.provision.run("plan", "--exit-code", *words)

    def nothing_is_left(self):
        self.assertEqual(sorted(census(self.moto) - self.before), [])
