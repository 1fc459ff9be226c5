"""`wsgi.input` for a body that is still on its way (PEP 3333, "Input and Error Streams")."""

from __future__ import annotations

import io
from collections import deque
from typing import Any, Callable

from maitred.worker.wire import REQUEST_INITIAL_CREDIT


class StreamedBody(io.RawIOBase):
    """BODY frames as a raw stream; io.BufferedReader makes the file-like object of it.

    `wait` blocks until something for the request has been delivered here; `grant` sends CREDIT. Credit is given back in
    halves of the window, so that neither side sends a frame for every few bytes.
    """

    def __init__(self, wait: Callable[[], None], grant: Callable[[int], None], expects_continue: bool) -> None:
        super().__init__()
        self._wait = wait
        self._grant = grant
        self._must_ask = expects_continue
        self._pieces: deque[memoryview] = deque()
        self._complete = False
        self._consumed = 0

    def deliver(self, data: bytes) -> None:
        """More of the body."""
        if data:
            self._pieces.append(memoryview(data))

    def finish(self) -> None:
        """The body is complete."""
        self._complete = True

    def readable(self) -> bool:
        """As io.RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As io.RawIOBase: what is there, or blocks; 0 at the end."""
        if self._must_ask:  # 100 Continue: the client waits until somebody wants its body (RFC 9110 section 10.1.1).
            self._must_ask = False
            self._grant(0)
        while not self._pieces:
            if self._complete:
                return 0
            self._wait()
        piece = self._pieces[0]
        count = min(len(piece), len(buffer))
        buffer[:count] = piece[:count]
        if count == len(piece):
            self._pieces.popleft()
        else:
            self._pieces[0] = piece[count:]
        self._consumed += count
        if self._consumed >= REQUEST_INITIAL_CREDIT // 2 and not self._complete:
            self._grant(self._consumed)
            self._consumed = 0
        return count
