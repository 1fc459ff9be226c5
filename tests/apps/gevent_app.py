"""A Flask application as people write them before they try gevent: it waits in plain blocking calls of the standard library."""

import http.client
import os
import socket
import time
from typing import Any

from flask import Flask, request

UPSTREAM = int(os.environ.get("UPSTREAM_PORT", "0"))
app = Flask(__name__)


@app.get("/ask")
def ask() -> bytes:
    """Asks an upstream over a blocking socket, and waits for its answer."""
    with socket.create_connection(("127.0.0.1", UPSTREAM), timeout=60) as connection:
        connection.sendall(b"?")
        return connection.recv(100)


@app.get("/fetch")
def fetch() -> bytes:
    """The same through http.client, which was imported by name."""
    connection = http.client.HTTPConnection("127.0.0.1", UPSTREAM, timeout=60)
    connection.request("GET", "/")
    return connection.getresponse().read()


@app.get("/sleep")
def sleep() -> str:
    time.sleep(float(request.args["seconds"]))
    return str(os.getpid())


@app.get("/announce")
def announce() -> str:
    print("announced", flush=True)
    time.sleep(float(request.args["seconds"]))
    return "over"


@app.get("/stream")
def stream() -> Any:
    count = int(request.args["lines"])

    def lines() -> Any:
        for number in range(count):
            yield f"line {number}\n"
            time.sleep(0.02)

    return lines()


@app.get("/pid")
def pid() -> str:
    return str(os.getpid())


@app.post("/length")
def length() -> str:
    return str(len(request.get_data()))


@app.get("/spin")
def spin() -> str:
    while True:
        pass
