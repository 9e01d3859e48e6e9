"""A stand-in of its own for a test, with the smallest stack that runs a service, and a service to run."""

import base64
import functools
import gzip
import hashlib
import io
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import botocore.session
from botocore.config import Config

REGION = "ap-northeast-1"
TAG = {"provision:app": "example"}
PORTS = (8501, 8000)

ENGINE = os.environ.get("STAND_IN_TEST_ENGINE")
"""The container engine that the tests may use, as the stand-in calls it; `DOCKER_HOST` says where it is."""

_COMPILING = threading.Lock()


@functools.cache
def _compiled():
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "service"
        options = ["--edition", "2024", "-C", "target-feature=+crt-static", "-C", "strip=symbols", "-C", "opt-level=1"]
        source = Path(__file__).with_name("service.rs")
        subprocess.run([os.environ.get("RUSTC", "rustc"), *options, "-o", program, source], check=True)
        return program.read_bytes()


def service():
    """The program of the tests' image: static, because there is nothing else in the image."""
    with _COMPILING:
        return _compiled()


# The system gives its own choice of a free port to anybody who asks next, so these are of another range, and each is
# given once.
_PORTS = itertools.cycle(random.sample(range(20_000, 30_000), 10_000))


def free_ports(count):
    return list(itertools.islice(filter(_is_free, _PORTS), count))


def _is_free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def until(probe, seconds=120):
    """Waits for a true answer."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{probe} did not come true")
        time.sleep(0.05)
    return answer


def digest(blob):
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def pairs(key, value):
    return [{key: name, value: text} for name, text in TAG.items()]


class StandIn:
    """A running stand-in."""

    def __init__(self, engine="process", gateway=None):
        self.engine, self.folder = engine, tempfile.TemporaryDirectory()
        self.gateway, self.https, self.http, *self.front = free_ports(5)
        self.gateway = gateway or self.gateway
        for name in ("run", "logs", "state"):
            (Path(self.folder.name) / name).mkdir()
        self.start()

    def start(self):
        folder = Path(self.folder.name)
        environment = os.environ | {
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "STAND_IN_IDENTITY": "test",
            "STAND_IN_ENGINE": self.engine,
            "STAND_IN_FOLDER": str(folder),
            "STAND_IN_FRONT": ",".join(f"{here}:{port}" for here, port in zip(self.front, PORTS, strict=True)),
            "STAND_IN_LISTENERS": f"{self.https}:443,{self.http}:80",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.gateway),
            "MINISTACK_REGION": REGION,
            # By this name it knows its containers again.
            "MINISTACK_HOSTNAME": f"test-{self.gateway}",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(folder / "run"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "ECS_RESTORE_RECONCILE_DELAY_SECONDS": "0",
        }
        with (folder / "logs" / "stand-in.log").open("ab") as log:
            command = [sys.executable, "-m", "stand_in"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        until(self.answers)

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError((Path(self.folder.name) / "logs" / "stand-in.log").read_text())
        try:
            return self.control("status")["identity"] == "test"
        except OSError:
            return False

    def control(self, what):
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.gateway}/_stand_in/{what}"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def close(self):
        self.stop()
        self.folder.cleanup()

    def client(self, service):
        session = botocore.session.get_session()
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{self.gateway}",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        )

    def page(self, port=None):
        """What the service was told, asked through the load balancer, or through another port of this machine."""
        return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port or self.http}/"))


class Image:
    """The service as an image, in memory."""

    def __init__(self):
        program = tarfile.TarInfo("app/app")
        program.mode, program.size = 0o755, len(service())
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.addfile(program, io.BytesIO(service()))
        configuration = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/app/app"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(archive.getvalue())]},
        }
        parts = [json.dumps(configuration).encode(), gzip.compress(archive.getvalue(), mtime=0)]
        self.blobs = {digest(part): part for part in parts}
        kinds = ("config.v1+json", "layer.v1.tar+gzip")
        config, layer = (
            {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(part), "size": len(part)}
            for kind, part in zip(kinds, parts, strict=True)
        )
        self.kind = "application/vnd.oci.image.manifest.v1+json"
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": self.kind, "config": config, "layers": [layer]})
        self.digest = digest(self.manifest.encode())

    def push(self, ecr, repository):
        for name, blob in self.blobs.items():
            upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
            middle = len(blob) // 2
            for first, part in ((0, blob[:middle]), (middle, blob[middle:])):
                ecr.upload_layer_part(
                    repositoryName=repository,
                    uploadId=upload,
                    partFirstByte=first,
                    partLastByte=first + len(part) - 1,
                    layerPartBlob=part,
                )
            ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[name])
        image = {"imageManifest": self.manifest, "imageManifestMediaType": self.kind, "imageTag": "one"}
        return ecr.put_image(repositoryName=repository, **image)


class Stack:
    """Network, disk, secret, log, image, load balancer and cluster: everything but the service."""

    def __init__(self, stand_in):
        services = ("ec2", "efs", "secretsmanager", "logs", "ecr", "elbv2", "ecs", "application-autoscaling")
        self.ec2, self.efs, self.secrets, self.logs, self.ecr, self.elb, self.ecs, self.scaling = (
            stand_in.client(service) for service in services
        )
        tags = pairs("Key", "Value")
        network = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=network, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        self.disk = self.efs.create_file_system(CreationToken="disk", Tags=tags)["FileSystemId"]
        self.efs.create_mount_target(FileSystemId=self.disk, SubnetId=self.subnet)
        root = {"Path": "/cache"}
        user = {"Uid": os.getuid(), "Gid": os.getgid()}
        access = self.efs.create_access_point(FileSystemId=self.disk, RootDirectory=root, PosixUser=user)
        self.access = access["AccessPointId"]
        self.secret = self.secrets.create_secret(Name="keys", SecretString=json.dumps({"KEY": "value"}), Tags=tags)["ARN"]
        self.logs.create_log_group(logGroupName="/service", tags=TAG)
        self.image = Image()
        self.repository = self.ecr.create_repository(repositoryName="app", imageTagMutability="IMMUTABLE")["repository"]
        self.image.push(self.ecr, "app")
        self._add_load_balancer(network)
        self.ecs.create_cluster(clusterName="cluster", tags=pairs("key", "value"))

    def _add_load_balancer(self, network):
        load_balancer = self.elb.create_load_balancer(Name="alb", Subnets=[self.subnet])["LoadBalancers"][0]
        self.groups = {}
        for port in PORTS:
            group = self.elb.create_target_group(
                Name=f"group-{port}",
                Protocol="HTTP",
                Port=port,
                VpcId=network,
                TargetType="ip",
                HealthCheckPath="/health/ready",
                HealthCheckIntervalSeconds=10,
                HealthyThresholdCount=2,
                UnhealthyThresholdCount=2,
            )
            self.groups[port] = group["TargetGroups"][0]["TargetGroupArn"]
        page, api = ([{"Type": "forward", "TargetGroupArn": self.groups[port]}] for port in PORTS)
        arn = load_balancer["LoadBalancerArn"]
        listener = self.elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=page)
        listener = listener["Listeners"][0]["ListenerArn"]
        paths = [{"Field": "path-pattern", "Values": ["/api/*"]}]
        self.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=paths, Actions=api)

    def task_definition(self, digest=None, group="/service", **environment):
        environment |= {"PAGE_ADDR": "0.0.0.0:8501", "API_ADDR": "0.0.0.0:8000", "CACHE_DIR": "/app/cache"}
        disk = {
            "fileSystemId": self.disk,
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": self.access, "iam": "ENABLED"},
        }
        log = {"awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
        container = {
            "name": "app",
            "image": f"{self.repository['repositoryUri']}@{digest or self.image.digest}",
            "user": "65532:65532",
            "readonlyRootFilesystem": True,
            "portMappings": [{"containerPort": port} for port in PORTS],
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "secrets": [{"name": "KEY", "valueFrom": f"{self.secret}:KEY::"}],
            "mountPoints": [
                {"sourceVolume": "disk", "containerPath": "/app/cache"},
                {"sourceVolume": "scratch", "containerPath": "/tmp"},
            ],
            "logConfiguration": {"logDriver": "awslogs", "options": log},
            "healthCheck": {"command": ["CMD", "/app/app", "health"], "interval": 10, "retries": 1},
        }
        registered = self.ecs.register_task_definition(
            family="app",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            volumes=[{"name": "disk", "efsVolumeConfiguration": disk}, {"name": "scratch"}],
            containerDefinitions=[container],
        )
        return registered["taskDefinition"]["taskDefinitionArn"]

    def create_service(self, task_definition, grace=0):
        created = self.ecs.create_service(
            cluster="cluster",
            serviceName="service",
            taskDefinition=task_definition,
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [self.subnet]}},
            loadBalancers=[
                {"targetGroupArn": group, "containerName": "app", "containerPort": port}
                for port, group in self.groups.items()
            ],
            healthCheckGracePeriodSeconds=grace,
            deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            tags=pairs("key", "value"),
        )
        return created["service"]["deployments"][0]

    def update_service(self, **changes):
        return self.ecs.update_service(cluster="cluster", service="service", **changes)["service"]["deployments"][0]

    def service(self):
        return self.ecs.describe_services(cluster="cluster", services=["service"])["services"][0]

    def settled(self, deployment):
        """Waits until one deployment has won or lost, and the service is at rest again."""

        def at_rest():
            deployments = self.service()["deployments"]
            ours = next((it for it in deployments if it["id"] == deployment["id"]), None)
            primary = next(it for it in deployments if it["status"] == "PRIMARY")
            alone = sum(it["runningCount"] for it in deployments) == primary["runningCount"]
            resting = primary["rolloutState"] != "IN_PROGRESS" and alone
            return (ours or {"rolloutState": "GONE"}) if resting and ours is not None else None

        return until(at_rest)["rolloutState"]

    def stop_reasons(self):
        stopped = self.ecs.list_tasks(cluster="cluster", desiredStatus="STOPPED")["taskArns"]
        tasks = self.ecs.describe_tasks(cluster="cluster", tasks=stopped)["tasks"] if stopped else []
        return [(task["stopCode"], task["stoppedReason"]) for task in tasks]

    def health(self, port):
        described = self.elb.describe_target_health(TargetGroupArn=self.groups[port])["TargetHealthDescriptions"]
        return [(it["TargetHealth"]["State"], it["TargetHealth"].get("Reason")) for it in described]


def token(ecr):
    """The registry's user and password, as a client gets them."""
    authorization = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(authorization).decode()
