"""An ASGI app whose requests hang in several ways."""

import asyncio
import signal
import time

_released = []
signal.signal(signal.SIGUSR1, lambda *_: _released.append(True))


async def wait_in_the_kitchen():
    await asyncio.sleep(600)


def block():
    while not _released:
        time.sleep(0.01)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                print("lifespan shutdown ran", flush=True)
                return
    if scope["path"] == "/block":
        block()
    elif scope["path"] == "/wait":
        await wait_in_the_kitchen()
    elif scope["path"] == "/deaf":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            try:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            except OSError:
                pass
            await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"quick"})
