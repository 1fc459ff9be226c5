"""One WSGI and one ASGI application that tell what they were asked, and decide who may come where they are asked that."""

import json
import os
import time
from typing import Any

GATES = os.environ.get("MAITRED_TEST_GATES", "/nowhere")


def verdict(cookie: str) -> "tuple[int, list[tuple[str, str]]]":
    """For /auth: the cookie says who it is."""
    for pair in cookie.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == "session":
            return 200, [("X-User", value), ("X-Groups", "staff"), ("Set-Cookie", f"session={value}; HttpOnly")]
    return 401, [("WWW-Authenticate", 'Cookie realm="login"')]


def hold(name: str) -> None:
    print(f"holding {name}", flush=True)
    while not os.path.exists(os.path.join(GATES, name)):
        time.sleep(0.005)


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    path = environ["PATH_INFO"]
    if path == "/auth":
        print(f"asked about {environ['HTTP_X_ORIGINAL_METHOD']} {environ['HTTP_X_ORIGINAL_URI']}", flush=True)
        status, fields = verdict(environ.get("HTTP_COOKIE", ""))
        start_response(f"{status} OK", fields)
        return [b"decided"]
    if path == "/hold":
        hold(environ["QUERY_STRING"])
    if path == "/raise":
        raise RuntimeError("as asked")
    body = environ["wsgi.input"].read().decode("latin-1")
    told = {
        "method": environ["REQUEST_METHOD"],
        "path": path,
        "query": environ["QUERY_STRING"],
        "uri": environ["RAW_URI"],
        "body": body,
        "user": environ.get("REMOTE_USER"),
        "type": environ.get("AUTH_TYPE"),
        "fields": {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")},
    }
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Powered-By", "an app")])
    return [json.dumps(told).encode()]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    fields = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    told: dict[str, Any] = {"path": scope["path"], "raw": scope["raw_path"].decode(), "fields": fields}
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": json.dumps(told)})
        await receive()
        return
    if scope["path"] == "/auth":
        status, answer = verdict(fields.get("cookie", ""))
        pairs = [(name.lower().encode(), value.encode()) for name, value in answer]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        # In pieces, more than the credit of one exchange.
        for _ in range(20):
            await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
        await send({"type": "http.response.body"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told["body"] = body.decode("latin-1") if len(body) < 1000 else len(body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
