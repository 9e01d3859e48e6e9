"""Runs every test, several at once: each has an account of its own."""

import argparse
import os
import subprocess
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from around_moto import deviations

# Most of their time they wait for a rollout.
_AT_ONCE = 4

_HERE = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(prog="tests")
    parser.add_argument("-k", metavar="PART", default="", help="only tests with this in their name")
    parser.add_argument("--first-failure", action="store_true", help="begin no test after the first failure")
    parser.add_argument("--needed", action="store_true", help="leave out each deviation in turn: some test must miss it")
    arguments = parser.parse_args()
    sys.exit(_needed() if arguments.needed else _run(arguments.k, arguments.first_failure))


def _run(part, only_first_failure):
    suite = unittest.defaultTestLoader.discover(str(_HERE), top_level_dir=str(_HERE.parent))
    failed = threading.Event()

    def run(test):
        result = unittest.TextTestResult(unittest.runner._WritelnDecorator(sys.stderr), descriptions=False, verbosity=0)
        if not (only_first_failure and failed.is_set()):
            test.run(result)
        if not result.wasSuccessful():
            failed.set()
        return result

    with ThreadPoolExecutor(_AT_ONCE) as workers:
        results = list(workers.map(run, (test for test in _tests(suite) if part in test.id())))
    for result in results:
        result.printErrors()
    bad = sum(not result.wasSuccessful() for result in results)
    print(f"{sum(result.testsRun for result in results) - bad} passed, {bad} failed")
    return int(failed.is_set())


def _tests(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from _tests(part)
        else:
            yield part


def _needed():
    """A deviation that no test misses is one too many: moto, or `provision`, has changed."""
    superfluous = 0
    for name in deviations.names():
        environment = os.environ | {"WITHOUT_DEVIATION": name}
        command = [sys.executable, "-m", "tests", "--first-failure"]
        without = subprocess.run(command, cwd=_HERE.parent, env=environment, capture_output=True, check=False)
        superfluous += without.returncode == 0
        print(f"{name}: {'needed' if without.returncode else 'NOT NEEDED, remove it'}", flush=True)
    return int(superfluous > 0)


if __name__ == "__main__":
    main()
