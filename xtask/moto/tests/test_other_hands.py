"""What other hands do in the account: a change behind the tool's back, and a name that is taken."""

import json
import unittest

from tests.world import AccountTest, census

_NAME = "weather-comment-generator-staging"


class OtherHandsTest(AccountTest):
    def test_what_was_changed_in_the_console_is_named_and_undone(self):
        self.deploy("--image-layout", self.one.folder)
        wanted = {}
        for change in (self.network, self.balancing, self.storage, self.containers, self.monitoring):
            wanted |= change()
        self.assertEqual(self.changes(), wanted)
        self.deploy()
        self.is_as_described()
        self.provision.run("destroy", "--yes", "--delete-data")
        self.nothing_is_left()

    def tagged(self, items, name):
        """The item that is called so in the stack."""
        tag = {"Key": "provision:resource", "Value": name}
        (found,) = (item for item in items if tag in item.get("Tags", []))
        return found

    def network(self):
        ec2 = self.moto.client("ec2")
        group = self.tagged(ec2.describe_security_groups()["SecurityGroups"], "alb-group")
        anybody = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[anybody])
        group = self.tagged(ec2.describe_security_groups()["SecurityGroups"], "cache-group")
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        routes = self.tagged(ec2.describe_route_tables()["RouteTables"], "routes")
        ec2.delete_route(RouteTableId=routes["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
        network = self.tagged(ec2.describe_vpcs()["Vpcs"], "network")
        ec2.modify_vpc_attribute(VpcId=network["VpcId"], EnableDnsHostnames={"Value": False})
        return {
            "update alb-rules": ["ingress"],
            "update cache-rules": ["ingress"],
            "update network": ["dns_hostnames"],
            "update routes": ["default_gateway"],
        }

    def balancing(self):
        elb = self.moto.client("elbv2")
        (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
        balancer = balancer["LoadBalancerArn"]
        timeout = {"Key": "idle_timeout.timeout_seconds", "Value": "61"}
        elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[timeout])
        listeners = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        (https,) = (listener["ListenerArn"] for listener in listeners if listener["Port"] == 443)
        elb.modify_listener(ListenerArn=https, SslPolicy="ELBSecurityPolicy-2016-08")
        rules = elb.describe_rules(ListenerArn=https)["Rules"]
        elb.delete_rule(RuleArn=next(rule["RuleArn"] for rule in rules if not rule["IsDefault"]))
        groups = elb.describe_target_groups()["TargetGroups"]
        (page,) = (group["TargetGroupArn"] for group in groups if group["Port"] == 8501)
        elb.modify_target_group(TargetGroupArn=page, HealthCheckPath="/")
        return {
            "create api-paths": [],
            "update https": ["ssl_policy"],
            "update load-balancer": ["attributes.idle_timeout.timeout_seconds"],
            "update page-targets": ["health.path"],
        }

    def storage(self):
        efs, ecr, logs = (self.moto.client(name) for name in ("efs", "ecr", "logs"))
        disk = efs.describe_file_systems()["FileSystems"][0]["FileSystemId"]
        efs.put_lifecycle_configuration(FileSystemId=disk, LifecyclePolicies=[])
        policy = json.loads(efs.describe_file_system_policy(FileSystemId=disk)["Policy"])
        policy["Statement"].pop()
        efs.put_file_system_policy(FileSystemId=disk, Policy=json.dumps(policy))
        repository = ecr.describe_repositories()["repositories"][0]["repositoryName"]
        ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="MUTABLE")
        logs.delete_retention_policy(logGroupName="/weather-comment-generator/staging/service")
        return {
            "update cache": ["transition_to_ia"],
            "update cache-policy": ["policy.Statement"],
            "update repository": ["mutability"],
            "update service-log": ["retention_days"],
        }

    def containers(self):
        ecs, iam, scaling = (self.moto.client(name) for name in ("ecs", "iam", "application-autoscaling"))
        cluster = f"{_NAME}-cluster"
        ecs.update_cluster(cluster=cluster, settings=[{"name": "containerInsights", "value": "enabled"}])
        # Not named, because a service is compared again when the rule that it needs is made anew; but undone.
        ecs.update_service(cluster=cluster, service=f"{_NAME}-service", healthCheckGracePeriodSeconds=5)
        role = f"{_NAME}-task-ap-northeast-1"
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(anything))
        (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        where = {name: target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=9)
        scaling.delete_scaling_policy(**where, PolicyName=f"{_NAME}-service-cpu")
        return {
            "create scale-on-cpu": [],
            "update cluster": ["container_insights"],
            "update scaling": ["max"],
            "update task-role": [f"policies.{policy}.Statement.{part}" for part in ("Action", "Condition", "Resource")],
        }

    def monitoring(self):
        cloudwatch = self.moto.client("cloudwatch")
        cloudwatch.delete_alarms(AlarmNames=[f"{_NAME}/cpu"])
        (board,) = cloudwatch.list_dashboards()["DashboardEntries"]
        board = board["DashboardName"]
        body = json.loads(cloudwatch.get_dashboard(DashboardName=board)["DashboardBody"])
        removed = body["widgets"].pop()["properties"]["title"]
        cloudwatch.put_dashboard(DashboardName=board, DashboardBody=json.dumps(body))
        return {"update alarms": ["cpu"], "update dashboard": [f"widgets.{removed}"]}

    def test_what_has_our_name_and_not_our_tags_is_left_alone(self):
        path, trust = "weather-comment-generator/staging", json.dumps({"Version": "2012-10-17", "Statement": []})
        role = f"{_NAME}-task-ap-northeast-1"
        taken = [
            # service, how the name is taken, and how it is given back
            ("ecr", ("create_repository", {"repositoryName": path}), ("delete_repository", {"repositoryName": path})),
            (
                "iam",
                ("create_role", {"RoleName": role, "AssumeRolePolicyDocument": trust}),
                ("delete_role", {"RoleName": role}),
            ),
            (
                "logs",
                ("create_log_group", {"logGroupName": f"/{path}/service"}),
                ("delete_log_group", {"logGroupName": f"/{path}/service"}),
            ),
            (
                "secretsmanager",
                ("create_secret", {"Name": f"{path}/api-keys", "SecretString": "{}"}),
                ("delete_secret", {"SecretId": f"{path}/api-keys", "ForceDeleteWithoutRecovery": True}),
            ),
        ]
        for service, (take, name), (give, back) in taken:
            with self.subTest(service):
                client = self.moto.client(service)
                getattr(client, take)(**name)
                before = census(self.moto)
                refused = self.provision.run("deploy", "--yes", "--image-layout", self.one.folder, code=4)
                self.assertIn("it belongs to someone else", refused.stderr)
                self.assertEqual(census(self.moto), before)
                getattr(client, give)(**back)


if __name__ == "__main__":
    unittest.main()
