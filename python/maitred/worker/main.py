"""A worker's life after the fork: connect, load the app, say ready, serve, end."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

from maitred.worker import importing
from maitred.worker.complaint import complain
from maitred.worker.folders import told_folders
from maitred.worker.importing import LoadError
from maitred.worker.link import FrontAddress, JsonLink
from maitred.worker.modules import Modules
from maitred.worker.recall import answer_recalls
from maitred.worker.seat import Seat
from maitred.worker.stacks import offer
from maitred.worker.wsgi import WsgiSeat, base_environ


def load_application(start: dict[str, Any]) -> tuple[Any, str]:
    """The application and its interface, as `start` describes them."""
    from maitred.worker.interface import choose

    application = importing.load(start["app"], start["factory"])
    return application, choose(start["app"], application, start["interface"], start.get("interface_from", ""))


def gil_is_on() -> bool:
    """False in a free-threaded Python (PEP 703), as long as no module has asked for the GIL."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    return True if is_enabled is None else bool(is_enabled())


class Worker:
    """What one worker knows."""

    def __init__(self, start: dict[str, Any], number: int, board: memoryview) -> None:
        self._start = start
        self._number = number
        self._board = board
        self._front = FrontAddress(start["address"], start["abstract"], start["token"])
        self._modules = Modules() if start.get("modules") else None

    def run(self, loaded: tuple[Any, str] | None) -> int:
        """Serve until the front closes the seats; the exit code."""
        try:
            link = JsonLink(self._front.connect({"type": "worker", "worker": self._number, "pid": os.getpid()}))
            offer(self._front.connect({"type": "stacks", "worker": self._number}))
        except OSError:
            return 0  # The front is gone.
        try:
            app, interface = loaded or load_application(self._start)
            if interface == "asgi":
                self._serve_asgi(link, app)
            elif self._start.get("gevent"):
                self._serve_gevent(link, app)
            else:
                self._serve_wsgi(link, app)
        except LoadError as error:
            try:
                self._tell_modules(link, error)
                link.send(error.as_message())
            except OSError:
                pass
            return error.exit_code
        return 0

    def _tell_modules(self, link: JsonLink, error: LoadError | None = None) -> None:
        if self._modules is not None:
            link.send(self._modules.news(error))

    def _connect_seat(self, seat: int) -> Any:
        return self._front.connect({"type": "seat", "worker": self._number, "seat": seat})

    def _serve_wsgi(self, link: JsonLink, app: Any) -> None:
        threads = max(1, int(self._start.get("threads", 1)))
        base = base_environ(self._start["wsgi"], threads > 1)
        seats = [Seat(self._connect_seat(number)) for number in range(threads)]
        workers = [WsgiSeat(app, seat, base, self._board, number) for number, seat in enumerate(seats)]
        self._tell_modules(link)
        link.send(
            {
                "type": "ready",
                "interface": "wsgi",
                "seats": threads,
                "loop": None,
                "concurrent": False,
                "templates": True,
                **self._warnings(threads),
                **told_folders(),
            }
        )
        answer_recalls(link, seats, self._board, modules=self._modules)
        if threads == 1:
            workers[0].serve()
            return
        import threading

        running = [
            threading.Thread(target=_serve_or_die, args=(worker,), name=f"maitred-seat-{number}")
            for number, worker in enumerate(workers)
        ]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    def _warnings(self, threads: int) -> dict[str, list[str]]:
        """A free-threaded Python turns its GIL on when a module is imported that does not say it can do without."""
        if threads == 1 or threads != self._start.get("threads_without_gil") or not gil_is_on() or self._start["gil"]:
            return {}
        return {
            "warnings": [
                f"the GIL is on again, because the app imports a module that was not made for free threading (Python names it "
                f"in a warning): the {threads} threads of each worker take turns. PYTHON_GIL=0 keeps it off; or give -w and --threads"
            ]
        }

    def _serve_gevent(self, link: JsonLink, app: Any) -> None:
        from maitred.worker.gevent_seat import GeventSeat
        from maitred.worker.greenlets import psycopg2_blocks

        seat = GeventSeat(app, self._connect_seat(0), base_environ(self._start["wsgi"], True), self._board)
        blocks = psycopg2_blocks()
        ready = {
            "type": "ready",
            "interface": "wsgi",
            "seats": 1,
            "loop": "gevent",
            "concurrent": True,
            "templates": False,
            **told_folders(),
        }
        link.send({**ready, "warnings": [blocks]} if blocks else ready)
        answer_recalls(link, (), self._board, seat, seat.hurry)  # Its thread is a greenlet here.
        seat.serve()

    def _serve_asgi(self, link: JsonLink, app: Any) -> None:
        from maitred.worker import asgi_loop

        def ready(loop_name: str, loop: Any, hurry: Callable[[], None]) -> None:
            self._tell_modules(link)
            link.send(
                {
                    "type": "ready",
                    "interface": "asgi",
                    "seats": 1,
                    "loop": loop_name,
                    "concurrent": True,
                    "templates": True,
                    **told_folders(),
                }
            )
            answer_recalls(link, (), self._board, loop, hurry, self._modules)

        asgi_loop.serve(self._start, app, lambda: self._connect_seat(0), self._board, ready)


def _serve_or_die(worker: WsgiSeat) -> None:
    """A seat whose thread ended by a bug of ours would never answer again: better a crashed worker."""
    try:
        worker.serve()
    except BaseException as error:
        complain("internal error", error)
        flush_output()
        os._exit(1)


def flush_output() -> None:
    """Whatever the app has printed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
