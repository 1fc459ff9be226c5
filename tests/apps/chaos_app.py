"""What the chaos scenarios need, spoken as WSGI and as ASGI, so that every server gets the same work."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

RUNS = os.environ.get("CHAOS_RUNS", "/dev/null")


def note_run(path: str) -> None:
    descriptor = os.open(RUNS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{path}\n".encode())
    os.close(descriptor)


def stuck_here() -> None:
    while True:
        pass


def work(path: str, query: str) -> bytes:
    """Blocks, as most of what applications do; also where an event loop calls it."""
    if path == "/work":
        time.sleep(float(parse_qs(query)["ms"][0]) / 1000)
    elif path == "/stuck":
        stuck_here()
    elif path == "/run":
        note_run(path)
    elif path == "/die":
        note_run(path)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    return str(os.getpid()).encode()


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = work(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = work(scope["path"], scope["query_string"].decode())
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
