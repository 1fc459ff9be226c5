"""The part of wsgi_app.py that an ASGI application shows differently."""

import asyncio
import json
import os
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

GATES = os.environ.get("MAITRED_TEST_GATES", "/nowhere")
seen: "Counter[str]" = Counter()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                print("lifespan shutdown ran", flush=True)
                return
    path = scope["path"]
    query = parse_qs(scope["query_string"].decode("latin-1"))
    if path != "/count":
        seen[path] += 1
    text = "hello"
    if path == "/count":
        text = " ".join(f"{name}={number}" for name, number in sorted(seen.items())) or "nothing"
    elif path == "/protocol":
        text = f"{scope['scheme']} {scope['http_version']}"
    elif path == "/pid":
        text = str(os.getpid())
    elif path == "/tls":
        text = json.dumps(scope["extensions"].get("tls"))
    elif path == "/hold":
        name = query["name"][0]
        print(f"holding {name} in {os.getpid()}", flush=True)
        while not os.path.exists(os.path.join(GATES, name)):
            await asyncio.sleep(0.005)
        text = f"held {name} in {os.getpid()}"
    elif path == "/echo":
        parts = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        text = b"".join(parts).decode("latin-1")
    body = text.encode("latin-1")
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
