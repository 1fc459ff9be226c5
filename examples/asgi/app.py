"""Plain ASGI, no framework (ASGI 3.0): each path shows one thing a server must get right."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATTERN = bytes(range(256)) * 256


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(scope, receive, send)
    elif scope["type"] == "http":
        await PAGES.get(scope["path"], not_found)(scope, receive, send)
    else:
        raise NotImplementedError(scope["type"])


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            scope.get("state", {})["greeting"] = "Hello, ASGI!\n"
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            print("lifespan: the application says goodbye", file=sys.stderr, flush=True)
            await send({"type": "lifespan.shutdown.complete"})
            return


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, scope["state"]["greeting"].encode())


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    headers = dict(scope["headers"])
    await answer(send, await read_body(receive), headers.get(b"content-type", b"application/octet-stream"))


async def show_scope(scope: Scope, receive: Receive, send: Send) -> None:
    body = json.dumps(scope, indent=2, sort_keys=True, default=readable).encode()
    await answer(send, body, b"application/json")


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(min(number(scope, "seconds", 1.0), 30.0))
    await answer(send, b"That took a while.\n")


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Lines until the client leaves: whoever streams watches for http.disconnect at the same time."""
    count = int(number(scope, "lines", 20))
    sent = 0

    async def lines() -> None:
        nonlocal sent
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain; charset=utf-8")]}
        )
        for line in range(1, count + 1):
            await send({"type": "http.response.body", "body": f"line {line} of {count}\n".encode(), "more_body": True})
            sent = line
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b""})

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(lines()), asyncio.ensure_future(left())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        print(f"stream over after {sent} of {count} lines", file=sys.stderr, flush=True)


async def big(scope: Scope, receive: Receive, send: Send) -> None:
    """`?bytes=N` bytes of a pattern, with a Content-Length, in pieces of 64 KiB."""
    left = int(number(scope, "bytes", 5_000_000))
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", str(left).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while left > 0:
        piece = PATTERN[:left]
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def empty(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def error(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("an error on purpose")


async def late_error(scope: Scope, receive: Receive, send: Send) -> None:
    """Fails after the headers and some of the body have left: the client must see that it broke off."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"so far, so good\n", "more_body": True})
    raise RuntimeError("an error on purpose, too late")


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns without an answer: a mistake of the application, for which the client gets a 500."""


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b"Not found. Try: " + " ".join(PAGES).encode() + b"\n", status=404)


async def answer(
    send: Send, body: bytes, content_type: bytes = b"text/plain; charset=utf-8", status: int = 200
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client left before its body was complete")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def number(scope: Scope, name: str, default: float) -> float:
    return float(parse_qs(scope["query_string"].decode("latin-1")).get(name, [default])[0])


def readable(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else repr(value)


PAGES: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]] = {
    "/": hello,
    "/echo": echo,
    "/scope": show_scope,
    "/slow": slow,
    "/stream": stream,
    "/big": big,
    "/empty": empty,
    "/error": error,
    "/late-error": late_error,
    "/silent": silent,
}
