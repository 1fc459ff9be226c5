"""A WSGI application that gets its worker into every kind of trouble."""

import ctypes
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

GATES = os.environ.get("MAITRED_TEST_GATES", "/nowhere")
hoard: list[bytearray] = []
# With --preload the workers share it.
SHARED = b"x" * (int(os.environ.get("MAITRED_TEST_SHARED_MIB", "0")) << 20)


def spin() -> None:
    while True:
        pass


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    text = f"hello from {os.getpid()} {threading.get_ident()}"
    say(f"begun {path} in {os.getpid()}")
    if path == "/spin":
        spin()
    elif path == "/sleep":
        time.sleep(600)
    elif path == "/hold-gil":
        # In C all the time: the regular expression tries 2^60 ways.
        re.match(r"(a+)+$", "a" * 60 + "b")
    elif path == "/wait":
        while not os.path.exists(os.path.join(GATES, query["name"])):
            time.sleep(0.005)
        text = f"waited in {os.getpid()}"
    elif path == "/extended":
        environ["maitred.extend_deadline"](float(query["by"]))
        time.sleep(float(query["for"]))
    elif path == "/read-slowly":
        text = str(len(environ["wsgi.input"].read()))
    elif path == "/trickle":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return trickle(int(query["pieces"]), float(query["every"]))
    elif path == "/stall":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return trickle(2, 600)
    elif path == "/segfault":
        ctypes.string_at(0)
    elif path == "/os-exit":
        os._exit(int(query["code"]))
    elif path == "/sys-exit":
        sys.exit(7)
    elif path == "/kill":
        os.kill(os.getpid(), int(query["signal"]))
        time.sleep(60)
    elif path == "/hoard":
        hoard.append(bytearray(b"x" * (int(query["mib"]) << 20)))
    elif path == "/until-gone":
        while not environ["maitred.client_gone"]():
            time.sleep(0.01)
        say("the client is gone, says the app")
    elif path == "/oblivious":
        try:
            while True:
                time.sleep(0.01)
        except ConnectionError as error:
            say(f"interrupted: {type(error).__name__}")
            raise
    body = text.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def trickle(pieces: int, every: float) -> Iterable[bytes]:
    for number in range(pieces):
        yield b"%d " % number
        time.sleep(every)
