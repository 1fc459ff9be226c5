"""The lifespan protocol (ASGI, "Lifespan Protocol" 2.0): startup before the first request, shutdown after the last.

starting ──startup.complete──▶ running ──lifespan.shutdown──▶ stopping ──▶ over
    ├──startup.failed────▶ StartupFailed
    └──raised, returned──▶ unsupported (mode "auto"), or StartupFailed (mode "on")
"""

from __future__ import annotations

import asyncio
from typing import Any

from maitred.worker.complaint import complain, describe, say
from maitred.worker.interface import mistaken


class StartupFailed(Exception):
    """The app said, or showed, that it cannot start."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.traceback = traceback


class Lifespan:
    """One run of the app's lifespan."""

    def __init__(self, app: Any, mode: str) -> None:
        self._app = app
        self._mode = mode
        #: What the app leaves for its requests.
        self.state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._running = False

    async def startup(self) -> None:
        """Returns when requests may come; raises StartupFailed."""
        if self._mode == "off":
            return
        loop = asyncio.get_running_loop()
        self._answers = {"startup": loop.create_future(), "shutdown": loop.create_future()}
        self._task = loop.create_task(self._run())
        answer = await self._ask("startup")
        if answer is not None:
            if answer["type"].endswith(".failed"):
                message = str(answer.get("message", ""))
                raise StartupFailed(f"lifespan startup failed{': ' + message if message else ''}")
            self._running = True
            return
        error = self._error
        if self._mode == "on":
            if error is None:
                raise StartupFailed("the app returned from its lifespan without completing startup")
            raise StartupFailed(f"lifespan startup raised {type(error).__name__}: {error}", describe(error))
        hint = mistaken(error, "asgi")
        if hint:
            raise StartupFailed(hint)
        self.state.clear()  # Unsupported: the app does not know the scope type (ASGI: "the server must continue").

    async def shutdown(self) -> None:
        """Returns when the app has shut down."""
        if not self._running:
            return
        self._running = False
        answer = await self._ask("shutdown")
        if answer is not None and answer["type"].endswith(".failed"):
            say(f"maitred: lifespan shutdown failed: {answer.get('message', '')}")
        elif answer is None and self._error is not None:
            complain("error in the app's lifespan", self._error)

    _error: BaseException | None = None

    async def _ask(self, what: str) -> dict[str, Any] | None:
        """The app's answer; None if it ended instead."""
        task, answer = self._task, self._answers[what]
        assert task is not None
        self._inbox.put_nowait({"type": f"lifespan.{what}"})
        either: list[asyncio.Future[Any]] = [task, answer]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except GeneratorExit:
            raise
        except BaseException as error:  # SystemExit in startup code is a failure to start, not our end.
            self._error = error

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        for what, answer in self._answers.items():
            if kind in (f"lifespan.{what}.complete", f"lifespan.{what}.failed"):
                if answer.done():
                    raise RuntimeError(f"ASGI message {kind!r} sent a second time")
                answer.set_result(message)
                return
        raise RuntimeError(f"unexpected ASGI message {kind!r} in the lifespan")
