"""A request whose body the front has put into a file, because it was too large for memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from maitred.worker.asgi import COMPLETE, Exchange
from maitred.worker.complaint import complain
from maitred.worker.wire import MAX_BODY_FRAME

if TYPE_CHECKING:
    from maitred.worker.asgi_seat import AsgiSeat


class SpooledExchange(Exchange):
    """Reads the body as the app receives it. Pieces this small from a local file do not hold up the loop."""

    __slots__ = ("_file", "_left", "_lost")

    def __init__(self, seat: AsgiSeat, request_id: int, scope: dict[str, Any], path: str) -> None:
        super().__init__(seat, request_id, scope, None)
        self._file = -1
        self._left = 0
        self._lost: OSError | None = None
        try:
            # At once: the front gives up its own when the request is over, which may be before the app asks.
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._left = os.fstat(self._file).st_size
        except OSError as error:
            complain("cannot open the request's body", error)
            self._lost = error

    async def run(self, sequence: int) -> None:
        """As Exchange."""
        try:
            await super().run(sequence)
        finally:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    async def _receive_later(self) -> dict[str, Any]:
        if self.stage >= COMPLETE or self._pieces is None:
            return await super()._receive_later()
        if self._lost is not None:
            raise self._lost
        data = os.read(self._file, min(self._left, MAX_BODY_FRAME))
        self._left -= len(data)
        if self._left and not data:
            raise OSError(f"the request's body in its file ended {self._left} bytes early")
        if not self._left:
            self._pieces = None
        return {"type": "http.request", "body": data, "more_body": self._left > 0}
