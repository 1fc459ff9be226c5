"""A small front in Python: starts the real zygote, speaks PROTOCOL.md, one frame at a time."""

import json
import marshal
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
from typing import Any

PYTHON_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
APPS_DIR = os.path.join(PYTHON_DIR, "tests", "apps")
STARTER = f"import sys; sys.path.insert(0, {PYTHON_DIR!r}); from maitred.worker.zygote import main; sys.path.remove({PYTHON_DIR!r}); main()"
PATIENCE = 10.0

REQUESTS, BODY, END, CANCEL, CREDIT, PING, FILE_TAKEN = range(1, 8)
RESPONSES, RESPONSES_BUSY, HEAD, RBODY, REND, IDLE, RCREDIT, ABORT, PONG, INFORM, FILE, EXTEND = range(0x41, 0x4D)
WS_TEXT, WS_BINARY, WS_PART, WS_CLOSED = range(0x10, 0x14)
WS_RTEXT, WS_RBINARY, WS_RPART, WS_CLOSE, WS_ACCEPT, WS_RBINARY_PART = range(0x50, 0x56)


class Closed(Exception):
    """The other side has closed."""


class Lines:
    """JSON lines."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.buffer = b""

    def send(self, **message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self):
        while b"\n" not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise Closed
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def close(self):
        self.socket.close()


class SeatLink:
    """The front's end of a seat."""

    def __init__(self, connection, rest=b""):
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.buffer = rest

    def frame(self, kind, arg=0, payload=b""):
        self.frames((kind, arg, payload))

    def frames(self, *frames):
        """All of them in one write: the worker reads them together."""
        self.socket.sendall(
            b"".join(struct.pack("<II", len(payload), kind | arg << 8) + payload for kind, arg, payload in frames)
        )

    def requests(self, *items):
        self.frame(REQUESTS, 0, marshal.dumps(list(items), 4))

    def _need(self, count):
        while len(self.buffer) < count:
            try:
                data = self.socket.recv(262144)
            except ConnectionError:
                data = b""
            if not data:
                raise Closed
            self.buffer += data

    def receive(self):
        """(type, arg, payload)"""
        self._need(8)
        length, word = struct.unpack_from("<II", self.buffer)
        self._need(8 + length)
        payload, self.buffer = self.buffer[8 : 8 + length], self.buffer[8 + length :]
        return word & 0xFF, word >> 8, payload

    def responses(self, count=1):
        """Complete responses as {id: (status, headers, body)}; any other frame is a failure."""
        found: dict[int, tuple[Any, Any, Any]] = {}
        while len(found) < count:
            kind, _, payload = self.receive()
            assert kind in (RESPONSES, RESPONSES_BUSY, IDLE), hex(kind)
            if kind != IDLE:
                for request_id, status, headers, body in marshal.loads(payload):
                    found[request_id] = (status, headers, body)
        return found

    def outcome(self, request_id=1, grant=True):
        """Everything of one request until it is finished: {"status", "headers", "body", "end": "complete"|"end"|reason, "frames"}."""
        result: dict[str, Any] = {"status": None, "headers": None, "body": b"", "frames": []}
        while True:
            kind, arg, payload = self.receive()
            if kind in (RESPONSES, RESPONSES_BUSY):
                for found, status, headers, body in marshal.loads(payload):
                    if found == request_id:
                        result.update(status=status, headers=headers, body=body, end="complete")
                        return result
                continue
            if kind == IDLE or arg != request_id:
                continue
            result["frames"].append(kind)
            if kind == HEAD:
                result["status"], result["headers"] = marshal.loads(payload)
            elif kind == RBODY:
                result["body"] += payload
                if grant:
                    self.frame(CREDIT, arg, struct.pack("<I", len(payload)))
            elif kind == FILE:
                opened, result["name"] = payload[8:].split(b"\0")
                with open(opened, "rb") as file:
                    file.seek(struct.unpack_from("<Q", payload)[0])
                    result["body"] += file.read()
                self.frame(FILE_TAKEN, arg, b"\1")
                result["end"] = "file"
                return result
            elif kind == REND:
                result["end"] = "end"
                return result
            elif kind == ABORT:
                result["end"] = payload.decode()
                return result

    def silent(self, seconds=0.15):
        """True if nothing comes for so long."""
        return not self.buffer and not select.select([self.socket], [], [], seconds)[0]

    def close(self):
        self.socket.close()


class Worker:
    """A worker as the front sees it."""

    def __init__(self, number, pid):
        self.number = number
        self.pid = pid
        self.link = None
        self.ready = None
        self.stacks = None
        #: Its first `modules` message, if it sent one.
        self.modules = None
        self.seats = {}

    def close(self):
        if self.stacks is not None:
            self.stacks.close()
        for seat in self.seats.values():
            seat.close()


class Front:
    """One zygote and its workers."""

    def __init__(self, app, **settings):
        self.token = os.urandom(32).hex()
        self.listener = socket.socket(socket.AF_UNIX)
        name = f"maitred-test-{os.getpid()}-{os.urandom(6).hex()}"
        self.listener.bind("\0" + name)
        self.listener.listen(64)
        self.listener.settimeout(PATIENCE)
        ours, theirs = socket.socketpair()
        self.stderr_read, stderr_write = os.pipe()
        self.process = subprocess.Popen(
            [settings.pop("python", sys.executable), "-c", STARTER],
            stdin=subprocess.DEVNULL,
            stdout=stderr_write,
            stderr=stderr_write,
            pass_fds=(3,),
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3, inheritable=True),
        )
        os.close(stderr_write)
        theirs.close()
        self.link = Lines(ours)
        self.workers = {}
        self.unclaimed = []
        start = {
            "type": "start",
            "protocol": 1,
            "token": self.token,
            "address": "@" + name,
            "abstract": True,
            "app": app,
            "factory": False,
            "interface": "auto",
            "preload": False,
            "chdir": APPS_DIR,
            "pythonpath": [APPS_DIR],
            "environ": {},
            "threads": 1,
            "loop": "asyncio",
            "lifespan": "auto",
            "wsgi": {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "SCRIPT_NAME": "", "wsgi.url_scheme": "http"},
            "asgi": {"server": ["127.0.0.1", 80], "scheme": "http", "root_path": ""},
            "marshal_probe": marshal.dumps([1, "a", b"b", None, True, ("x",)], 2).hex(),
        }
        start.update(settings)
        self.link.send(**start)
        self.hello = self.link.receive()

    def fork(self, number=1):
        """A ready Worker, or its `failed` message as a dict."""
        self.link.send(type="fork", worker=number)
        forked = self.link.receive()
        assert forked["type"] == "forked", forked
        worker = Worker(number, forked["pid"])
        self.workers[number] = worker
        while worker.ready is None:
            if worker.link is not None and (worker.link.buffer or self._link_speaks_first(worker)):
                message = worker.link.receive()
                if message["type"] == "modules":
                    worker.modules = message
                    continue
                if message["type"] == "failed":
                    return message
                assert message["type"] == "ready", message
                worker.ready = message
                break
            self._accept(worker)
        while len(worker.seats) < worker.ready["seats"]:
            self._accept(worker)
        return worker

    def _link_speaks_first(self, worker):
        ready, _, _ = select.select([worker.link.socket, self.listener], [], [], PATIENCE)
        return worker.link.socket in ready

    def _accept(self, worker):
        connection, _ = self.listener.accept()
        lines = Lines(connection)
        first = lines.receive()
        assert first["token"] == self.token and first["protocol"] == 1 and first["worker"] == worker.number, first
        if first["type"] == "worker":
            assert first["pid"] == worker.pid
            worker.link = lines
        elif first["type"] == "stacks":
            worker.stacks = connection
        else:
            worker.seats[first["seat"]] = SeatLink(connection, lines.buffer)

    def exit(self):
        """The next `exit` message."""
        while True:
            message = self.link.receive()
            if message["type"] == "exit":
                return message

    def output(self):
        """What the processes have written so far, stdout and stderr together."""
        text = b""
        while select.select([self.stderr_read], [], [], 0.1)[0]:
            data = os.read(self.stderr_read, 65536)
            if not data:
                break
            text += data
        return text.decode()

    def close(self):
        for worker in self.workers.values():
            worker.close()
            if worker.link:
                worker.link.close()
        self.link.close()
        self.listener.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise
        finally:
            os.close(self.stderr_read)


class FrontCase(unittest.TestCase):
    """A test that starts fronts."""

    def front(self, app, **settings):
        front = Front(app, **settings)
        self.addCleanup(front.close)
        return front

    def worker(self, app, **settings):
        """(front, worker, seat)"""
        front = self.front(app, **settings)
        worker = front.fork()
        self.assertIsInstance(worker, Worker, worker)
        return front, worker, worker.seats[0]


def wsgi_head(path="/", method="GET", **more):
    head = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
    }
    head.update(more)
    return head


def asgi_head(path="/", method="GET", **more):
    head = {
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1234),
    }
    head.update(more)
    return head


def websocket_head(path="/", **more):
    return asgi_head(path, **{"type": "websocket", "scheme": "ws", "subprotocols": [], **more})


def wait_gone(pid, seconds=PATIENCE):
    """True when the process has gone (or is a zombie)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False
