"""What a worker is doing, without ending it: the stacks of its threads and of its asyncio tasks.

The worker link's thread reads them, which needs the GIL. Where that is held, faulthandler's signal handler writes those of the threads, in
C, to a connection of their own. In this order: faulthandler looks at frames without the GIL, and a thread that runs meanwhile can make
it crash the process. What faulthandler writes when the process dies of a fault goes to the same connection.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
from typing import Any

#: Nobody else's by custom, unlike SIGUSR1 and SIGUSR2. None where there are no real-time signals.
STACKS_SIGNAL: int | None = int(signal.SIGRTMIN) + 9 if hasattr(signal, "SIGRTMIN") else None

_kept: list[socket.socket] = []


def offer(connection: socket.socket) -> None:
    """From now on STACKS_SIGNAL and a fault (SIGSEGV, SIGABRT...) write the Python stacks of all threads to this connection."""
    import faulthandler

    _kept.append(connection)
    # An app that enables it itself, for a file of its own, does so later and has its way.
    faulthandler.enable(file=connection.fileno())
    if STACKS_SIGNAL is not None:
        faulthandler.register(STACKS_SIGNAL, file=connection.fileno(), all_threads=True)


def describe_threads() -> str:
    """The stacks of all threads but the one that asks, innermost first, as faulthandler writes them."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines = []
    for ident, top in sys._current_frames().items():
        if ident == threading.get_ident():
            continue
        lines.append(f"Thread 0x{ident:016x} [{names.get(ident, '?')}] (most recent call first):\n")
        frame: Any = top
        while frame is not None:
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno} in {code.co_name}\n')
            frame = frame.f_back
    return "".join(lines)


def describe_tasks(loop: Any) -> str:
    """The unfinished tasks of this loop with their stacks, from another thread."""
    if hasattr(loop, "describe_tasks"):  # gevent's
        return str(loop.describe_tasks())
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or loop is None:
        return ""
    for _ in range(5):
        try:
            tasks = asyncio.all_tasks(loop)
            break
        except RuntimeError:
            continue  # The set changed while it was read.
    else:
        return ""
    return "".join(describe_task(task) for task in tasks)


def describe_task(task: Any) -> str:
    """What a task is waiting for, innermost last."""
    from traceback import StackSummary

    lines = [f"Task {task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')}):\n"]
    awaiting: Any = task.get_coro()
    while awaiting is not None:
        frame = _first(awaiting, "cr_frame", "gi_frame", "ag_frame")
        if frame is None:
            break
        lines += StackSummary.extract([(frame, frame.f_lineno)], lookup_lines=False).format()
        awaiting = _first(awaiting, "cr_await", "gi_yieldfrom", "ag_await")
    return "".join(lines)


def _first(of: Any, *names: str) -> Any:
    found = (getattr(of, name, None) for name in names)
    return next((one for one in found if one is not None), None)
