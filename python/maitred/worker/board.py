"""The progress board: what a worker had started, readable after its death (PROTOCOL.md, "The progress board").

An anonymous shared map made by the zygote before the fork. The worker writes with one store per request; the zygote reads
it when it has reaped the worker. Sequence numbers stand there modulo 2^30.
"""

from __future__ import annotations

import mmap

#: Below one digit of a Python int, where `&` is quickest.
MASK = 0x3FFFFFFF


class Board:
    """One u32 per seat."""

    def __init__(self, seats: int) -> None:
        self._map = mmap.mmap(-1, 4 * seats)
        #: Assign `sequence & MASK` to `seats[seat]` before the app is called.
        self.seats: memoryview = memoryview(self._map).cast("I")

    def read(self) -> list[int]:
        """The last sequence number started by each seat."""
        return self.seats.tolist()

    def close(self) -> None:
        """Unmap it."""
        self.seats.release()
        self._map.close()
