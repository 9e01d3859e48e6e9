"""What is changed in moto: each module of this package is one deviation, and says what moto does, what AWS
does, and why the end-to-end test cannot do without. None of them knows of another.
"""

import importlib
import pkgutil


def names():
    """All deviations, in the order of the alphabet."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def install(without=None):
    """Puts all of them in place, or all but one."""
    if without is not None and without not in names():
        raise SystemExit(f"there is no deviation {without!r}; there are {', '.join(names())}")
    for name in names():
        if name != without:
            _module(name).install()


def described():
    """The deviations for people."""
    return "\n".join(f"{name}: {_module(name).__doc__}" for name in names())


def _module(name):
    return importlib.import_module(f"{__name__}.{name}")
