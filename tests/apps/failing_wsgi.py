"""Answers of every kind of failure."""

import time
from typing import Any
from urllib.parse import parse_qs


def application(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    if path == "/raises":
        raise RuntimeError("broken on purpose")
    if path == "/sleeps":
        time.sleep(30)
    if path == "/streams":
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return (b"piece " * 10_000 for _ in range(20))
    status = query.get("status", "200 OK")
    start_response(status, [("Content-Type", "text/plain"), ("X-App", "yes")])
    return [b"the app's own words"]
