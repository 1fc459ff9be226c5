"""The zygote: started once by the front, forks workers, reaps them and reports how each died (PROTOCOL.md, "Zygote link").

It runs no request. With preloading it imports the app, so that the workers share its memory.

The loop lives in `Zygote.run`, which returns in the parent with an exit code and in each child with the worker to become:
the child leaves the parent's stack before it starts its own life.

What it calls in its loop it has from before gevent, if that is asked for, patches the standard library: it runs no hub.
"""

from __future__ import annotations

import gc
import marshal
import os
import select
import signal
import socket
import sys
from os import fork, waitpid
from signal import getsignal
from signal import signal as set_handler
from typing import Any

from maitred.worker.board import Board
from maitred.worker.complaint import say
from maitred.worker.importing import LoadError
from maitred.worker.link import JsonLink
from maitred.worker.main import Worker, flush_output, gil_is_on, load_application
from maitred.worker.parent import die_with_parent
from maitred.worker.stacks import STACKS_SIGNAL
from maitred.worker.wire import PROTOCOL

_LINK_FD = 3
#: What `_set_signals` handles.
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)


def main() -> None:
    """Entry of `python -c`; ends the process."""
    os.set_inheritable(_LINK_FD, False)
    die_with_parent(os.getppid())
    link = JsonLink(socket.socket(fileno=_LINK_FD))
    start = _receive_start(link)
    if start is None:
        return
    zygote = Zygote(link, start)
    outcome = zygote.run()
    if isinstance(outcome, int):
        flush_output()
        os._exit(
            outcome
        )  # Neither the app's atexit functions nor its threads concern the zygote: the workers had their own.
    worker, loaded = outcome
    code = worker.run(loaded)
    flush_output()
    sys.exit(code)


def _receive_start(link: JsonLink) -> dict[str, Any] | None:
    while True:
        messages = link.receive()
        if messages is None:
            return None
        for message in messages:
            if message["type"] == "start":
                link.held = messages[messages.index(message) + 1 :]
                return message


def _do_nothing(number: int, frame: object) -> None:
    """A handler and not SIG_IGN, which the app's own subprocesses would inherit."""


class _Child:
    def __init__(self, number: int, board: Board) -> None:
        self.number = number
        self.board = board


class Zygote:
    """Parent of the workers of one generation."""

    def __init__(self, link: JsonLink, start: dict[str, Any]) -> None:
        self._link = link
        self._start = start
        self._children: dict[int, _Child] = {}
        self._loaded: tuple[Any, str] | None = None
        self._warnings: list[str] = []
        #: Signal handlers that a preloaded app has set: its workers'.
        self._app_handlers: dict[int, Any] = {}
        self._poll = select.poll()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)

    def run(self) -> int | tuple[Worker, tuple[Any, str] | None]:
        """An exit code, or in a child what to be."""
        self._set_signals()
        self._prepare_environment()
        self._send(self._hello())
        try:
            if self._start.get("gevent"):
                self._patch()
            if self._start["preload"]:
                self._preload()
                self._app_handlers = {
                    number: getsignal(number) for number in _HANDLED if getsignal(number) is not _do_nothing
                }
                self._set_signals()
        except LoadError as error:
            self._send(error.as_message())
            return error.exit_code
        gc.collect()
        gc.freeze()  # What exists now stays shared: no collection in a worker touches it (copy-on-write).
        if self._loaded is not None:
            self._send({"type": "loaded", "interface": self._loaded[1], "warnings": self._warnings})
        return self._loop()

    def _loop(self) -> int | tuple[Worker, tuple[Any, str] | None]:
        poll = self._poll
        poll.register(self._link.socket, select.POLLIN)
        poll.register(self._wake_reader, select.POLLIN)
        messages: list[dict[str, Any]] | None = self._link.held
        while True:
            for message in messages or ():
                kind = message["type"]
                if kind == "fork":
                    worker = self._fork(message["worker"])
                    if worker is not None:
                        return worker, self._loaded
                elif kind == "warm":
                    _warm(message["modules"])
                elif kind == "kill":
                    self._kill(message["worker"], message["signal"])
                elif kind == "stacks" and STACKS_SIGNAL is not None:
                    self._kill(message["worker"], STACKS_SIGNAL)
            messages = None
            ready = {fd for fd, _ in poll.poll()}
            if self._wake_reader.fileno() in ready:
                self._drain_wakeups()
                self._reap()
            if self._link.socket.fileno() in ready:
                messages = self._link.receive()
                if messages is None:
                    return self._front_is_gone()

    # Preparing

    def _set_signals(self) -> None:
        # Ctrl-C and systemd's SIGTERM reach the whole group: the front alone decides what they mean.
        set_handler(signal.SIGINT, _do_nothing)
        set_handler(signal.SIGTERM, _do_nothing)
        set_handler(signal.SIGCHLD, _do_nothing)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)

    def _prepare_environment(self) -> None:
        try:
            sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        except (AttributeError, OSError, ValueError):
            pass  # No stdout, or none of the usual kind.
        os.environ.update(self._start["environ"])
        if self._start["chdir"]:
            os.chdir(self._start["chdir"])
        ahead = self._start["pythonpath"]
        sys.path[:] = [*ahead, *(entry for entry in sys.path if entry and entry not in ahead)]

    def _hello(self) -> dict[str, Any]:
        try:
            echo = marshal.dumps(marshal.loads(bytes.fromhex(self._start["marshal_probe"])), 2).hex()
        except (ValueError, TypeError, EOFError) as error:
            echo = f"{type(error).__name__}: {error}"  # Not what the front expects: it refuses this interpreter.
        self._start["gil"] = gil_is_on()
        if not self._start["gil"]:
            self._start["threads"] = self._start.get("threads_without_gil", self._start.get("threads", 1))
        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "python": ".".join(map(str, sys.version_info[:3])),
            "implementation": sys.implementation.name,
            "executable": sys.executable,
            "pid": os.getpid(),
            "gil": self._start["gil"],
            "marshal": echo,
        }

    def _patch(self) -> None:
        from maitred.worker import greenlets

        self._warnings += greenlets.patch()
        if not self._start["preload"]:
            for warning in self._warnings:
                say(f"maitred: gevent: {warning}")
            import maitred.worker.gevent_seat  # noqa: F401  Shared by the workers.

    def _preload(self) -> None:
        from maitred.worker.survey import descriptors, survey

        before = descriptors()
        self._loaded = load_application(self._start)
        if self._loaded[1] == "asgi":
            import maitred.worker.asgi_loop  # noqa: F401  Shared by the workers, as the app is.
        self._warnings += survey(before)

    # Children

    def _fork(self, number: int) -> Worker | None:
        """None in the parent."""
        seats = (
            1 if self._loaded is not None and self._loaded[1] == "asgi" else max(1, int(self._start.get("threads", 1)))
        )
        board = Board(seats)
        flush_output()
        parent = os.getpid()
        pid = fork()
        if pid:
            self._children[pid] = _Child(number, board)
            self._send({"type": "forked", "worker": number, "pid": pid})
            return None
        self._become_child(parent)
        return Worker(self._start, number, board.seats)

    def _become_child(self, parent: int) -> None:
        signal.set_wakeup_fd(-1)
        set_handler(signal.SIGCHLD, signal.SIG_DFL)
        for number, handler in self._app_handlers.items():
            set_handler(number, handler)
        die_with_parent(parent)
        self._link.socket.close()
        self._wake_reader.close()
        self._wake_writer.close()
        for child in self._children.values():
            child.board.close()
        self._children.clear()
        if self._loaded is not None:
            from maitred.worker.survey import reseed

            reseed()
        if self._start.get("gevent"):
            from maitred.worker.greenlets import after_fork

            after_fork()
        import faulthandler

        faulthandler.enable(file=2)  # Until there is a connection for it (stacks.py).

    def _reap(self) -> None:
        for pid in list(self._children):  # Only ours: an app's subprocess (preload) is waited for by the app.
            try:
                ended, status = waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0
            if ended:
                child = self._children.pop(pid)
                started = child.board.read()
                child.board.close()
                signaled = os.WIFSIGNALED(status)
                self._send(
                    {
                        "type": "exit",
                        "worker": child.number,
                        "pid": pid,
                        "code": None if signaled else os.WEXITSTATUS(status),
                        "signal": os.WTERMSIG(status) if signaled else None,
                        "started": started,
                    }
                )

    def _kill(self, number: int, signal_number: int) -> None:
        for pid, child in self._children.items():
            if child.number == number:
                _signal(pid, signal_number)

    def _front_is_gone(self) -> int:
        for pid in self._children:
            _signal(pid, signal.SIGKILL)
        for pid in self._children:
            try:
                waitpid(pid, 0)
            except ChildProcessError:
                pass
        return 0

    # Private

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._link.send(message)
        except OSError:
            pass  # The front is gone: end of file says so in the loop.

    def _drain_wakeups(self) -> None:
        try:
            while self._wake_reader.recv(4096):
                pass
        except BlockingIOError:
            pass


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _warm(modules: list[str]) -> None:
    """For development: import ahead of time what the last worker had of the standard library."""
    import importlib

    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:  # Whoever wants it will see why.
            pass
    gc.collect()
    gc.freeze()
