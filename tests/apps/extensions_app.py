"""ASGI's extensions and WSGI's early hints; the path and the query say what to do."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

HINT = "</style.css>; rel=preload; as=style"


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
    start: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
    if scope["path"] == "/extensions":
        await send(start)
        await send({"type": "http.response.body", "body": " ".join(sorted(scope["extensions"])).encode()})
    elif scope["path"] == "/file":
        if "length" in query:
            start["headers"] = [(b"content-length", query["length"].encode())]
        await send(start)
        await send({"type": "http.response.pathsend", "path": query["path"]})
    elif scope["path"] == "/trailers":
        await send({**start, "trailers": True})
        for part in (b"one ", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": part != b"two"})
        await send({"type": "http.response.trailers", "headers": [(b"x-parts", b"2")], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"abc")]})
    elif scope["path"] == "/hint":
        await send({"type": "http.response.early_hint", "links": [HINT.encode()]})
        await send(start)
        await send({"type": "http.response.body", "body": b"hinted"})


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.early_hints"]([("Link", HINT)])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hinted"]
