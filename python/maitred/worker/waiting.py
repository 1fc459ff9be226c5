"""Waiting for something to happen to an exchange: what its coroutines do while the seat has nothing for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from maitred.worker.asgi_seat import AsgiSeat


class Waiting:
    """The part of an exchange that sleeps and wakes. Whoever derives from it sets both slots."""

    __slots__ = ("_seat", "_waiters")

    _seat: AsgiSeat
    _waiters: list[asyncio.Future[None]] | None

    async def _change(self) -> None:
        """Wait until something happens to this exchange. A future each: one waiter's cancellation is not the other's."""
        future = self._seat.loop.create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(future)
        await future

    def _wake(self) -> None:
        waiters = self._waiters
        if waiters:
            self._waiters = None
            for future in waiters:
                if not future.done():
                    future.set_result(None)
