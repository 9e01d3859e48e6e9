"""Runs that do not come to their end."""

import signal
import unittest

from tests.world import AccountTest


class InterruptedTest(AccountTest):
    def interrupted(self, with_signal):
        """Begins a deploy, and sends a signal when the load balancer is being made."""
        running = self.provision.start("deploy", "--yes", "--image-layout", self.one.folder)
        talk = []
        for line in running.stderr:
            talk.append(line)
            if "load-balancer" in line and line.rstrip().endswith("started"):
                running.send_signal(with_signal)
                break
        talk += running.stderr
        running.wait()
        running.stdout.close()
        running.stderr.close()
        return running.returncode, "".join(talk)

    def goes_on(self):
        before = self.changes("--image-layout", self.one.folder)
        # When the signal came, there was a network, and no service that runs.
        self.assertIn("create scaling", before)
        self.assertNotIn("create network", before)
        self.deploy("--image-layout", self.one.folder)
        self.is_as_described()
        self.provision.run("destroy", "--yes", "--delete-data")
        self.nothing_is_left()

    def test_a_deploy_that_is_killed_is_continued_by_the_next_and_nothing_exists_twice(self):
        code, _ = self.interrupted(signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        self.goes_on()

    def test_a_deploy_that_is_asked_to_stop_finishes_what_it_began_and_gives_its_lock_back(self):
        code, talk = self.interrupted(signal.SIGTERM)
        self.assertEqual(code, 1, talk)
        self.assertIn("run the same command again to continue", talk)
        self.goes_on()


if __name__ == "__main__":
    unittest.main()
