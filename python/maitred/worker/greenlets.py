"""gevent in the application's environment: found, and applied to the standard library before anything of the app is imported.

It happens in the zygote, so that a preloaded app is patched too and the workers share what gevent occupies. The zygote itself
runs no hub: it keeps the functions it imported before (zygote.py), and a worker makes its own hub at its first need.
"""

from __future__ import annotations

import sys
from typing import Any

from maitred.worker.importing import LoadError

#: Before this one, patching under Python 3.9 and later missed parts of threading and contextvars.
_OLDEST = (21, 1)

#: Modules that keep what they took from the standard library when they were imported: patched afterwards they still block.
_TOO_EARLY = ("urllib3", "requests", "redis", "pymysql", "pymongo", "psycopg", "grpc")


def patch() -> list[str]:
    """Patch everything; what an operator should know about it. Raises LoadError where it cannot be done."""
    try:
        import gevent
        from gevent import monkey
    except ImportError as error:
        if (error.name or "").split(".")[0] == "gevent":
            raise LoadError(
                "boot",
                f"the worker class gevent needs gevent, which {sys.executable} does not have: pip install gevent, "
                "or take -k gthread with --threads N",
            ) from None
        raise LoadError("boot", f"gevent cannot be imported: {error}") from None
    if tuple(map(int, gevent.__version__.split(".")[:2])) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise LoadError("boot", f"gevent {gevent.__version__} is too old: {oldest} or later is needed")
    early = [name for name in _TOO_EARLY if name in sys.modules]
    if early:
        raise LoadError(
            "boot",
            f"{', '.join(early)} had been imported before gevent could patch the standard library (by a .pth file, "
            "sitecustomize or usercustomize of this Python), so its sockets would block every other request of the "
            "worker: keep it out of there, or take -k gthread with --threads N",
        )
    return _patch_all(monkey)


def _patch_all(monkey: Any) -> list[str]:
    # Only gevent's own warnings are caught: `warnings` itself may be set up by -W or PYTHONWARNINGS to raise.
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        monkey.patch_all()
    for module in ("socket", "ssl", "threading", "time", "select", "subprocess"):
        if module != "ssl" and not monkey.is_module_patched(module):
            raise LoadError(
                "boot", f"gevent did not patch {module}: a variable GEVENT_... or a plug-in keeps it from it"
            )
    return [str(warning.message) for warning in caught if "gevent" in warning.category.__module__]


def psycopg2_blocks() -> str | None:
    """psycopg2 waits in C, where gevent cannot help, unless the app gives it a wait callback (psycopg2 "Support for coroutine libraries")."""
    extensions = sys.modules.get("psycopg2.extensions")
    if extensions is None or extensions.get_wait_callback() is not None:
        return None
    return (
        "psycopg2 is imported and waits for the database without letting other requests of the worker run: "
        "pip install psycogreen and call psycogreen.gevent.patch_psycopg() in the app, or use psycopg 3"
    )


def after_fork() -> None:
    """In the worker: a hub that the app's import has made is the zygote's until it is told."""
    import gevent

    gevent.reinit()
