"""What a person does on the first day with an account."""

import json
import unittest

from tests.world import AccountTest


class FirstDayTest(AccountTest):
    def test_a_stack_comes_from_nothing_and_leaves_nothing(self):
        self.provision.run("validate")
        self.assertIn("none of our names is another's; 0 of", self.provision.run("doctor").stdout)
        layout = ("--image-layout", self.one.folder)
        planned = self.changes(*layout)
        self.assertEqual({change.split()[0] for change in planned}, {"create"})
        self.provision.run("plan", "--exit-code", *layout, code=2)
        self.deploy(*layout)
        self.is_as_described()
        doctor = {finding["what"]: finding for finding in self.provision.told("doctor")["findings"]}
        self.assertEqual(doctor["certificate"]["verdict"], "good")

        outputs = self.provision.told("outputs")["outputs"]
        (balancer,) = self.moto.client("elbv2").describe_load_balancers()["LoadBalancers"]
        self.assertEqual(outputs["load-balancer"], balancer["LoadBalancerArn"])
        self.assertEqual(outputs["url"], f"https://{balancer['DNSName']}/")
        status = self.provision.run("status").stdout
        self.assertIn("1 of 1 tasks running", status)
        self.assertEqual(status.count(" healthy"), 2)
        self.assertIn(f"@{self.one.digest}  runs", self.provision.run("history").stdout)

        self.provision.run("destroy", "--yes", "--delete-data")
        self.nothing_is_left()
        self.assertIn("no service yet", self.provision.run("status").stderr)
        self.provision.run("destroy", "--yes", "--delete-data")

    def test_what_holds_data_is_kept_and_taken_up_again(self):
        self.deploy("--image-layout", self.one.folder)
        self.provision.run("secrets", "set", "WXTECH_API_KEY", stdin="a key")
        efs, secrets, ecr = (self.moto.client(name) for name in ("efs", "secretsmanager", "ecr"))

        def kept():
            (disk,) = efs.describe_file_systems()["FileSystems"]
            (secret,) = secrets.list_secrets()["SecretList"]
            value = json.loads(secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"])
            (repository,) = ecr.describe_repositories()["repositories"]
            images = ecr.list_images(repositoryName=repository["repositoryName"])["imageIds"]
            return disk["FileSystemId"], secret["ARN"], value["WXTECH_API_KEY"], repository["createdAt"], images

        before = kept()
        talk = self.provision.run("destroy", "--yes").stderr
        for part in ("kept because they hold data", "secret api-keys", "ECR repository repository", "EFS file system cache"):
            self.assertIn(part, talk)
        self.assertEqual(kept(), before)
        self.assertIn("--image-layout", self.provision.run("deploy", "--yes", code=3).stderr)
        self.deploy("--image-layout", self.one.folder)
        self.assertEqual(kept(), before)
        self.is_as_described()
        self.provision.run("destroy", "--yes", "--delete-data")
        self.nothing_is_left()

    def test_another_image_runs_and_the_one_before_it_comes_back(self):
        self.deploy("--image-layout", self.one.folder)
        changed = self.changes("--image-layout", self.two.folder)
        self.assertEqual(changed, {"create image": []})
        self.deploy("--image-layout", self.two.folder)
        self.is_as_described()
        self.assertEqual(self.running(), self.two.digest)
        talk = self.provision.run("rollback", "--yes").stderr
        self.assertIn("revision 1 runs", talk)
        self.assertEqual(self.running(), self.one.digest)
        # What runs was not chosen by a deploy, and the next one says so.
        self.assertEqual(self.changes(), {"update task": ["container.image"]})
        self.deploy("--image-layout", self.two.folder)
        self.assertEqual(self.running(), self.two.digest)
        history = self.provision.told("history")
        self.assertEqual([run["verb"] for run in history["runs"]], ["deploy", "rollback", "deploy", "deploy"])

    def running(self):
        """The digest of the image that every running task has."""
        ecs = self.moto.client("ecs")
        (cluster,) = ecs.list_clusters()["clusterArns"]
        tasks = ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]
        images = {
            container["image"].partition("@")[2]
            for task in ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"]
            for container in task["containers"]
        }
        (digest,) = images
        return digest

    def test_a_changed_setting_is_planned_and_deployed_alone(self):
        self.deploy("--image-layout", self.one.folder)
        settings = {
            "alarms.cpu_percent=80": {"update alarms": ["cpu.description", "cpu.threshold"]},
            "edge.idle_timeout_seconds=90": {"update load-balancer": ["attributes.idle_timeout.timeout_seconds"]},
            "images.keep=7": {"update repository": ["lifecycle_policy.rules"]},
            "logs.retention_days=90": {"update service-log": ["retention_days"]},
            "scaling.max=3": {"update scaling": ["max"]},
            "storage.transition_to_ia_days=60": {"update cache": ["transition_to_ia"]},
            "task.memory_mib=4096": {"update task": ["memory"]},
        }
        together = [word for setting in settings for word in ("--set", setting)]
        for setting, wanted in settings.items():
            with self.subTest(setting):
                self.assertEqual(self.changes("--set", setting), wanted)
        self.deploy(*together)
        self.is_as_described(*together)
        back = {name: paths for change in settings.values() for name, paths in change.items()}
        self.assertEqual(self.changes(), back)
        self.deploy()
        self.is_as_described()

    def test_keys_are_set_and_listed_and_never_shown(self):
        self.deploy("--image-layout", self.one.folder)
        said = self.provision.run("secrets", "set", "OPENAI_API_KEY", stdin="sesame")
        file = self.one.folder / "keys"
        file.write_text("GEMINI_API_KEY=open\n")
        imported = self.provision.run("secrets", "import", str(file))
        listed = self.provision.run("secrets", "list")
        told = {line.split()[0]: line.split()[1] for line in listed.stdout.splitlines()}
        self.assertEqual({key for key, state in told.items() if state == "set"}, {"OPENAI_API_KEY", "GEMINI_API_KEY"})
        for words in (said, imported, listed):
            self.assertNotIn("sesame", words.stdout + words.stderr)
        secrets = self.moto.client("secretsmanager")
        (secret,) = secrets.list_secrets()["SecretList"]
        value = json.loads(secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"])
        self.assertEqual((value["OPENAI_API_KEY"], value["GEMINI_API_KEY"]), ("sesame", "open"))
        # Their values are nobody's description.
        self.is_as_described()


if __name__ == "__main__":
    unittest.main()
