"""One WSGI and one ASGI application that say where they are mounted and what they were asked."""

import json
import os
from typing import Any


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read().decode()
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {
        "kind": "wsgi",
        "root": environ["SCRIPT_NAME"],
        "path": environ["PATH_INFO"],
        "uri": environ["RAW_URI"],
        "body": body,
        "pid": os.getpid(),
    }
    return [json.dumps(told).encode()]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    told = {
        "kind": scope["type"],
        "root": scope["root_path"],
        "path": scope["path"],
        "raw": scope["raw_path"].decode(),
        "pid": os.getpid(),
    }
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(told)})
        await send({"type": "websocket.close"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told["body"] = body.decode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
