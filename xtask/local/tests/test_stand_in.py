"""What a deploy relies on, played through the wire with the AWS SDK's own client."""

import os
import signal
import unittest
import urllib.error
import urllib.request

from botocore.exceptions import ClientError

from tests.world import PORTS, StandIn, Stack, digest, token, until


class StandInTest(unittest.TestCase):
    def setUp(self):
        self.stand_in = StandIn()
        self.addCleanup(self.stand_in.close)
        self.stack = Stack(self.stand_in)

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def running(self, **environment):
        deployment = self.stack.create_service(self.stack.task_definition(**environment))
        self.assertEqual(self.stack.settled(deployment), "COMPLETED")
        return deployment

    def test_a_deployment_is_complete_when_its_task_is_healthy_and_runs_as_described(self):
        deployment = self.stack.create_service(self.stack.task_definition(HELLO="world"))
        self.assertEqual(deployment["rolloutState"], "IN_PROGRESS")
        self.assertEqual(self.stack.settled(deployment), "COMPLETED")
        self.assertEqual([self.stack.health(port) for port in PORTS], [[("healthy", None)]] * 2)

        told = self.stand_in.page()
        for port in self.stand_in.front:
            self.assertEqual(self.stand_in.page(port), told)
        self.assertEqual((told["HELLO"], told["KEY"]), ("world", "value"))
        self.assertTrue(told["CACHE_DIR"].endswith(f"{self.stack.disk}/cache"), told["CACHE_DIR"])
        self.assertNotIn("AWS_ENDPOINT_URL", told)
        (task,) = self.stack.ecs.list_tasks(cluster="cluster")["taskArns"]
        task = self.stack.ecs.describe_tasks(cluster="cluster", tasks=[task])["tasks"][0]
        self.assertEqual((task["lastStatus"], task["healthStatus"]), ("RUNNING", "HEALTHY"))
        address = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
        self.assertTrue(address["privateIPv4Address"].startswith("10.0.1."), address)
        self.assertIn("has reached a steady state", self.stack.service()["events"][0]["message"])

    def test_the_output_of_a_task_is_in_its_log(self):
        self.running()
        logs = self.stack.logs
        (stream,) = logs.describe_log_streams(logGroupName="/service")["logStreams"]
        self.assertTrue(stream["logStreamName"].startswith("ecs/app/"))
        arguments = {"logGroupName": "/service", "logStreamName": stream["logStreamName"]}
        events = until(lambda: logs.get_log_events(**arguments)["events"])
        self.assertEqual(events[0]["message"], "the service is up")

    def test_a_redeploy_replaces_the_task_and_the_port_stays_open(self):
        self.running(VERSION="1")
        deployment = self.stack.update_service(taskDefinition=self.stack.task_definition(VERSION="2"))
        seen = set()

        def settled():
            seen.add(self.stand_in.page()["VERSION"])
            return self.stack.service()["deployments"][0]["rolloutState"] == "COMPLETED"

        until(settled)
        self.assertEqual(seen | {self.stand_in.page()["VERSION"]}, {"1", "2"})
        self.assertEqual(self.stack.settled(deployment), "COMPLETED")
        ((code, reason),) = until(self.stack.stop_reasons)
        self.assertEqual(code, "ServiceSchedulerInitiated")
        self.assertTrue(reason.startswith("Scaling activity initiated by (deployment ecs-svc/"), reason)

    def test_a_task_that_ends_three_times_is_given_up_and_the_last_good_one_stays(self):
        good = self.running()
        deployment = self.stack.update_service(taskDefinition=self.stack.task_definition(CRASH="1"))
        self.assertEqual(self.stack.settled(deployment), "FAILED")
        reason = ("EssentialContainerExited", "Essential container in task exited")
        self.assertEqual(self.stack.stop_reasons(), [reason] * 3)
        primary, failed = self.stack.service()["deployments"]
        self.assertEqual((failed["id"], failed["status"], failed["failedTasks"]), (deployment["id"], "ACTIVE", 3))
        self.assertEqual(failed["rolloutStateReason"], "ECS deployment circuit breaker: tasks failed to start.")
        # Going back is a deployment, too.
        self.assertEqual((primary["taskDefinition"], primary["rolloutState"]), (good["taskDefinition"], "COMPLETED"))
        self.assertNotIn(primary["id"], (good["id"], failed["id"]))
        self.assertIn("KEY", self.stand_in.page())
        said = [event["message"] for event in self.stack.service()["events"]]
        for told in (f"(deployment {failed['id']}) deployment failed: tasks failed to start.", f"rolling back to deployment {primary['id']}."):
            self.assertIn(f"(service service) {told}", said)

    def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(self):
        deployment = self.stack.create_service(self.stack.task_definition(CRASH="1"))
        self.assertEqual(self.stack.settled(deployment), "FAILED")
        (failed,) = self.stack.service()["deployments"]
        self.assertEqual((failed["status"], failed["runningCount"]), ("PRIMARY", 0))
        again = self.stack.update_service(taskDefinition=self.stack.task_definition())
        self.assertEqual(self.stack.settled(again), "COMPLETED")

    def test_nobody_gets_into_a_task_and_its_agent_says_what_to_run_instead(self):
        self.running()

        def task():
            (arn,) = self.stack.ecs.list_tasks(cluster="cluster")["taskArns"]
            return self.stack.ecs.describe_tasks(cluster="cluster", tasks=[arn])["tasks"][0]

        def refusal():
            asked = {"task": task()["taskArn"], "container": "app", "command": "/app/app health", "interactive": True}
            with self.assertRaises(ClientError) as caught:
                self.stack.ecs.execute_command(cluster="cluster", **asked)
            return caught.exception.response["Error"]["Code"], caught.exception.response["Error"]["Message"]

        self.assertFalse(task()["enableExecuteCommand"])
        self.assertNotIn("managedAgents", task()["containers"][0])
        code, message = refusal()
        self.assertEqual(code, "InvalidParameterException")
        self.assertIn("was not enabled when the task was run", message)
        deployment = self.stack.update_service(enableExecuteCommand=True, forceNewDeployment=True)
        self.assertEqual(self.stack.settled(deployment), "COMPLETED")
        self.assertTrue(task()["enableExecuteCommand"])
        (agent,) = task()["containers"][0]["managedAgents"]
        self.assertEqual((agent["name"], agent["lastStatus"]), ("ExecuteCommandAgent", "STOPPED"))
        self.assertEqual(refusal(), ("InvalidParameterException", agent["reason"]))
        # What is run instead works.
        command = agent["reason"].rpartition("run here: ")[2].split()
        self.assertEqual(command[:1], ["curl"])
        self.assertEqual(urllib.request.urlopen(command[1]).status, 200)

    def test_a_task_that_is_killed_says_how_it_ended_and_is_replaced(self):
        self.running()
        (before,) = self.stack.ecs.list_tasks(cluster="cluster")["taskArns"]
        os.kill(int(self.stand_in.page()["PID"]), signal.SIGKILL)
        until(lambda: self.stack.ecs.list_tasks(cluster="cluster")["taskArns"] not in ([], [before]))
        (stopped,) = self.stack.ecs.describe_tasks(cluster="cluster", tasks=[before])["tasks"]
        self.assertEqual((stopped["stopCode"], stopped["containers"][0]["exitCode"]), ("EssentialContainerExited", 137))
        until(lambda: self.stack.health(8501) == [("healthy", None)])
        self.assertNotEqual(self.stand_in.page()["PID"], before)

    def test_the_desired_count_stops_and_starts_tasks(self):
        self.running()
        for count in (0, 2):
            self.stack.update_service(desiredCount=count)
            until(lambda count=count: self.stack.health(8501) == [("healthy", None)] * count)
            self.assertEqual(self.stack.service()["runningCount"], count)
        said = [event["message"].partition(":")[0] for event in self.stack.service()["events"]]
        self.assertIn("(service service) has stopped 1 running tasks", said)
        self.assertIn("(service service) has started 1 tasks", said)

    def test_a_task_that_answers_badly_is_replaced_and_given_up(self):
        deployment = self.stack.create_service(self.stack.task_definition(ILL="1"), grace=3)
        until(lambda: ("unhealthy", "Target.ResponseCodeMismatch") in self.stack.health(8501))
        until(lambda: self.stack.service()["deployments"][0]["rolloutState"] == "FAILED")
        self.assertEqual(self.stack.service()["deployments"][0]["id"], deployment["id"])
        for code, reason in self.stack.stop_reasons():
            self.assertEqual(code, "ServiceSchedulerInitiated")
            self.assertTrue(reason.startswith("Task failed ELB health checks in (target-group arn:"), reason)

    def test_a_task_whose_own_check_fails_is_replaced_and_given_up(self):
        self.stack.create_service(self.stack.task_definition(SICK="1"))
        until(lambda: self.stack.service()["deployments"][0]["rolloutState"] == "FAILED")
        reason = ("ServiceSchedulerInitiated", "Task failed container health checks")
        self.assertEqual(set(self.stack.stop_reasons()), {reason})

    def test_a_task_that_cannot_start_says_what_aws_says(self):
        missing = {
            "CannotPullContainerError: pull image manifest": {"digest": digest(b"another image")},
            "ResourceInitializationError: failed to validate logger args": {"group": "/unknown"},
        }
        for prefix, fault in missing.items():
            with self.subTest(prefix):
                definition = self.stack.task_definition(**fault)
                task = self.stack.ecs.run_task(cluster="cluster", taskDefinition=definition)["tasks"][0]["taskArn"]

                def stopped(task=task):
                    described = self.stack.ecs.describe_tasks(cluster="cluster", tasks=[task])["tasks"][0]
                    return described if described["lastStatus"] == "STOPPED" else None

                stopped = until(stopped)
                self.assertEqual(stopped["stopCode"], "TaskFailedToStart")
                self.assertTrue(stopped["stoppedReason"].startswith(prefix), stopped["stoppedReason"])

    def test_a_file_system_without_a_mount_target_cannot_be_mounted(self):
        for mount in self.stack.efs.describe_mount_targets(FileSystemId=self.stack.disk)["MountTargets"]:
            self.stack.efs.delete_mount_target(MountTargetId=mount["MountTargetId"])
        deployment = self.stack.create_service(self.stack.task_definition())
        self.assertEqual(self.stack.settled(deployment), "FAILED")
        for _code, reason in self.stack.stop_reasons():
            self.assertTrue(reason.startswith("ResourceInitializationError: failed to invoke EFS utils"), reason)

    def test_a_group_that_no_listener_leads_to_is_not_in_use(self):
        self.running()
        self.assertEqual(self.stack.health(8501), [("healthy", None)])
        for load_balancer in self.stack.elb.describe_load_balancers()["LoadBalancers"]:
            arn = load_balancer["LoadBalancerArn"]
            for listener in self.stack.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
                self.stack.elb.delete_listener(ListenerArn=listener["ListenerArn"])
        self.assertEqual(self.stack.health(8501), [("unused", "Target.NotInUse")])

    def test_the_registry_takes_only_whole_images_from_who_has_the_token(self):
        ecr, image = self.stack.ecr, self.stack.image
        ecr.create_repository(repositoryName="other")
        wanted = {"repositoryName": "other", "imageManifest": image.manifest, "imageTag": "one"}
        self.refused("LayersNotFoundException", ecr.put_image, **wanted)
        self.refused("ImageNotFoundException", ecr.describe_images, repositoryName="other", imageIds=[{"imageTag": "one"}])
        image.push(ecr, "other")
        self.refused("ImageAlreadyExistsException", ecr.put_image, **wanted)

        upload = ecr.initiate_layer_upload(repositoryName="other")["uploadId"]
        part = {"repositoryName": "other", "uploadId": upload}
        ecr.upload_layer_part(**part, partFirstByte=0, partLastByte=3, layerPartBlob=b"dama")
        self.refused("InvalidLayerException", ecr.complete_layer_upload, **part, layerDigests=[digest(b"damage")])

        address = f"http://127.0.0.1:{self.stand_in.gateway}/v2/other/manifests/one"
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address)
        self.assertEqual(refused.exception.code, 401)
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, address, *token(ecr).split(":"))
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
        self.assertEqual(opener.open(address).read(), image.manifest.encode())

    def test_scaling_needs_its_service_and_raises_it_to_the_minimum(self):
        scaling = self.stack.scaling
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": "service/cluster/service",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        register = scaling.register_scalable_target
        self.refused("ValidationException", register, **target, MinCapacity=1, MaxCapacity=2)
        self.running()
        register(**target, MinCapacity=2, MaxCapacity=4)
        self.assertEqual(self.stack.service()["desiredCount"], 2)
        policy = {"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
        tracking = {"TargetValue": 70.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
        scaling.put_scaling_policy(**target, **policy, TargetTrackingScalingPolicyConfiguration=tracking)
        (found,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
        self.assertEqual(found["TargetTrackingScalingPolicyConfiguration"], tracking)
        scaling.deregister_scalable_target(**target)
        self.assertEqual(scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"], [])
        self.refused("ObjectNotFoundException", scaling.deregister_scalable_target, **target)

    def test_linked_roles_have_their_real_names_and_exist_once(self):
        iam = self.stand_in.client("iam")
        names = {
            "ecs.amazonaws.com": "AWSServiceRoleForECS",
            "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
        }
        for service, name in names.items():
            made = iam.create_service_linked_role(AWSServiceName=service)
            self.assertEqual(made["Role"]["RoleName"], name)
            self.assertTrue(iam.get_role(RoleName=name)["Role"]["Arn"].endswith(f"/{service}/{name}"))
            self.refused("InvalidInput", iam.create_service_linked_role, AWSServiceName=service)

    def test_what_was_deployed_comes_back_after_a_stop(self):
        self.running(VERSION="1")
        before = self.stack.ecs.list_tasks(cluster="cluster")["taskArns"]
        self.stand_in.stop()
        self.stand_in.start()

        def answers():
            try:
                return self.stand_in.page()["VERSION"]
            except OSError:
                return None

        self.assertEqual(until(answers), "1")
        after = self.stack.ecs.list_tasks(cluster="cluster")["taskArns"]
        self.assertEqual(len(after), 1)
        self.assertNotEqual(before, after)

    def test_only_what_lives_is_reported_as_left(self):
        self.running()
        owned = self.stand_in.control("owned")
        self.assertIn("ecs: cluster/service", owned)
        self.assertIn(f"efs: {self.stack.disk}", owned)
        self.stack.ecs.delete_service(cluster="cluster", service="service", force=True)
        self.stack.ecs.delete_cluster(cluster="cluster")
        self.stack.secrets.delete_secret(SecretId="keys", ForceDeleteWithoutRecovery=True)
        self.stack.logs.delete_log_group(logGroupName="/service")
        self.stack.efs.delete_access_point(AccessPointId=self.stack.access)
        for mount in self.stack.efs.describe_mount_targets(FileSystemId=self.stack.disk)["MountTargets"]:
            self.stack.efs.delete_mount_target(MountTargetId=mount["MountTargetId"])
        self.stack.efs.delete_file_system(FileSystemId=self.stack.disk)
        self.assertEqual(self.stand_in.control("owned"), [])


if __name__ == "__main__":
    unittest.main()
