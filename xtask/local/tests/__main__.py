"""Runs every test, several at once: each has a stand-in of its own, and mostly waits."""

import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_AT_ONCE = 6


def _units(suite):
    """What may run side by side: single tests, but classes whose tests share something as a whole."""
    for part in suite:
        if not isinstance(part, unittest.TestSuite):
            yield part
        elif any("setUpClass" in vars(type(test)) for test in part):
            yield part
        else:
            yield from _units(part)


def _run(unit):
    result = unittest.TextTestResult(unittest.runner._WritelnDecorator(sys.stderr), descriptions=False, verbosity=0)
    unittest.TestSuite([unit]).run(result)
    return result


def main():
    suite = unittest.defaultTestLoader.discover(str(Path(__file__).parent), top_level_dir=str(Path(__file__).parents[1]))
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        results = list(workers.map(_run, _units(suite)))
    for result in results:
        result.printErrors()
    ran = sum(result.testsRun for result in results)
    failed = sum(len(result.failures) + len(result.errors) for result in results)
    skipped = [reason for result in results for _test, reason in result.skipped]
    for reason in sorted(set(skipped)):
        print(f"{skipped.count(reason)} skipped: {reason}")
    print(f"{ran - failed - len(skipped)} passed, {failed} failed")
    sys.exit(bool(failed))


main()
