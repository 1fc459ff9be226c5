"""An app that opens at import what should be opened in a worker."""

import asyncio
import os
import random
import signal
import socket
import sqlite3

import numpy

FORKED = []
os.register_at_fork(after_in_child=lambda: FORKED.append(os.getpid()))
signal.signal(signal.SIGTERM, lambda number, frame: FORKED.append("SIGTERM"))


class Store:
    def __init__(self):
        self.pool = {"main": [sqlite3.connect(":memory:")]}


STORE = Store()
CLOSED = sqlite3.connect(":memory:")
CLOSED.close()
LOOP = asyncio.new_event_loop()
RNG = numpy.random.Generator()
UPSTREAM = socket.create_connection(("127.0.0.1", int(os.environ["UPSTREAM"])))
LISTENER = socket.create_server(("127.0.0.1", 0))


class Lazy:
    """As Django's SimpleLazyObject: asked for its class it makes itself."""

    @property
    def __class__(self):
        print("woken")
        raise RuntimeError("woken")


LAZY = [Lazy()]


def application(environ, start_response):
    if environ["PATH_INFO"] == "/term":
        os.kill(os.getpid(), signal.SIGTERM)
    text = repr([FORKED, os.getpid(), random.random(), numpy.random.rand()])
    start_response("200 OK", [])
    return [text.encode()]
