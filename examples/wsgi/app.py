"""Plain WSGI, no framework (PEP 3333): each path shows one thing a server must get right."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

PATTERN = bytes(range(256)) * 256


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    page = PAGES.get(environ["PATH_INFO"], not_found)
    return page(environ, start_response)


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return answer(start_response, b"Hello, WSGI!\n")


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The body as it came, whether it had a Content-Length or came in chunks: read() ends where the body ends."""
    body = environ["wsgi.input"].read()
    return answer(start_response, body, environ.get("CONTENT_TYPE") or "application/octet-stream")


def show_environ(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    shown = {
        key: value if isinstance(value, (str, bool, int, list, tuple)) else repr(value)
        for key, value in environ.items()
    }
    return answer(start_response, json.dumps(shown, indent=2, sort_keys=True).encode(), "application/json")


def slow(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    time.sleep(min(number(environ, "seconds", 1.0), 30.0))
    return answer(start_response, b"That took a while.\n")


def stream(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return lines(environ, int(number(environ, "lines", 20)))


def lines(environ: Environ, count: int) -> Iterator[bytes]:
    sent = 0
    try:
        for line in range(1, count + 1):
            yield f"line {line} of {count}\n".encode()
            sent = line
            time.sleep(0.1)
    finally:
        environ["wsgi.errors"].write(f"stream over after {sent} of {count} lines\n")
        environ["wsgi.errors"].flush()


def big(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """`?bytes=N` bytes of a pattern, with a Content-Length, in pieces of 64 KiB."""
    size = int(number(environ, "bytes", 5_000_000))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
    return pieces(size)


def pieces(size: int) -> Iterator[bytes]:
    while size > 0:
        yield PATTERN[:size]
        size -= len(PATTERN)


def write(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The old way to answer: the write() callable that start_response returns."""
    send = start_response("200 OK", [("Content-Type", "text/plain")])
    send(b"written, ")
    return [b"then returned\n"]


def empty(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


def error(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise RuntimeError("an error on purpose")


def late_error(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Fails after the headers and some of the body have left: the client must see that it broke off."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"so far, so good\n"
    raise RuntimeError("an error on purpose, too late")


def replaced_error(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """PEP 3333's exc_info: an error found before the headers have left replaces them."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise RuntimeError("an error on purpose, in time")
    except RuntimeError:
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"replaced\n"]


def not_found(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return answer(start_response, b"Not found. Try: " + " ".join(PAGES).encode() + b"\n", status="404 Not Found")


def answer(
    start_response: StartResponse, body: bytes, content_type: str = "text/plain; charset=utf-8", status: str = "200 OK"
) -> list[bytes]:
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


def number(environ: Environ, name: str, default: float) -> float:
    return float(parse_qs(environ.get("QUERY_STRING", "")).get(name, [default])[0])


PAGES: dict[str, Callable[[Environ, StartResponse], Iterable[bytes]]] = {
    "/": hello,
    "/echo": echo,
    "/environ": show_environ,
    "/slow": slow,
    "/stream": stream,
    "/big": big,
    "/write": write,
    "/empty": empty,
    "/error": error,
    "/late-error": late_error,
    "/replaced-error": replaced_error,
}
