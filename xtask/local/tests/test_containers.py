"""Tasks as real containers, where there is an engine for them."""

import os
import subprocess
import unittest

from tests.world import ENGINE, Stack, StandIn, until


@unittest.skipUnless(ENGINE, "no container engine answers")
class ContainerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import docker

        cls.engine = docker.from_env()
        # The engine takes images without TLS from this port alone.
        cls.stand_in = StandIn(ENGINE, int(os.environ["STAND_IN_TEST_GATEWAY"]))
        cls.addClassCleanup(cls.stand_in.close)
        cls.stack = Stack(cls.stand_in)
        cls.service = cls.stack.create_service(cls.stack.task_definition(HELLO="world"), grace=60)
        cls.stack.settled(cls.service)

    def tasks(self):
        return self.stack.ecs.list_tasks(cluster="cluster")["taskArns"]

    def container(self, task):
        (found,) = self.engine.containers.list(filters={"label": f"com.amazonaws.ecs.task-arn={task}"})
        return found

    def ended(self, end):
        """Ends the container of the one task; tells of the task when another one is there and answers."""
        (task,) = self.tasks()
        end(self.container(task))
        until(lambda: self.tasks() not in ([], [task]))
        until(lambda: self.stack.health(8501) == [("healthy", None)])
        self.assertEqual(self.stand_in.page()["HELLO"], "world")
        (stopped,) = self.stack.ecs.describe_tasks(cluster="cluster", tasks=[task])["tasks"]
        return stopped["stopCode"], stopped["stoppedReason"], stopped["containers"][0]["exitCode"]

    def test_a_task_is_a_container_as_its_definition_describes_it(self):
        told = self.stand_in.page()
        self.assertEqual((told["PID"], told["USER_ID"], told["ROOT"]), ("1", "65532", "read-only"))
        (task,) = self.tasks()
        self.assertEqual(self.container(task).attrs["HostConfig"]["Memory"], 512 << 20)

    def test_what_a_task_names_instead_of_a_session_runs_in_its_container(self):
        deployment = self.stack.update_service(enableExecuteCommand=True, forceNewDeployment=True)
        self.assertEqual(self.stack.settled(deployment), "COMPLETED")
        (task,) = self.tasks()
        (described,) = self.stack.ecs.describe_tasks(cluster="cluster", tasks=[task])["tasks"]
        (agent,) = described["containers"][0]["managedAgents"]
        command = agent["reason"].rpartition("run here: ")[2].split()
        self.assertIn(self.container(task).id[:12], command)
        self.assertEqual(command[-2:], ["/app/app", "health"])
        subprocess.run(command, check=True, timeout=60)

    def test_a_container_that_is_killed_or_removed_is_a_stopped_task_and_another_one_comes(self):
        reason = ("EssentialContainerExited", "Essential container in task exited", 137)
        self.assertEqual(self.ended(lambda container: container.kill()), reason)
        self.assertEqual(self.ended(lambda container: container.remove(force=True)), reason)

    def test_a_broken_image_is_given_up_and_the_last_good_one_stays(self):
        # Not every engine can tell why the system has killed something, but all tell that it has.
        faults = {"CRASH": 3, "GREEDY": 137}
        for fault, code in faults.items():
            with self.subTest(fault):
                definition = self.stack.task_definition(**{fault: "1"})
                deployment = self.stack.update_service(taskDefinition=definition)
                self.assertEqual(self.stack.settled(deployment), "FAILED")
                self.assertEqual(self.stand_in.page()["HELLO"], "world")
                stopped = self.stack.ecs.list_tasks(cluster="cluster", desiredStatus="STOPPED")["taskArns"]
                tasks = self.stack.ecs.describe_tasks(cluster="cluster", tasks=stopped)["tasks"]
                tasks = [task for task in tasks if task["taskDefinitionArn"] == definition]
                self.assertEqual([task["stopCode"] for task in tasks], ["EssentialContainerExited"] * 3)
                self.assertEqual([task["containers"][0]["exitCode"] for task in tasks], [code] * 3)
        said = [it["message"] for it in self.stack.logs.filter_log_events(logGroupName="/service")["events"]]
        self.assertEqual(said.count("cannot start"), 3, said)


if __name__ == "__main__":
    unittest.main()
