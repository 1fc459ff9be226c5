"""The event loop of an ASGI worker, from its making to its end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Callable

from maitred.worker.asgi_seat import AsgiSeat, base_scope
from maitred.worker.importing import LoadError
from maitred.worker.lifespan import Lifespan, StartupFailed


def serve(
    start: dict[str, Any],
    app: Any,
    connect: Callable[[], socket.socket],
    board: memoryview,
    ready: Callable[[str, Any, Callable[[], None]], None],
) -> None:
    """Run lifespan and requests until the front closes the seat; raises LoadError if the app cannot start."""
    loop, name = _new_loop(start["loop"])
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(_serve(start, app, connect, board, lambda seat: ready(name, loop, seat.hurry)))
    finally:
        try:
            _cancel_left_over(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _new_loop(wanted: str) -> tuple[asyncio.AbstractEventLoop, str]:
    if wanted != "asyncio":
        try:
            import uvloop
        except ImportError:
            if wanted == "uvloop":
                message = (
                    "the loop asked for is uvloop, which is not installed: pip install uvloop, or leave --loop out"
                )
                raise LoadError("boot", message) from None
        else:
            return uvloop.new_event_loop(), "uvloop"
    return asyncio.new_event_loop(), "asyncio"


async def _serve(
    start: dict[str, Any],
    app: Any,
    connect: Callable[[], socket.socket],
    board: memoryview,
    ready: Callable[[AsgiSeat], None],
) -> None:
    loop = asyncio.get_running_loop()
    lifespan = Lifespan(app, start["lifespan"])
    try:
        await lifespan.startup()
    except StartupFailed as error:
        raise LoadError("boot", error.message, error.traceback) from None
    seat = AsgiSeat(loop, app, base_scope(start["asgi"]), lifespan.state, board, 0)
    try:
        connection = connect()
        connection.setblocking(False)
        await loop.create_unix_connection(lambda: seat, sock=connection)
        ready(seat)
    except OSError:  # The front is gone.
        await lifespan.shutdown()
        return
    await seat.done
    seat.close()
    await lifespan.shutdown()


def _cancel_left_over(loop: asyncio.AbstractEventLoop) -> None:
    """Tasks that the app has left behind, as asyncio.run does."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
