"""Work that waits: /fast for 2 ms, /slow for 100 ms, /work?ms=N for N, so that slow and fast share a path."""

import time
from urllib.parse import parse_qs

BODY = b"Hello, World!"


def wsgi(environ, start_response):
    time.sleep(milliseconds(environ) / 1000)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))])
    return [BODY]


def milliseconds(environ):
    if environ["PATH_INFO"] == "/work":
        return float(parse_qs(environ["QUERY_STRING"])["ms"][0])
    return 100 if environ["PATH_INFO"] == "/slow" else 2
