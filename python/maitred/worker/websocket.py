"""ASGI 3 (WebSocket connection scope, spec 2.5) for one connection: scope in, messages to frames and back.

    connecting ──accept──▶ open ──websocket.close──▶ closed
        │                   └────WS_CLOSED────▶ gone
        ├──close──▶ closed                              403, an item of RESPONSES
        └──http.response.start──▶ denying ──▶ closed    the app's own answer, as to any other request
    connecting, denying ──CANCEL──▶ gone

The frames of one turn of the loop leave in one write. Both directions are bounded by credit: what the client sends is
granted again when the app takes it, what the app sends waits in `send`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from maitred.worker.asgi import ERROR_BODY, ERROR_HEADERS, ClientDisconnected, Exchange
from maitred.worker.board import MASK
from maitred.worker.complaint import complain, say, scope_id
from maitred.worker.headers import HeaderError
from maitred.worker.waiting import Waiting
from maitred.worker.wire import (
    ABORT,
    LEAST_MESSAGE_COST,
    MAX_BODY_FRAME,
    REQUEST_INITIAL_CREDIT,
    RESPONSE_END,
    RESPONSE_INITIAL_CREDIT,
    TO_FRONT,
    WS_BINARY,
    WS_BINARY_PART,
    WS_PART,
    WS_TEXT,
    credit_frame,
    encode_accept,
    encode_close,
    exact_bytes,
    exact_str,
    frame,
)

if TYPE_CHECKING:
    from maitred.worker.asgi_seat import AsgiSeat

CONNECTING, DENYING, OPEN, CLOSED, GONE = range(5)

_TEXT = WS_TEXT + TO_FRONT
_BINARY = WS_BINARY + TO_FRONT
_PART = WS_PART + TO_FRONT
#: So many messages in a row are received or sent without giving the loop's other tasks a turn.
_TURN = 128
#: RFC 6455 section 5.5: a control frame carries at most 125 bytes, two of which are the code.
_MAX_REASON = 123
_ABNORMAL = 1006
_SERVICE_RESTART = 1012
#: RFC 6455 section 7.4.1: these stand for what no close frame has said.
_NEVER_SENT = (1004, 1005, 1006, 1015)


class WebSocket(Waiting):
    """One WebSocket, as the app's `receive` and `send`."""

    __slots__ = (
        "_accepted",
        "_code",
        "_connected",
        "_consumed",
        "_credit",
        "_denial",
        "_id",
        "_messages",
        "_outbox",
        "_parts",
        "_reason",
        "_scope",
        "_stage",
        "_turn",
        "_withheld",
        "task",
    )

    def __init__(self, seat: AsgiSeat, request_id: int, scope: dict[str, Any]) -> None:
        self._seat = seat
        self._id = request_id
        self._scope = scope
        self._stage = CONNECTING
        self._connected = False
        self._accepted = False
        #: The app's refusal, an HTTP response like any other.
        self._denial: Exchange | None = None
        #: What the client sent: the app's message and the bytes to grant when it takes it.
        self._messages: deque[tuple[dict[str, Any], int]] = deque()
        self._parts: list[bytes] = []
        self._consumed = 0
        self._withheld = 0
        #: What the app sends and credit does not allow yet: [frame type, rest, nothing of it has been sent].
        self._outbox: deque[list[Any]] = deque()
        self._credit = RESPONSE_INITIAL_CREDIT
        self._turn = 0
        self._code = _ABNORMAL
        self._reason = ""
        self._waiters = None
        self.task: asyncio.Task[None] | None = None

    async def run(self, sequence: int) -> None:
        """The app's task."""
        seat = self._seat
        seat.board[seat.place] = sequence & MASK
        try:
            await seat.app(self._scope, self.receive, self.send)
            self._returned()
        except GeneratorExit:
            raise
        except BaseException as error:  # SystemExit too: an app does not end a worker.
            self._failed(error)
        finally:
            seat.task_is_over(self._id, self)

    # What the app calls

    async def receive(self) -> dict[str, Any]:
        """ASGI `receive`."""
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        self._turn += 1
        if self._turn > _TURN:
            self._turn = 0
            await asyncio.sleep(0)
        while not self._messages:
            if self._stage >= CLOSED:
                return {"type": "websocket.disconnect", "code": self._code, "reason": self._reason}
            self._turn = 0
            await self._change()
        message, length = self._messages.popleft()
        self._consumed += length
        if not self._messages:
            self._consumed += self._withheld
            self._withheld = 0
        self._grant()
        return message

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI `send`."""
        if self._stage != OPEN or message["type"] != "websocket.send":
            await self._send_other(message)
            return
        kind, data = _BINARY, message.get("bytes")
        if data is None:
            kind, text = _TEXT, message.get("text")
            if not isinstance(text, str):
                raise TypeError(f"websocket.send needs bytes or a text that is str, not {type(text).__name__}")
            data = text.encode()
        elif type(data) is not bytes:
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise TypeError(f"the bytes of websocket.send must be bytes, not {type(data).__name__}")
            data = exact_bytes(data)
        length = len(data)
        if length < LEAST_MESSAGE_COST:
            length = LEAST_MESSAGE_COST
        if self._credit <= 0 or length > MAX_BODY_FRAME or self._outbox:
            await self._send_waiting(kind, data)
            return
        self._credit -= length
        self._seat.write_later(frame(kind, self._id, data))
        self._turn += 1
        if self._turn > _TURN:
            self._turn = 0
            await asyncio.sleep(0)

    # What the seat tells

    def message(self, kind: int, payload: memoryview) -> None:
        """A message of the client, or a part of one."""
        if self._stage != OPEN:
            return
        cost = len(payload)
        if cost < LEAST_MESSAGE_COST:
            cost = LEAST_MESSAGE_COST
        if kind == WS_PART:
            self._parts.append(bytes(payload))
            # A message may be longer than the credit, so its parts are granted as they come; but of one message only,
            # else the app would be a queue of any number of them.
            if self._messages:
                self._withheld += cost
            else:
                self._consumed += cost
                self._grant()
            return
        data: bytes | memoryview = payload
        if self._parts:
            self._parts.append(bytes(payload))
            data = b"".join(self._parts)
            self._parts = []
        if kind == WS_TEXT:
            self._messages.append(({"type": "websocket.receive", "text": str(data, "utf-8")}, cost))
        else:
            self._messages.append(({"type": "websocket.receive", "bytes": bytes(data)}, cost))
        if self._waiters:
            self._wake()

    def credit(self, count: int) -> None:
        """The client has taken so many bytes."""
        if self._denial is not None:
            self._denial.credit(count)
        else:
            self._credit += count
            if self._outbox and self._stage == OPEN:
                self._pump()

    def closed(self, code: int, reason: str) -> None:
        """The WebSocket is over, by the client's will or the front's."""
        if self._stage < CLOSED:
            self._end(GONE, code, reason)

    def cancel(self) -> None:
        """The client is gone without a word."""
        if self._denial is not None:
            self._denial.cancel()
        self.closed(_ABNORMAL, "")

    def drain(self) -> None:
        """The front has closed the seat: the app learns that the server goes."""
        self.closed(_SERVICE_RESTART, "")

    def body(self, data: bytes) -> None:
        """A handshake has no body."""

    def end(self) -> None:
        """A handshake has no body."""

    # Private

    async def _send_other(self, message: dict[str, Any]) -> None:
        kind, stage = message["type"], self._stage
        if stage == GONE:
            raise ClientDisconnected("the client has disconnected")
        if stage == CLOSED:
            raise RuntimeError(f"unexpected ASGI message {kind!r} after the WebSocket was closed")
        if stage == DENYING or (stage == CONNECTING and kind == "websocket.http.response.start"):
            await self._deny(message)
        elif kind == "websocket.close":
            self._close(message)
        elif stage == CONNECTING and kind == "websocket.accept":
            self._accept(message)
        else:
            expected = (
                "'websocket.accept', 'websocket.close' or 'websocket.http.response.start'"
                if stage == CONNECTING
                else "'websocket.send' or 'websocket.close'"
            )
            raise RuntimeError(f"expected ASGI message {expected}, but got {kind!r}")

    def _accept(self, message: dict[str, Any]) -> None:
        subprotocol = message.get("subprotocol")
        if subprotocol is not None:
            if not isinstance(subprotocol, str):
                raise TypeError(f"subprotocol must be str or None, not {type(subprotocol).__name__}")
            self._seat.check_headers([(b"sec-websocket-protocol", subprotocol.encode())])
            subprotocol = exact_str(subprotocol)
        headers, _ = self._seat.check_headers(message.get("headers") or ())
        if any(name.lower() == b"sec-websocket-protocol" for name, _ in headers):
            raise HeaderError("websocket.accept names the subprotocol by its key, not by a header (ASGI)")
        self._stage = OPEN
        self._accepted = True
        self._seat.write_later(encode_accept(self._id, subprotocol, headers))

    def _close(self, message: dict[str, Any]) -> None:
        code, reason = message.get("code", 1000), message.get("reason") or ""
        if not self._accepted:
            # ASGI: "the server must close the connection with a HTTP 403".
            self._end(CLOSED, _ABNORMAL, "")
            self._seat.complete((self._id, 403, [], b""))
            return
        if not isinstance(code, int) or not 1000 <= code <= 4999 or code in _NEVER_SENT:
            raise ValueError(f"a WebSocket cannot be closed with the code {code!r} (RFC 6455 section 7.4)")
        data = _cut(reason)
        self._end(CLOSED, int(code), data.decode())
        self._seat.write_later(encode_close(self._id, code, data))

    async def _deny(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if not kind.startswith("websocket.http.response."):
            raise RuntimeError(f"expected ASGI message 'websocket.http.response.body', but got {kind!r}")
        if self._denial is None:
            denial = Exchange(self._seat, self._id, {**self._scope, "method": "GET"}, b"")
            await denial.send({**message, "type": "http.response.start"})
            self._denial = denial
            self._stage = DENYING
            return
        await self._denial.send({**message, "type": kind[10:]})
        self._denial_went_on()

    def _denial_went_on(self) -> None:
        if self._denial is not None and self._denial.is_complete and self._stage == DENYING:
            self._end(CLOSED, _ABNORMAL, "")

    async def _send_waiting(self, kind: int, data: bytes) -> None:
        item = [kind, memoryview(data), True]
        self._outbox.append(item)
        self._pump()
        try:
            while item[1] is not None and self._stage == OPEN:
                await self._change()
        except asyncio.CancelledError:
            # What has begun must be completed, or the next message would be its end.
            if item[2]:
                self._outbox = deque(other for other in self._outbox if other is not item)
            raise
        if item[1] is not None:
            if self._stage == GONE:
                raise ClientDisconnected("the client has disconnected")
            raise RuntimeError("the WebSocket was closed while a message waited to be sent")

    def _pump(self) -> None:
        """Send what waits, as far as the credit goes."""
        outbox = self._outbox
        while outbox and self._credit > 0:
            item = outbox[0]
            kind, rest, _ = item
            piece = rest[:MAX_BODY_FRAME]
            self._credit -= max(len(piece), LEAST_MESSAGE_COST)
            if len(piece) < len(rest):
                item[1], item[2] = rest[len(piece) :], False
                kind = _PART if kind == _TEXT else WS_BINARY_PART
            else:
                item[1] = None
                outbox.popleft()
            self._seat.write_later(frame(kind, self._id, bytes(piece)))
        self._wake()

    def _grant(self) -> None:
        if self._consumed >= REQUEST_INITIAL_CREDIT // 2 and self._stage == OPEN:
            self._seat.write_later(credit_frame(self._id, self._consumed))
            self._consumed = 0

    def _end(self, stage: int, code: int, reason: str) -> None:
        self._stage, self._code, self._reason = stage, code, reason
        self._outbox.clear()
        self._parts = []
        if stage == CLOSED:
            self._messages.clear()
        self._wake()

    def _returned(self) -> None:
        stage = self._stage
        if stage == DENYING and self._denial is not None:
            self._denial.returned()
        elif stage == CONNECTING:
            say(f"maitred: the app returned without answering the handshake, {self._name()}")
            self._seat.complete((self._id, 500, ERROR_HEADERS, ERROR_BODY))
        else:
            self._finish()
        self._end(CLOSED, 1000, "")

    def _failed(self, error: BaseException) -> None:
        stage = self._stage
        if stage == DENYING and self._denial is not None:
            self._denial.failed(error)
        elif stage == GONE:
            # What the app raises because its client left is no news. Starlette's `receive_text` raises WebSocketDisconnect, no OSError.
            if (
                not isinstance(error, (OSError, asyncio.CancelledError))
                and type(error).__name__ != "WebSocketDisconnect"
            ):
                complain(f"error in the app after the client left, {self._name()}", error)
            self._finish()
        else:
            complain(f"error in the app, {self._name()}", error)
            if stage == CONNECTING:
                self._seat.complete((self._id, 500, ERROR_HEADERS, ERROR_BODY))
            elif stage == OPEN:
                self._seat.write_later(frame(ABORT, self._id, f"the app raised {type(error).__name__}".encode()))
            else:
                self._finish()
        self._end(CLOSED, 1011, "")

    def _finish(self) -> None:
        """The id is the front's again."""
        if self._accepted:
            self._seat.write_later(frame(RESPONSE_END, self._id))
        elif self._stage == GONE and (self._denial is None or not self._denial.is_complete):
            self._seat.write_later(frame(ABORT, self._id, b"the client is gone"))

    def _name(self) -> str:
        return f"WebSocket {self._scope['path']!r}{scope_id(self._scope)}"


def _cut(reason: str) -> bytes:
    """As much of `reason` as a close frame can carry, in whole characters."""
    if not isinstance(reason, str):
        raise TypeError(f"reason must be str, not {type(reason).__name__}")
    return reason.encode()[:_MAX_REASON].decode(errors="ignore").encode()
