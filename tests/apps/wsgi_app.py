"""What the server tests need from a WSGI application: to count, to be held at work, to say who answered."""

import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

IMPORTED_BY = os.getpid()
# A request to /hold stays at work until the test has made the file named after it.
GATES = os.environ.get("MAITRED_TEST_GATES", "/nowhere")
seen: "Counter[str]" = Counter()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    query = parse_qs(environ.get("QUERY_STRING", ""))
    errors = environ["wsgi.errors"]
    if path != "/count":
        seen[path] += 1
    text = "hello"
    fields = []
    if path == "/count":
        text = " ".join(f"{name}={number}" for name, number in sorted(seen.items())) or "nothing"
    elif path == "/protocol":
        text = f"{environ['wsgi.url_scheme']} {environ['SERVER_PROTOCOL']} {environ['HTTP_HOST']}"
    elif path == "/pid":
        text = str(os.getpid())
    elif path == "/parents":
        text = f"{os.getpid()} {os.getppid()}"
    elif path == "/imported-by":
        text = f"{IMPORTED_BY} {os.getpid()}"
    elif path == "/cwd":
        text = os.getcwd()
    elif path == "/remote":
        text = f"{environ['REMOTE_ADDR']!r} {environ['SERVER_NAME']!r}"
    elif path == "/scheme":
        text = environ["wsgi.url_scheme"]
    elif path == "/hsts":
        fields.append(("strict-transport-security", "max-age=1"))
    elif path == "/hold":
        name = query["name"][0]
        print(f"holding {name} in {os.getpid()}", file=errors, flush=True)
        while not os.path.exists(os.path.join(GATES, name)):
            time.sleep(0.005)
        text = f"held {name} in {os.getpid()}"
    elif path == "/work":
        time.sleep(float(query["ms"][0]) / 1000)
    elif path == "/echo":
        text = environ["wsgi.input"].read().decode("latin-1")
    elif path == "/digest":
        # What a large body was, read in pieces: its length, its SHA-256 and the kind of wsgi.input.
        digest, length = hashlib.sha256(), 0
        for piece in iter(lambda: environ["wsgi.input"].read(262_144), b""):
            digest.update(piece)
            length += len(piece)
        text = f"{length} {environ.get('CONTENT_LENGTH')} {digest.hexdigest()} {type(environ['wsgi.input']).__name__}"
    elif path == "/length":
        text = str(sum(len(piece) for piece in iter(lambda: environ["wsgi.input"].read(262_144), b"")))
    elif path == "/large":
        count = int(query["bytes"][0])
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(count))])
        return (b"x" * min(65_536, count - at) for at in range(0, count, 65_536))
    elif path == "/print":
        print("printed to stdout", flush=True)
        print("printed to sys.stderr", file=sys.stderr, flush=True)
        errors.write("written to wsgi.errors\n")
        errors.flush()
    elif path == "/ignore-body":
        pass
    body = text.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *fields])
    return [body]
