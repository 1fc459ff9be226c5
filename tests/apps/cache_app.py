"""Says in the query what its response is to be like, and counts: what the cache passed on is what this app has seen."""

import os
import threading
import time
from urllib.parse import parse_qsl

GATES = os.environ.get("MAITRED_TEST_GATES", "")
lock = threading.Lock()
counts: dict[str, int] = {}
seen: list[str] = []


def gate(name):
    deadline = time.monotonic() + 20
    while not os.path.exists(os.path.join(GATES, name)) and time.monotonic() < deadline:
        time.sleep(0.002)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    asked = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
    if path == "/counts":
        with lock:
            text = " ".join(f"{name}={count}" for name, count in sorted(counts.items())) or "nothing"
        start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
        return [text.encode()]
    with lock:
        counts[path] = count = counts.get(path, 0) + 1
    print(f"asked for {path}", environ["REQUEST_METHOD"], flush=True)
    options = dict(asked)
    if "die" in options and os.path.exists(os.path.join(GATES, options["die"])):
        os._exit(7)
    if "fail" in options and os.path.exists(os.path.join(GATES, options["fail"])):
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"failed"]
    if "gate" in options:
        gate(options["gate"])
    headers = [("Content-Type", "text/plain")]
    for name, value in asked:
        if name.startswith("h."):
            headers.append((name[2:], value))
    etag = options.get("h.ETag")
    if etag is not None and environ.get("HTTP_IF_NONE_MATCH") == etag:
        start_response("304 Not Modified", [h for h in headers if h[0] != "Content-Type"])
        return []
    echo = environ.get("HTTP_" + options["echo"].upper().replace("-", "_"), "nothing") if "echo" in options else ""
    body = f"{path} {count} {echo}".strip().encode()
    if "size" in options:
        body = body.ljust(int(options["size"]), b".")
    status = options.get("status", "200 OK")
    if "pieces" in options:
        start_response(status, headers)
        return stream(body, options["pieces"].split(","))
    headers.append(("Content-Length", str(len(body))))
    start_response(status, headers)
    return [body]


def stream(body, gates):
    """One piece before each gate, the rest after the last; a gate "die" ends the worker."""
    size = len(body) // (len(gates) + 1)
    for index, name in enumerate(gates):
        yield body[index * size : (index + 1) * size]
        if name == "die":
            time.sleep(0.05)
            os._exit(7)
        gate(name)
    yield body[len(gates) * size :]
