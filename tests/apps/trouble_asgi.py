"""An ASGI application that gets its worker into every kind of trouble."""

import asyncio
import os
import sys
import time
from typing import Any
from urllib.parse import parse_qs


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path = scope["path"]
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    text = f"hello from {os.getpid()}"
    print(f"begun {path} in {os.getpid()}", file=sys.stderr, flush=True)
    if path == "/block":
        time.sleep(600)
    elif path == "/await":
        try:
            await wait_for_ever()
        except asyncio.CancelledError:
            print("cancelled /await", file=sys.stderr, flush=True)
            raise
    elif path == "/for":
        await asyncio.sleep(float(query["seconds"]))
    elif path == "/extended":
        assert "maitred.extend_deadline" in scope["extensions"]
        await send({"type": "maitred.extend_deadline", "seconds": float(query["by"])})
        await asyncio.sleep(float(query["for"]))
    body = text.encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
