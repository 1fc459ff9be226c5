"""An ASGI application that does not end by itself: streams that ignore the end of their client, tasks that wait."""

import asyncio
import os
import time
from typing import Any


async def wait_in_the_kitchen() -> None:
    await asyncio.sleep(600)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                print("lifespan shutdown ran", flush=True)
                return
    path = scope["path"]
    if path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        print("streaming", flush=True)
        while True:  # Deaf on purpose: neither receive() nor an error of send() ends it.
            try:
                await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
            except OSError:
                pass
            await asyncio.sleep(0.02)
    if path == "/wait":
        print("waiting", flush=True)
        await wait_in_the_kitchen()
    if path == "/block":
        print("blocking", flush=True)
        time.sleep(600)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
