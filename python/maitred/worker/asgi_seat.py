"""The seat link of an asyncio worker: many requests at once on one loop.

Each request is a task. Its complete responses gather during a turn of the loop and leave in one write.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from marshal import loads
from time import perf_counter
from typing import Any, Union

from maitred.worker.asgi import Exchange
from maitred.worker.complaint import say
from maitred.worker.headers import NO_LENGTH, BytesHeaders
from maitred.worker.seat import TEMPLATES
from maitred.worker.spooled import SpooledExchange
from maitred.worker.stacks import describe_task
from maitred.worker.websocket import WebSocket
from maitred.worker.wire import (
    ABORT,
    BODY,
    CANCEL,
    CREDIT,
    END,
    FILE_TAKEN,
    HALF_CLOSED,
    IS_OPEN,
    PING,
    PONG,
    REQUESTS,
    RESPONSES,
    TIME_IS_UP,
    WS_CLOSED,
    WS_PART,
    WS_TEXT,
    FrameReader,
    Response,
    close_of,
    credit_of,
    encode_responses,
    frame,
)

#: Seconds of work after which finished responses leave without waiting for the others of the turn.
FLUSH_AFTER = 0.0005
#: Bytes of WebSocket frames that leave without waiting for the others of the turn.
FLUSH_FROM = 65_536

Connection = Union[Exchange, WebSocket]

#: ASGI "Extensions": what every request can use, and every WebSocket.
_EXTENSIONS: dict[str, Any] = {
    "http.response.pathsend": {},
    "http.response.trailers": {},
    "http.response.early_hint": {},
    "maitred.extend_deadline": {},
}
_WEBSOCKET_EXTENSIONS: dict[str, Any] = {"websocket.http.response": {}}
_WEBSOCKET_VERSION = {"version": "3.0", "spec_version": "2.5"}


def base_scope(constant: dict[str, Any]) -> dict[str, Any]:
    """The part of the scope that all requests share (ASGI, "HTTP Connection Scope")."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        **constant,
    }
    if scope.get("server") is not None:
        scope["server"] = tuple(scope["server"])
    return scope


class AsgiSeat(asyncio.Protocol):
    """Frames in, tasks; responses out, frames."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        app: Any,
        base: dict[str, Any],
        state: dict[str, Any],
        board: memoryview,
        place: int,
    ) -> None:
        self.loop = loop
        self.app = app
        self.board = board
        self.place = place
        #: Done when the front has closed the seat and the last task is over.
        self.done: asyncio.Future[None] = loop.create_future()
        self._base = base
        self._state = state
        #: Scopes that the front may name instead of saying them again (PROTOCOL.md, "Templates").
        self._templates: dict[int, dict[str, Any]] = {}
        self._frames = FrameReader()
        self._sequence = itertools.count(1)
        headers = BytesHeaders()
        self.known = headers.known.__getitem__
        self.check_headers = headers.check
        #: The headers of the last response that began, found good, and the Content-Length they declare.
        self.last_headers: list[Any] = []
        self.last_length = NO_LENGTH
        #: Every exchange whose task is not over, by its id. It holds the task: the loop itself does not.
        self.exchanges: dict[int, Connection] = {}
        #: Those that have answered and go on (background work) while their id is already another request's.
        self.lingering: set[Connection] = set()
        #: Descriptors of files that the front is about to open, by the ids of the responses they are the bodies of.
        self.files: dict[int, int] = {}
        self._out: list[Response] = []
        #: Frames of WebSockets that leave at the end of the turn.
        self._later: list[bytes] = []
        self._later_bytes = 0
        self._later_is_due = False
        self._in_turn = False
        self._since = 0.0
        self.ended = False
        self._eager = eager_tasks_work(loop)
        self._transport: asyncio.WriteTransport | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio.Protocol."""
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """As asyncio.Protocol."""
        self._since = perf_counter()
        self._in_turn = True
        has_messages = False
        frames = self._frames.feed(data)
        # After a long turn of the loop a request and its CANCEL come together: no task starts before that is known.
        eager = self._eager and (len(frames) == 1 or all(kind != CANCEL for kind, _, _ in frames))
        for kind, arg, payload in frames:
            if kind == REQUESTS:
                self._begin(loads(payload), eager)
            elif kind == PING:
                self.write(frame(PONG, arg))
            elif kind == FILE_TAKEN:
                os.close(self.files.pop(arg))
                if payload != IS_OPEN:
                    self.write(frame(ABORT, arg, b"the server cannot open the file that is the body"))
            else:
                exchange = self.exchanges.get(arg)
                if exchange is None:
                    continue  # It crossed our answer.
                if kind == BODY:
                    exchange.body(bytes(payload))
                elif kind == END:
                    exchange.end()
                elif kind == CREDIT:
                    exchange.credit(credit_of(payload))
                elif kind == CANCEL:
                    if payload != HALF_CLOSED:
                        exchange.cancel()
                    if payload == TIME_IS_UP and exchange.task is not None:
                        say(f"maitred: its time is up, so this task is cancelled:\n{describe_task(exchange.task)}")
                        exchange.task.cancel()
                elif type(exchange) is WebSocket:
                    if WS_TEXT <= kind <= WS_PART:
                        exchange.message(kind, payload)
                        has_messages = True
                    elif kind == WS_CLOSED:
                        exchange.closed(*close_of(payload))
        self._in_turn = False
        if self._out:
            self._flush()
        if has_messages and not self._later_is_due:
            # After the tasks that the messages have woken: their answers leave together, in this turn.
            self._later_is_due = True
            self.loop.call_soon(self._flush_later)

    def eof_received(self) -> bool:
        """As asyncio.Protocol: no more work; what is in flight still writes."""
        self.ended = True
        for exchange in [*self.exchanges.values(), *self.lingering]:
            exchange.drain()
        self._check_done()
        return True

    def hurry(self) -> None:
        """Time is up, what is left of it belongs to the app's lifespan shutdown: cancel every task."""
        for exchange in [*self.exchanges.values(), *self.lingering]:
            if exchange.task is not None:
                exchange.task.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio.Protocol."""
        self.ended = True
        self._transport = None
        for exchange in [*self.exchanges.values(), *self.lingering]:
            exchange.cancel()
        self._check_done()

    # What an exchange calls

    def complete(self, response: Response) -> None:
        """Send a complete response with the others of this turn."""
        if not self._out and not self._in_turn:
            self._since = perf_counter()
            self.loop.call_soon(self._flush)
        self._out.append(response)
        # Looking at the clock for each of them would cost more than it gives.
        if not len(self._out) & 7 and perf_counter() - self._since > FLUSH_AFTER:
            self._flush()

    def write(self, data: bytes) -> None:
        """Send frames now, after what has gathered."""
        if self._transport is not None:
            self._transport.write(self._taken_out() + data if self._out else data)

    def write_later(self, data: bytes) -> None:
        """Send frames with the others of this turn: for WebSockets, where many small ones come in a row."""
        self._later.append(data)
        self._later_bytes += len(data)
        if self._later_bytes > FLUSH_FROM:
            self._write_gathered()
        elif not self._later_is_due:
            self._later_is_due = True
            self.loop.call_soon(self._flush_later)

    def task_is_over(self, request_id: int, connection: Connection) -> None:
        """The task of a request or a WebSocket has come to its end."""
        if self.exchanges.get(request_id) is connection:
            del self.exchanges[request_id]
        else:
            self.lingering.discard(connection)
        if self.ended:
            self.last_is_over()

    def last_is_over(self) -> None:
        """A task has come to its end after the front has closed the seat."""
        self.loop.call_soon(self._check_done)

    def close(self) -> None:
        """Send what is left and close."""
        if self._transport is not None:
            self._flush()
            self._write_gathered()
            self._transport.close()

    # Private

    def _begin(self, batch: list[Any], eager: bool) -> None:
        base, state, loop, exchanges = self._base, self._state, self.loop, self.exchanges
        make_task = asyncio.Task if loop.get_task_factory() is None else None
        templates = self._templates
        for item, sequence in zip(batch, self._sequence):
            if len(item) == 6:
                request_id, number, body, path, query, raw = item
                scope = templates[number].copy()
                scope["path"] = path
                scope["raw_path"] = raw
                scope["query_string"] = query
                scope["headers"] = scope["headers"][:]
            elif len(item) == 3:
                request_id, head, body = item
                scope = {**base, **head}
            else:
                request_id, head, body, number = item
                templates[number] = template = {**base, **head}
                templates.pop(number - TEMPLATES, None)
                scope = template.copy()
                scope["headers"] = scope["headers"][:]
            scope["extensions"] = _EXTENSIONS.copy()
            scope["state"] = state.copy()
            root = scope["root_path"]
            if root:
                # ASGI: `path` is the whole path, `root_path` its mount point (uvicorn does the same since 0.26). The front adds to it
                # what a proxy has taken from the path.
                scope["path"] = root + scope["path"]
                if scope.get("raw_path") is not None:
                    scope["raw_path"] = root.encode() + scope["raw_path"]
            if request_id in exchanges:
                self.lingering.add(exchanges[request_id])
            exchange: Connection
            if type(body) is bytes:
                exchange = Exchange(self, request_id, scope, body)
            elif body is False:
                scope.pop("method", None)
                scope["asgi"] = _WEBSOCKET_VERSION
                scope["extensions"] = _WEBSOCKET_EXTENSIONS.copy()
                exchange = WebSocket(self, request_id, scope)
            elif type(body) is str:
                exchange = SpooledExchange(self, request_id, scope, body)
            else:
                exchange = Exchange(self, request_id, scope, body)
            if "tls" in scope:
                scope["extensions"]["tls"] = scope.pop("tls")
            exchanges[request_id] = exchange
            if eager:
                exchange.task = asyncio.Task(exchange.run(sequence), loop=loop, eager_start=True)  # type: ignore[call-arg]
            elif make_task is not None:
                exchange.task = make_task(
                    exchange.run(sequence), loop=loop, name="request"
                )  # A name of its own costs more.
            else:
                exchange.task = loop.create_task(exchange.run(sequence))

    def _taken_out(self) -> bytes:
        now = perf_counter()
        data = encode_responses(self._out, RESPONSES, now - self._since)
        self._since = now
        self._out.clear()
        return data

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(self._taken_out())

    def _flush_later(self) -> None:
        self._later_is_due = False
        if self._later:
            self._write_gathered()

    def _write_gathered(self) -> None:
        if self._later and self._transport is not None:
            self._transport.write(b"".join(self._later))
        self._later.clear()
        self._later_bytes = 0

    def _check_done(self) -> None:
        if self.ended and not self.exchanges and not self.lingering and not self.done.done():
            self.done.set_result(None)


def eager_tasks_work(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a task can start within the callback that makes it (3.12+), and knows itself there, on this loop."""
    if sys.version_info < (3, 12):
        return False
    found: list[Any] = []

    async def probe() -> None:
        found.append(asyncio.current_task())

    try:
        task = asyncio.Task(probe(), loop=loop, eager_start=True)
        return task.done() and found == [task]
    except Exception:
        return False
