"""A WSGI application with the weaknesses that a server should not make worse: it repeats what it is given into its answer's headers."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

seen: "Counter[str]" = Counter()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    query = parse_qs(environ.get("QUERY_STRING", ""), encoding="latin-1", keep_blank_values=True)
    status = query.get("status", ["200 OK"])[0]
    headers = [("Content-Type", "text/plain")]
    if path != "/count":
        via = environ.get("HTTP_X_VIA", "")
        seen[f"{environ['REQUEST_METHOD']} {path}" + (f" via {via}" if via else "")] += 1
    if "name" in query:
        headers.append((query["name"][0], query.get("value", [""])[0]))
    if path == "/count":
        body = json.dumps(seen).encode()
    elif path == "/read":
        body = environ["wsgi.input"].read()
    elif path == "/environ":
        body = json.dumps({key: value for key, value in environ.items() if isinstance(value, str)}).encode()
    elif path == "/large":
        body = b"x" * 60_000
    else:
        body = b"answered " + path.encode("latin-1")
    headers.append(("Content-Length", str(len(body))))
    start_response(status, headers)
    return [body]
