"""What a WSGI app can rely on under gevent; the path chooses. It imports what it uses by name, as apps do: patched already, or never."""

import contextvars
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from socket import socket, socketpair
from time import sleep

LOCAL = threading.local()
VARIABLE = contextvars.ContextVar("variable", default=None)
GATE = threading.Event()
TERMED = []
signal.signal(signal.SIGTERM, lambda number, frame: TERMED.append(number))
EARLY = socketpair()
CLOSING = threading.Event()


def application(environ, start_response):
    result = globals()["do_" + environ["PATH_INFO"].strip("/")](environ)
    body = result if isinstance(result, bytes) else repr(result).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


def do_patched(environ):
    return [sleep.__module__, socket.__module__]


def do_sleep(environ):
    sleep(float(environ["QUERY_STRING"]))
    return "slept"


def do_wait(environ):
    return GATE.wait(10)


def do_open(environ):
    GATE.set()
    return "open"


def do_ok(environ):
    return "ok"


def do_local(environ):
    before = getattr(LOCAL, "value", None), VARIABLE.get()
    LOCAL.value = environ["QUERY_STRING"]
    VARIABLE.set(environ["QUERY_STRING"])
    sleep(0.01)
    return [before, LOCAL.value, VARIABLE.get()]


def do_input(environ):
    return environ["wsgi.input"].read()


def do_subprocess(environ):
    return subprocess.run([sys.executable, "-c", "print(6 * 7)"], stdout=subprocess.PIPE, timeout=10).stdout


def _times(queue, number):
    queue.put(number * 7)


def do_multiprocessing(environ):
    context = multiprocessing.get_context(environ["QUERY_STRING"])
    queue = context.SimpleQueue()
    process = context.Process(target=_times, args=(queue, 6))
    process.start()
    process.join(20)
    return [process.exitcode, queue.get() if process.exitcode == 0 else None]


def do_term(environ):
    os.kill(os.getpid(), signal.SIGTERM)
    sleep(0.05)
    return [signal.Signals(number).name for number in TERMED]


def do_spin(environ):
    print("spinning", flush=True)
    while True:
        pass


def do_gone(environ):
    while not environ["maitred.client_gone"]():
        pass
    print("noticed", flush=True)
    return "gone"


def do_exit(environ):
    sys.exit(3)


def do_early(environ):
    EARLY[0].send(b"x")
    return repr(EARLY[1].recv(1)).encode()


class SlowClose(list):
    def close(self):
        CLOSING.wait(10)


def closing(environ, start_response):
    if environ["PATH_INFO"] == "/release":
        CLOSING.set()
    start_response("200 OK", [("Content-Length", "2")])
    return SlowClose([b"ok"]) if environ["PATH_INFO"] == "/slow" else [b"ok"]


async def asgi(scope, receive, send):
    pass
