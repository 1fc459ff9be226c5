"""ASGI 3 (HTTP connection scope, spec 2.4) for one exchange: scope in, messages to frames.

    waiting ──response.start──▶ started ──last body──▶ complete          one item of RESPONSES
                                   ├─pathsend────────▶ complete          HEAD, FILE
                                   └─body, more_body─▶ streaming ──▶ complete   HEAD, BODY ..., END
                                                          └──▶ trailing ──▶ complete   END with trailers
    any but complete ──CANCEL──▶ gone

`response.start` is held until the first body message, so that most responses are one item of a batch.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from maitred.worker.board import MASK
from maitred.worker.complaint import complain, say, scope_id
from maitred.worker.headers import NO_LENGTH, HeaderError, length_of
from maitred.worker.interface import mistaken
from maitred.worker.sendfile import open_sendable, sent_file
from maitred.worker.waiting import Waiting
from maitred.worker.wire import (
    ABORT,
    INFORM,
    MAX_BODY_FRAME,
    MAX_COMPLETE_BODY,
    REQUEST_INITIAL_CREDIT,
    RESPONSE_BODY,
    RESPONSE_END,
    RESPONSE_INITIAL_CREDIT,
    credit_frame,
    encode_end,
    encode_head,
    exact_bytes,
    extend_frame,
    frame,
)

if TYPE_CHECKING:
    from maitred.worker.asgi_seat import AsgiSeat

WAITING, STARTED, STREAMING, TRAILING, COMPLETE, GONE = range(6)

_STAGE_EXPECTS = {
    WAITING: "http.response.start",
    STARTED: "http.response.body",
    STREAMING: "http.response.body",
    TRAILING: "http.response.trailers",
}
#: `_length` of a response that announced trailers: off the fast path, which compares it with the body's. `_declared` has the true one.
_TRAILED = -2
#: The front says it in the client's own form (PROTOCOL.md, RESPONSES).
ERROR_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"21"), (b"maitred-error", b"raised")]
ERROR_BODY = b"Internal Server Error"


class ClientDisconnected(OSError):
    """send() after the client left (ASGI HTTP spec 2.4: "raise a server-specific subclass of OSError")."""


class Exchange(Waiting):
    """One request and its response, as the app's `receive` and `send`."""

    __slots__ = (
        "_body",
        "_consumed",
        "_credit",
        "_declared",
        "_ended",
        "_headers",
        "_id",
        "_length",
        "_must_ask",
        "_pieces",
        "_remaining",
        "_scope",
        "_status",
        "_trailers",
        "stage",
        "task",
    )

    def __init__(self, seat: AsgiSeat, request_id: int, scope: dict[str, Any], body: bytes | bool | None) -> None:
        self._seat = seat
        self._id = request_id
        self._scope = scope
        self._body: bytes | None = None
        self._pieces: list[bytes] | None = None
        if type(body) is bytes:
            self._body = body
        else:
            self._pieces = []
            self._ended = False
            self._must_ask = body is True
            self._consumed = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self.stage = WAITING
        self.task: asyncio.Task[None] | None = None

    async def run(self, sequence: int) -> None:
        """The app's task."""
        seat = self._seat
        try:
            if (
                self.stage == GONE
            ):  # Its client left before its turn came, on a loop that was busy: the app never hears of it.
                self.returned()
                return
            seat.board[seat.place] = sequence & MASK
            await seat.app(self._scope, self.receive, self.send)
            if self.stage != COMPLETE:
                self.returned()
        except GeneratorExit:
            raise
        except BaseException as error:  # SystemExit too: an app does not end a worker.
            self.failed(error)
        finally:
            seat.task_is_over(self._id, self)

    # What the app calls

    async def receive(self) -> dict[str, Any]:
        """ASGI `receive`."""
        body = self._body
        if body is not None and self.stage < COMPLETE:
            self._body = None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive_later()

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI `send`."""
        kind = message["type"]
        stage = self.stage
        if stage == STARTED:
            if kind == "http.response.body" and not message.get("more_body"):
                body = message.get("body", b"")
                length = self._length
                if type(body) is bytes and (length == -1 or length == len(body)) and len(body) <= 65_536:
                    self.stage = COMPLETE
                    self._seat.complete((self._id, self._status, self._headers, body))
                    if self._waiters:
                        self._wake()
                    return
        elif stage == WAITING and kind == "http.response.start":
            self._start(message)
            return
        await self._send_later(message)

    # What the seat tells

    def cancel(self) -> None:
        """The client is gone."""
        if self.stage != COMPLETE:
            self.stage = GONE
            self._wake()

    def body(self, data: bytes) -> None:
        """More of the request's body."""
        if self._pieces is not None:
            self._pieces.append(data)
            self._wake()

    def end(self) -> None:
        """The request's body is complete."""
        self._ended = True
        self._wake()

    def credit(self, count: int) -> None:
        """More of the response's body may be sent."""
        if self.stage == STREAMING:
            self._credit += count
            self._wake()

    def drain(self) -> None:
        """The front has closed the seat: what is at work is finished."""

    @property
    def is_complete(self) -> bool:
        """The response is on its way, whole."""
        return self.stage == COMPLETE

    def returned(self) -> None:
        """The app returned before its response was complete."""
        if self.stage == GONE:
            self._finish(frame(ABORT, self._id, b"the client is gone"))
            return
        say(f"maitred: the app returned without completing its response, {self._name()}")
        self._give_up("the app returned without completing its response")

    def failed(self, error: BaseException) -> None:
        """The app raised."""
        if self.stage == GONE:
            # What the app raises because its client left is no news; other errors are.
            if not isinstance(error, (OSError, asyncio.CancelledError)):
                complain(f"error in the app after the client left, {self._name()}", error)
            self._finish(frame(ABORT, self._id, b"the client is gone"))
            return
        complain(f"error in the app, {self._name()}", error)
        hint = mistaken(error, "asgi")
        if hint:
            say(f"maitred: {hint}")
        if self.stage != COMPLETE:
            self._give_up(f"the app raised {type(error).__name__}")

    # Private

    def _start(self, message: dict[str, Any]) -> None:
        status = message["status"]
        if type(status) is not int:
            if not isinstance(status, int):
                raise TypeError(f"status must be int, not {type(status).__name__}")
            status = int(status)
        if not 200 <= status <= 999:
            raise ValueError(f"status of a response must be 200 to 999, not {status}")
        headers = message.get("headers", ())
        if type(headers) is list:
            seat = self._seat
            # Most responses have the headers of the one before; those of one batch share our list, which marshal writes once.
            if headers != seat.last_headers:
                try:
                    total = sum(map(seat.known, headers))
                    # A copy: the app may use its list again before the response leaves.
                    seat.last_headers, seat.last_length = headers[:], length_of(total) if total else NO_LENGTH
                except (KeyError, TypeError):
                    seat.last_headers, seat.last_length = seat.check_headers(headers)
            self._headers, self._length = seat.last_headers, seat.last_length
        else:
            self._headers, self._length = self._seat.check_headers(headers)
        self._status = status
        if message.get("trailers"):
            self._declared, self._length = self._length, _TRAILED
            self._trailers: list[tuple[bytes, bytes]] = []
        self.stage = STARTED

    async def _receive_later(self) -> dict[str, Any]:
        while self.stage < COMPLETE:
            pieces = self._pieces
            if pieces is not None:
                if self._must_ask:  # 100 Continue (RFC 9110 section 10.1.1)
                    self._must_ask = False
                    self._seat.write(credit_frame(self._id, 0))
                if pieces or self._ended:
                    body, more = b"".join(pieces), not self._ended
                    self._pieces = [] if more else None
                    self._consumed += len(body)
                    if more and self._consumed >= REQUEST_INITIAL_CREDIT // 2:
                        self._seat.write(credit_frame(self._id, self._consumed))
                        self._consumed = 0
                    return {"type": "http.request", "body": body, "more_body": more}
            await self._change()
        return {"type": "http.disconnect"}

    async def _send_later(self, message: dict[str, Any]) -> None:
        kind, stage = message["type"], self.stage
        if stage == GONE:
            raise ClientDisconnected("the client has disconnected")
        if stage == COMPLETE:
            raise RuntimeError(f"unexpected ASGI message {kind!r} after the response was completed")
        if kind == "maitred.extend_deadline":
            self._seat.write(extend_frame(self._id, message["seconds"]))
            return
        if kind == "http.response.early_hint" and stage == WAITING:
            self._hint(message["links"])
            return
        if kind == "http.response.pathsend" and stage == STARTED:
            self._send_file(message["path"])
            return
        if kind != _STAGE_EXPECTS[stage]:
            raise RuntimeError(f"expected ASGI message {_STAGE_EXPECTS[stage]!r}, but got {kind!r}")
        if stage == TRAILING:
            self._trail(message)
            return
        body = message.get("body", b"")
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise TypeError(f"body must be bytes, not {type(body).__name__}")
        await self._stream(exact_bytes(body), bool(message.get("more_body")))

    async def _stream(self, body: bytes, more: bool) -> None:
        seat, request_id = self._seat, self._id
        before = b""
        if self.stage == STARTED:
            trailed = self._length == _TRAILED
            declared = self._declared if trailed else self._length
            if not more and len(body) <= MAX_COMPLETE_BODY and not self._may_have_body() and not trailed:
                self.stage = COMPLETE
                seat.complete((request_id, self._status, self._headers, body))
                self._wake()
                return
            self._remaining = declared if self._may_have_body() else NO_LENGTH
            if 0 <= self._remaining < len(body):
                raise RuntimeError(f"the response body is longer than its Content-Length, {declared}")
            self._credit = RESPONSE_INITIAL_CREDIT
            self.stage = STREAMING
            before = encode_head(request_id, self._status, self._headers)
        if self._remaining != NO_LENGTH:
            if len(body) > self._remaining:
                raise RuntimeError(
                    f"the response body is longer than its Content-Length by {len(body) - self._remaining}"
                )
            self._remaining -= len(body)
        if len(body) > self._credit or len(body) > MAX_BODY_FRAME:
            await self._stream_long(body, before)
        else:
            self._credit -= len(body)
            data = before + frame(RESPONSE_BODY, request_id, body) if body else before
            if not more and self._remaining <= 0 and self._length != _TRAILED:
                data += frame(RESPONSE_END, request_id)
                self._finish(data)
                return
            if data:
                seat.write(data)
        if more:
            return
        if self._remaining > 0:
            reason = f"the app sent {self._remaining} bytes fewer than its Content-Length says"
            self._finish(frame(ABORT, request_id, reason.encode()))
            raise RuntimeError(f"the response body is shorter than its Content-Length by {self._remaining}")
        if self._length == _TRAILED:
            self.stage = TRAILING
            return
        self._finish(frame(RESPONSE_END, request_id))

    async def _stream_long(self, body: bytes, before: bytes) -> None:
        rest = memoryview(body)
        if before:
            self._seat.write(before)
        while len(rest):
            while self._credit <= 0:
                await self._change()
                if self.stage == GONE:
                    raise ClientDisconnected("the client has disconnected")
            piece = rest[: min(MAX_BODY_FRAME, self._credit)]
            self._credit -= len(piece)
            self._seat.write(frame(RESPONSE_BODY, self._id, bytes(piece)))
            rest = rest[len(piece) :]

    def _hint(self, links: Any) -> None:
        """`http.response.early_hint`: an informational response 103 (RFC 8297)."""
        headers, _ = self._seat.check_headers([(b"link", link) for link in links])
        if headers:
            self._seat.write(encode_head(self._id, 103, headers, INFORM))

    def _send_file(self, path: Any) -> None:
        """`http.response.pathsend`: the front sends the file."""
        if self._length == _TRAILED:
            raise RuntimeError("http.response.pathsend completes a response, so there can be no trailers")
        descriptor, size = open_sendable(path)
        if not self._may_have_body():
            os.close(descriptor)
            self.stage = COMPLETE
            self._seat.complete((self._id, self._status, self._headers, b""))
            self._wake()
            return
        if self._length == NO_LENGTH:
            self._headers = [*self._headers, (b"content-length", b"%d" % size)]
        elif self._length != size:
            os.close(descriptor)
            raise RuntimeError(f"the file has {size} bytes, but Content-Length says {self._length}: {path!r}")
        head = encode_head(self._id, self._status, self._headers)
        # Open until the front has it: the app may remove it as soon as this returns.
        self._seat.files[self._id] = descriptor
        self._finish(head + sent_file(self._id, descriptor, path))

    def _trail(self, message: dict[str, Any]) -> None:
        """`http.response.trailers`: fields after the body (RFC 9110 section 6.5)."""
        headers, length = self._seat.check_headers(message.get("headers", ()))
        if length != NO_LENGTH:
            raise HeaderError("Content-Length cannot be a trailer (RFC 9110 section 6.5.1)")
        self._trailers += headers
        if not message.get("more_trailers"):
            self._finish(encode_end(self._id, self._trailers))

    def _may_have_body(self) -> bool:
        """RFC 9110 section 6.4.1; the front drops what the app gives."""
        return self._scope["method"] != "HEAD" and self._status not in (204, 304)

    def _finish(self, data: bytes) -> None:
        self.stage = COMPLETE
        self._seat.write(data)
        self._wake()

    def _give_up(self, reason: str) -> None:
        if self.stage in (STREAMING, TRAILING):
            self._finish(frame(ABORT, self._id, reason.encode()))
        else:
            self.stage = COMPLETE
            self._seat.complete((self._id, 500, ERROR_HEADERS, ERROR_BODY))
            self._wake()

    def _name(self) -> str:
        return f"{self._scope['method']} {self._scope['path']!r}{scope_id(self._scope)}"
