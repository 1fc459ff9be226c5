"""The thread that listens to the worker link: it hands back requests which wait behind a slow one (PROTOCOL.md, `recall`), tells what its
threads and the event loop's tasks are doing (`stacks`), and tells the loop that time is up (`hurry`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Callable

from maitred.worker.interrupt import interrupt
from maitred.worker.link import JsonLink
from maitred.worker.modules import Modules
from maitred.worker.seat import Seat
from maitred.worker.stacks import describe_tasks, describe_threads
from maitred.worker.wsgi import ClientGone


def answer_recalls(
    link: JsonLink,
    seats: Sequence[Seat],
    board: memoryview,
    loop: Any = None,
    hurry: Callable[[], None] | None = None,
    modules: Modules | None = None,
) -> None:
    """Start the thread. A seat that is not in `seats`, an asyncio one, has always started everything."""
    known = (link, seats, board, loop, hurry, modules)
    threading.Thread(target=_answer, args=known, name="maitred-recall", daemon=True).start()


def _answer(
    link: JsonLink,
    seats: Sequence[Seat],
    board: memoryview,
    loop: Any,
    hurry: Callable[[], None] | None,
    modules: Modules | None,
) -> None:
    try:
        while True:
            messages = link.receive()
            if messages is None:
                return
            for message in messages:
                kind = message.get("type")
                if kind == "recall":
                    number = message["seat"]
                    ids = seats[number].give_back() if number < len(seats) else []
                    link.send({"type": "returned", "seat": number, "ids": ids})
                elif kind == "interrupt" and message["seat"] < len(seats):
                    number = message["seat"]
                    interrupt(board, number, message["sequence"], seats[number].thread, ClientGone)
                elif kind == "interrupt" and hasattr(loop, "interrupt"):  # gevent's
                    loop.interrupt(message["sequence"], ClientGone)
                elif kind == "stacks":
                    link.send({"type": "stacks", "text": describe_threads() + describe_tasks(loop)})
                elif kind == "modules" and modules is not None:
                    link.send(modules.news())
                elif kind == "hurry" and hurry is not None:
                    try:
                        loop.call_soon_threadsafe(hurry)
                    except RuntimeError:
                        pass  # The loop is closed: it has hurried.
    except OSError:
        return  # The front is gone; the seats see it too.
