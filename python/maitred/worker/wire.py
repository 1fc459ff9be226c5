"""Frames: bytes to frames and back, without I/O (PROTOCOL.md, "Seat link").

0        4    5        8
+--------+----+--------+---------------+
| length |type|  arg   | payload       |     little-endian; length counts the payload only
+--------+----+--------+---------------+
"""

from __future__ import annotations

import struct
from marshal import dumps
from typing import Any, Union

PROTOCOL = 1

# Front to worker.
REQUESTS = 0x01
BODY = 0x02
END = 0x03
CANCEL = 0x04
CREDIT = 0x05
PING = 0x06
FILE_TAKEN = 0x07
WS_CLOSED = 0x13

# Both ways.
WS_TEXT = 0x10
WS_BINARY = 0x11
WS_PART = 0x12
#: Worker to front only: a part of a binary message.
WS_BINARY_PART = 0x55
#: What a WS_* frame's number is more when the worker sends it.
TO_FRONT = 0x40

# Worker to front.
RESPONSES = 0x41
RESPONSES_BUSY = 0x42
HEAD = 0x43
RESPONSE_BODY = 0x44
RESPONSE_END = 0x45
IDLE = 0x46
REQUEST_CREDIT = 0x47
ABORT = 0x48
PONG = 0x49
INFORM = 0x4A
FILE = 0x4B
EXTEND = 0x4C
WS_CLOSE = 0x53
WS_ACCEPT = 0x54

MAX_PAYLOAD = 16 * 1024 * 1024
MAX_ARG = 0xFFFFFF
#: A longer body than this does not travel inside RESPONSES.
MAX_COMPLETE_BODY = 65_536
#: The longest payload of a BODY frame, and of one part of a WebSocket message.
MAX_BODY_FRAME = 262_144
#: Bytes of a request's body that the front sends unasked.
REQUEST_INITIAL_CREDIT = 262_144
#: Bytes of a response's body that may be sent unasked.
RESPONSE_INITIAL_CREDIT = 1_048_576
#: What a frame of a WebSocket message counts at least.
LEAST_MESSAGE_COST = 64

#: (id, status, headers, body): a complete response.
Response = tuple[int, Union[str, int], list[Any], bytes]
#: (type, arg, payload)
Frame = tuple[int, int, memoryview]

_HEADER = struct.Struct("<II")
_CREDIT = struct.Struct("<I")
#: Payloads of CANCEL that say more than "the client is gone".
TIME_IS_UP = b"\x01"
HALF_CLOSED = b"\x02"
#: Payload of FILE_TAKEN: the front has the file open, and the response is its own.
IS_OPEN = b"\x01"
_FILE_START = struct.Struct("<Q")
_CLOSE_CODE = struct.Struct("<H")
_pack = _HEADER.pack
_unpack = _HEADER.unpack_from


class WireError(Exception):
    """The front sent what the protocol does not allow: one of us has a bug."""


def frame(kind: int, arg: int, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    return _pack(len(payload), kind | arg << 8) + payload


def frame_header(kind: int, arg: int, length: int) -> bytes:
    """A frame without its payload of `length` bytes, for payloads too long to copy."""
    return _pack(length, kind | arg << 8)


def credit_frame(request_id: int, count: int) -> bytes:
    """CREDIT for `count` more bytes of a request's body."""
    return frame(REQUEST_CREDIT, request_id, _CREDIT.pack(count))


def extend_frame(request_id: int, seconds: float) -> bytes:
    """EXTEND: the app asks for so much time from now."""
    milliseconds = round(seconds * 1000)
    if not 0 <= milliseconds <= 0xFFFFFFFF:
        raise ValueError(f"a deadline can be extended by 0 to {0xFFFFFFFF // 1000} seconds, not {seconds!r}")
    return frame(EXTEND, request_id, _CREDIT.pack(milliseconds))


def file_frame(request_id: int, start: int, path: bytes, name: bytes) -> bytes:
    """FILE: the body is what the file at `path` has from `start` on; `name` is what people call it."""
    return frame(FILE, request_id, _FILE_START.pack(start) + path + b"\0" + name)


def credit_of(payload: bytes | memoryview) -> int:
    """What a CREDIT frame's payload grants."""
    count: int = _CREDIT.unpack(payload)[0]
    return count


class FrameReader:
    """Cuts a byte stream into frames, however it was split."""

    __slots__ = ("_needed", "_tail")

    def __init__(self) -> None:
        self._tail = bytearray()
        self._needed = 8

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Their payloads are views of immutable bytes and stay valid."""
        if self._tail:
            self._tail += data
            if len(self._tail) < self._needed:
                return []
            data = bytes(self._tail)
            self._tail = bytearray()
        frames: list[Frame] = []
        view = memoryview(data)
        offset, end, needed = 0, len(data), 8
        while end - offset >= 8:
            length, word = _unpack(data, offset)
            if length > MAX_PAYLOAD:
                raise WireError(f"frame of {length} bytes")
            needed = length + 8
            if end - offset < needed:
                break
            offset += 8
            frames.append((word & 0xFF, word >> 8, view[offset : offset + length]))
            offset += length
            needed = 8
        if offset < end:
            self._tail += view[offset:]
            self._needed = needed
        return frames


def encode_responses(responses: list[Response], kind: int, seconds: float) -> bytes:
    """RESPONSES or RESPONSES_BUSY: one `marshal.dumps` for the whole batch."""
    try:
        payload = dumps(responses, 4)
    except ValueError:  # A subclass in some response, Django's SafeString for one: normalise that response alone.
        responses = [_marshallable(response) for response in responses]
        payload = dumps(responses, 4)
    if len(payload) > MAX_PAYLOAD and len(responses) > 1:
        half = len(responses) // 2
        # The last frame of a RESPONSES_BUSY run says the same as all: BUSY ends with IDLE only.
        return encode_responses(responses[:half], kind, seconds) + encode_responses(responses[half:], kind, 0.0)
    return _pack(len(payload), kind | min(int(seconds * 1e6), MAX_ARG) << 8) + payload


def encode_head(request_id: int, status: str | int, headers: list[Any], kind: int = HEAD) -> bytes:
    """HEAD of a streamed response; or INFORM."""
    try:
        payload = dumps((status, headers), 4)
    except ValueError:
        payload = dumps(_exact_head(status, headers), 4)
    return frame(kind, request_id, payload)


def encode_end(request_id: int, trailers: list[tuple[bytes, bytes]]) -> bytes:
    """END of a streamed response with its trailers."""
    return frame(RESPONSE_END, request_id, dumps(trailers, 4) if trailers else b"")


def encode_accept(request_id: int, subprotocol: str | None, headers: list[tuple[bytes, bytes]]) -> bytes:
    """WS_ACCEPT."""
    return frame(WS_ACCEPT, request_id, dumps((subprotocol, headers), 4))


def encode_close(request_id: int, code: int, reason: bytes) -> bytes:
    """WS_CLOSE."""
    return frame(WS_CLOSE, request_id, _CLOSE_CODE.pack(code) + reason)


def close_of(payload: bytes | memoryview) -> tuple[int, str]:
    """Code and reason of WS_CLOSED."""
    return _CLOSE_CODE.unpack_from(payload)[0], str(payload[2:], "utf-8")


def exact_str(text: str) -> str:
    """`text` as the exact type str (`str(x)` of a subclass may return a subclass)."""
    return str.__str__(text)


def exact_bytes(data: Any) -> bytes:
    """Any bytes-like object as the exact type bytes."""
    return data if type(data) is bytes else bytes(memoryview(data))


def _marshallable(response: Response) -> Response:
    try:
        dumps(response, 4)
    except ValueError:
        request_id, status, headers, body = response
        return (request_id, *_exact_head(status, headers), exact_bytes(body))
    return response


def _exact_head(status: str | int, headers: list[Any]) -> tuple[str | int, list[Any]]:
    exact = [
        (exact_str(name), exact_str(value)) if isinstance(name, str) else (exact_bytes(name), exact_bytes(value))
        for name, value in headers
    ]
    return (exact_str(status) if isinstance(status, str) else int(status)), exact
