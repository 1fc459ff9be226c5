"""Says who the client is and where it is, as far as the server told: the same words from WSGI and from ASGI."""

import json
from collections.abc import Callable, Iterable
from typing import Any

TOLD = ("forwarded", "host", "x-other")


def told(name: str) -> bool:
    return name in TOLD or name.startswith("x-forwarded-") or name == "x-real-ip"


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    fields = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    body = json.dumps(
        {
            "address": environ["REMOTE_ADDR"],
            "port": int(environ.get("REMOTE_PORT", 0)),
            "scheme": environ["wsgi.url_scheme"],
            "server": [environ["SERVER_NAME"], int(environ["SERVER_PORT"])],
            "mount": environ["SCRIPT_NAME"],
            "path": environ["SCRIPT_NAME"] + environ["PATH_INFO"],
            "fields": {name: value for name, value in fields.items() if told(name)},
            "body": environ["wsgi.input"].read().decode("latin-1"),
        }
    ).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    text = b""
    more = True
    while more:
        message = await receive()
        text += message.get("body", b"")
        more = message.get("more_body", False)
    fields = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope["client"] or ("", 0)
    body = json.dumps(
        {
            "address": client[0],
            "port": client[1],
            "scheme": scope["scheme"],
            "server": list(scope["server"]),
            "mount": scope["root_path"],
            "path": scope["path"],
            "fields": {name: value for name, value in fields.items() if told(name)},
            "body": text.decode("latin-1"),
        }
    ).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
