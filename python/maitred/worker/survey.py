"""What a preloaded app holds that a fork cannot share: threads, sockets, connections, event loops, generators of random numbers.

Looked at once, after the import and before the first fork. Nothing is patched to find out: the kernel tells of sockets, the garbage
collector of objects, and what refers to an object tells where it is held.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from typing import Any, Callable

#: More of a kind are counted, not named.
_MOST_NAMED = 3
#: How far from a module's global an object is looked for, and among how many.
_DEPTH = 6
_WIDTH = 400

_ONE_FOR_ALL = "all workers would speak on it at once; open it in the worker, at its first use"
_SAME_NUMBERS = "every worker would draw the same numbers from it; make it in the worker"


def _is_open_sqlite(connection: Any) -> bool:
    try:
        connection.total_changes  # noqa: B018 - raises where it is closed
    except Exception:
        return False
    return True


#: (module, class, whether this object matters, what that means). Subclasses count.
_KINDS: tuple[tuple[str, str, Callable[[Any], bool], str], ...] = (
    (
        "sqlite3",
        "Connection",
        _is_open_sqlite,
        "SQLite forbids its use in a forked process; open it in the worker, at its first use",
    ),
    ("psycopg", "Connection", lambda it: not it.closed, _ONE_FOR_ALL),
    ("psycopg", "AsyncConnection", lambda it: not it.closed, _ONE_FOR_ALL),
    ("psycopg2.extensions", "connection", lambda it: not it.closed, _ONE_FOR_ALL),
    (
        "psycopg_pool",
        "ConnectionPool",
        lambda it: not it.closed,
        "its threads do not exist in the workers; open it in the worker",
    ),
    ("asyncpg", "Connection", lambda it: not it.is_closed(), _ONE_FOR_ALL),
    ("pymysql.connections", "Connection", lambda it: it.open, _ONE_FOR_ALL),
    ("MySQLdb.connections", "Connection", lambda it: it.open, _ONE_FOR_ALL),
    ("redis.connection", "AbstractConnection", lambda it: getattr(it, "_sock", None) is not None, _ONE_FOR_ALL),
    ("pymongo", "MongoClient", lambda it: True, "its threads do not exist in the workers; make it in the worker"),
    ("grpc", "Channel", lambda it: True, "gRPC hangs in forked processes; make it in the worker"),
    (
        "asyncio",
        "AbstractEventLoop",
        lambda it: not it.is_closed(),
        "its descriptors are shared by all workers; make it in the worker, or close it",
    ),
    ("numpy.random", "Generator", lambda it: True, _SAME_NUMBERS),
)


def survey(before: set[int]) -> list[str]:
    """Sentences for the operator. `before` are the descriptors that were open before the import."""
    return [*_threads(), *_objects(), *_sockets(before)]


def descriptors() -> set[int]:
    """Every open descriptor; none where the system does not tell."""
    try:
        return {int(name) for name in os.listdir("/proc/self/fd")}
    except (OSError, ValueError):
        return set()


def reseed() -> None:
    """In a worker: `random` does it itself (os.register_at_fork), numpy does not."""
    seed = getattr(sys.modules.get("numpy.random"), "seed", None)
    if seed is not None:
        try:
            seed()
        except Exception:
            pass


# Private


def _threads() -> list[str]:
    """Threads that live now will not live in a forked worker, and locks they hold stay locked there."""
    threading = sys.modules.get("threading")
    names = (
        [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()] if threading else []
    )
    try:
        others = len(os.listdir("/proc/self/task")) - 1 - len(names)
    except OSError:
        others = 0
    if others > 0:
        names.append(f"{others} not made by Python")
    if not names:
        return []
    who = ", ".join(names)
    return [
        f"the app has started threads while it was imported ({who}): they do not exist in the workers, forked after --preload"
    ]


def _objects() -> list[str]:
    kinds = []
    for module, name, matters, advice in _KINDS:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type):
            kinds.append((found, f"{module}.{name}", matters, advice))
    if not kinds:
        return []
    # By exact type, asked once for each: isinstance would wake lazy objects through their `__class__`.
    known: dict[type, int] = {}
    found_by_kind: dict[int, list[Any]] = {}
    for thing in gc.get_objects():
        kind = type(thing)
        place = known.get(kind)
        if place is None:
            mro = type.__dict__["__mro__"].__get__(kind)
            place = known[kind] = next((at for at, row in enumerate(kinds) if row[0] in mro), -1)
        if place >= 0 and _holds(kinds[place][2], thing):
            found_by_kind.setdefault(place, []).append(thing)
    return [_sentence(kinds[place][1], things, kinds[place][3]) for place, things in found_by_kind.items()]


def _holds(matters: Callable[[Any], bool], thing: Any) -> bool:
    try:
        return bool(matters(thing))
    except Exception:  # Half made, or of another version: it will not be in anybody's way.
        return False


def _sentence(name: str, things: list[Any], advice: str) -> str:
    held = [path for path in (_held_by(thing) for thing in things[:_MOST_NAMED]) if path]
    where = f" (held by {', '.join(held)})" if held else ""
    count = "an open" if len(things) == 1 else f"{len(things)} open"
    if name.startswith("numpy"):
        count = count.replace(" open", "") if len(things) > 1 else "a"
    return f"the app has made {count} {name} while it was imported{where}: {advice}"


def _held_by(thing: Any) -> str:
    """`package.module.name`, the global that leads there; "" where it is not near one."""
    modules = {id(vars(module)): name for name, module in list(sys.modules.items()) if type(module) is type(sys)}
    frontier: list[Any] = [thing]
    seen = {id(thing)}
    for _ in range(_DEPTH):
        wanted = {id(one) for one in frontier}
        further: list[Any] = []
        for referrer in gc.get_referrers(*frontier):
            if (
                id(referrer) in seen
                or referrer is frontier
                or referrer is further
                or type(referrer).__name__ == "frame"
            ):
                continue
            seen.add(id(referrer))
            module = modules.get(id(referrer))
            if module is None:
                further.append(referrer)
                continue
            if module.startswith("maitred.") or module == "gc":
                continue
            return next((f"{module}.{name}" for name, value in referrer.items() if id(value) in wanted), module)
        if not further or len(further) > _WIDTH:
            return ""
        frontier = further
    return ""


def _sockets(before: set[int]) -> list[str]:
    named: list[str] = []
    for descriptor in sorted(descriptors() - before):
        try:
            if os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
                named += _describe(descriptor)
        except OSError:
            continue  # Closed meanwhile; or the one that listed the folder.
    if not named:
        return []
    more = f" and {len(named) - 10} more" if len(named) > 10 else ""
    return [
        f"sockets opened while the app was imported are still open ({', '.join(named[:10])}{more}): every worker would have the same"
    ]


def _describe(descriptor: int) -> Iterable[str]:
    import socket

    with socket.socket(fileno=os.dup(descriptor)) as connection:
        try:
            peer = connection.getpeername()
        except OSError:
            own = connection.getsockname()
            return [f"at {_address(own)}"] if own else []
        # Two ends of a pair in this process have no names: an event loop's, and told with it.
        return [f"to {_address(peer)}"] if peer else []


def _address(address: Any) -> str:
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return os.fsdecode(address).replace("\0", "@")
