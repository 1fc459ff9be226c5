"""A WebSocket application: the path says what it does. /echo sends back what it gets; the rest shows one thing each."""

import asyncio
import os
from typing import Any


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"http"})
        return
    path = scope["path"]
    message = await receive()
    assert message["type"] == "websocket.connect"
    if path == "/refuse":
        await send({"type": "websocket.close"})
        return
    if path in ("/deny", "/deny-with-200"):
        status = 401 if path == "/deny" else 200
        await send({"type": "websocket.http.response.start", "status": status, "headers": [(b"x-why", b"nobody")]})
        await send({"type": "websocket.http.response.body", "body": b"who are you?"})
        return
    if path == "/raise-early":
        raise RuntimeError("before accept")
    subprotocol = scope["subprotocols"][0] if scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": [(b"x-app", b"yes")]})
    if path == "/close":
        await send({"type": "websocket.close", "code": 4001, "reason": "as asked"})
        return
    if path == "/return":
        return
    if path == "/raise":
        raise RuntimeError("after accept")
    if path == "/scope":
        words = (
            scope["type"],
            scope["scheme"],
            scope["http_version"],
            scope["query_string"].decode(),
            "method" in scope,
        )
        await send({"type": "websocket.send", "text": " ".join(map(str, words))})
    if path == "/pid":
        await send({"type": "websocket.send", "text": str(os.getpid())})
    if path == "/flood":
        sent = 0
        try:
            while True:
                await send({"type": "websocket.send", "bytes": bytes(65536)})
                sent += 65536
                print(f"flooded {sent}", flush=True)
        except OSError:
            print(f"flood ended at {sent}", flush=True)
        return
    if path == "/later":
        await receive()
        await asyncio.sleep(0.5)
        count = 0
        while (await receive()).get("text") != "end":
            count += 1
        await send({"type": "websocket.send", "text": str(count)})
    if path == "/deaf":
        await asyncio.sleep(3600)
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print(f"disconnect {path} {message['code']} {message.get('reason', '')!r}", flush=True)
            return
        text = message.get("text")
        if path == "/echo":
            if text is not None:
                await send({"type": "websocket.send", "text": text})
            else:
                await send({"type": "websocket.send", "bytes": message["bytes"]})
        else:
            print(f"got {len(text if text is not None else message['bytes'])}", flush=True)
