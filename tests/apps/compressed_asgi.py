"""Responses that are worth compressing, and some that must not be."""

import asyncio
import os
import random
from typing import Any
from urllib.parse import parse_qs

GATES = os.environ.get("MAITRED_TEST_GATES", "/nowhere")
PAGE = b"<!doctype html>" + b"".join(
    b"<p id=%d>Paragraph %d of a page</p>" % (number, number * 7919 % 1000) for number in range(300)
)


def words(seed: int, count: int) -> bytes:
    """The same text for the same seed; neither uniform nor incompressible."""
    chosen = random.Random(seed)
    return b" ".join(b"%x" % chosen.randrange(1 << chosen.choice((4, 8, 40))) for _ in range(count))


async def gate(name: str) -> None:
    while not os.path.exists(os.path.join(GATES, name)):
        await asyncio.sleep(0.005)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    path = scope["path"]
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    request = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}

    async def begin(kind: str, *fields: tuple[bytes, bytes], status: int = 200) -> None:
        headers = [(b"content-type", kind.encode()), *fields]
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def piece(body: bytes, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": more})

    if path == "/page":
        await begin("text/html; charset=utf-8", (b"content-length", b"%d" % len(PAGE)))
        await piece(PAGE, False)
    elif path == "/words":
        await begin("application/json")
        await piece(words(int(query["seed"]), int(query["count"])), False)
    elif path == "/streamed":
        # Its pieces have all sizes.
        body = words(int(query["seed"]), int(query["count"]))
        chosen = random.Random(int(query["seed"]))
        await begin("text/plain")
        at = 0
        while at < len(body):
            size = chosen.choice((1, 10, 1000, 50_000))
            await piece(body[at : at + size])
            at += size
            if chosen.random() < 0.1:
                await asyncio.sleep(0.002)
        await piece(b"", False)
    elif path == "/encoded":
        await begin("text/html", (b"content-encoding", b"x-own"))
        await piece(PAGE, False)
    elif path == "/image":
        await begin("image/png")
        await piece(PAGE, False)
    elif path == "/events":
        await begin(query.get("type", "text/event-stream"))
        for number in range(3):
            await piece(b"data: %d\n\n" % number)
            await gate(f"event-{number}-{query['name']}")
        await piece(b"", False)
    elif path == "/endless":
        await begin("text/html")
        count = 0
        try:
            while True:
                await piece(words(count, 2000))
                count += 1
        except OSError:
            print(f"the client of {query['name']} has left", flush=True)
    elif path == "/breaks":
        await begin("text/html")
        await piece(PAGE)
        raise RuntimeError("broken on purpose")
    elif path == "/validated":
        # Compares texts, as too many do.
        if request.get("if-none-match") == '"v1"':
            await begin("text/html", (b"etag", b'"v1"'), status=304)
            await piece(b"", False)
        elif scope["method"] == "PUT":
            await begin("text/plain", status=204 if request.get("if-match") == '"v1"' else 412)
            await piece(b"", False)
        else:
            await begin("text/html", (b"etag", b'"v1"'))
            await piece(PAGE, False)
    elif path == "/echo":
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        await begin("application/octet-stream", (b"x-request-encoding", request.get("content-encoding", "").encode()))
        await piece(body, False)
