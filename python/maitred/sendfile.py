"""Sends large files to clients with sendfile(2), which Node cannot call: `python -I -S sendfile.py PID`, started by src/spool/sendfile-process.ts.

The server (process PID) lends a client's socket for one part of a file, and keeps both open meanwhile. Over the channel, which is Node's IPC channel
(lines of JSON; a descriptor travels with its line as SCM_RIGHTS), it says

    {"lend": id, "fd": n, "start": n, "length": n}     with the socket; `fd` is the file's descriptor in the server
    {"stop": id}                                       the client has gone

and hears

    {"ready": 1}
    {"taken": id}                                      the socket has come: now the next may be lent
    {"moved": [[id, n], ...]}                          about twice a second: so many bytes have been written
    {"returned": id, "bytes": n}                       once for each socket: it is closed here, and so many bytes have been written in all

What fails here is not told apart: the server goes on from there, and meets the same failure where it can say more about it. The end of the channel
ends this process. Standard library only, CPython 3.9 and later; Linux.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from typing import Any

# Each thread waits for a disk while the others go on; sendfile(2) is called without the interpreter's lock.
_THREADS = 4
# What one call sends at most: then it is the next client's turn.
_TURN_BYTES = 1 << 20
_TELL_SECONDS = 0.5
_READ_BYTES = 1 << 16


class Part:
    """A part of a file on its way to a client."""

    __slots__ = ("connection", "file", "has_moved", "identifier", "left", "sent", "start")

    def __init__(self, message: dict[str, Any], connection: socket.socket, file: int) -> None:
        self.identifier: int = message["lend"]
        self.connection = connection
        self.file = file
        self.start: int = message["start"]
        self.left: int = message["length"]
        self.sent = 0
        self.has_moved = False


class Channel:
    """Node's end of it writes and reads lines of JSON."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._lock = threading.Lock()
        self._text = b""
        self._passed: list[int] = []

    def tell(self, message: dict[str, Any]) -> None:
        """Any thread may."""
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                self._socket.sendall(line)
        except OSError:
            os._exit(0)  # The server has gone.

    def receive(self, seconds: float | None) -> list[dict[str, Any]] | None:
        """What has come, after at most so long; None at the end."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return []
        data, ancillary, _flags, _address = self._socket.recvmsg(_READ_BYTES, socket.CMSG_SPACE(4))
        for _level, _kind, content in ancillary:
            passed = array.array("i")
            passed.frombytes(content[: len(content) - len(content) % passed.itemsize])
            self._passed.extend(passed)
        *lines, self._text = (self._text + data).split(b"\n")
        return [json.loads(line) for line in lines] if data else None

    def take(self) -> int:
        """The descriptor that came with the last message; -1 where this process may have no more of them."""
        return self._passed.pop(0) if self._passed else -1


class Sender(threading.Thread):
    """Serves some of the clients."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(daemon=True)
        self.parts: dict[int, Part] = {}
        self._channel = channel
        self._poll = select.epoll()

    def run(self) -> None:
        """Until the process ends."""
        while True:
            for descriptor, _events in self._poll.poll():
                self._send(self.parts[descriptor])

    def add(self, part: Part) -> None:
        """The main thread's: from now on it is this thread's."""
        self.parts[part.connection.fileno()] = part
        self._poll.register(part.connection, select.EPOLLOUT)

    def _send(self, part: Part) -> None:
        try:
            count = os.sendfile(
                part.connection.fileno(), part.file, part.start + part.sent, min(part.left, _TURN_BYTES)
            )
        except BlockingIOError:
            return
        except OSError:
            count = 0
        part.sent += count
        part.left -= count
        part.has_moved = True
        if count == 0 or part.left == 0:
            # The server has the same socket open: closing it here would not take it out of the poll.
            self._poll.unregister(part.connection)
            del self.parts[part.connection.fileno()]
            self._channel.tell(close(part))


def close(part: Part) -> dict[str, Any]:
    """Closes what was lent; what to tell of it."""
    part.connection.close()
    os.close(part.file)
    return {"returned": part.identifier, "bytes": part.sent}


class Desk:
    """The main thread: takes parts in, stops them, tells how they go on."""

    def __init__(self, server: int, channel: Channel) -> None:
        self._server = server
        self._channel = channel
        self._senders = [Sender(channel) for _ in range(_THREADS)]

    def run(self) -> None:
        """Until the channel ends."""
        for sender in self._senders:
            sender.start()
        self._channel.tell({"ready": 1})
        told = 0.0
        while True:
            messages = self._channel.receive(_TELL_SECONDS if any(sender.parts for sender in self._senders) else None)
            if messages is None:
                return
            for message in messages:
                self._obey(message)
            if time.monotonic() - told >= _TELL_SECONDS:
                told = time.monotonic()
                self._tell_moved()

    def _obey(self, message: dict[str, Any]) -> None:
        if message.get("cmd") == "NODE_HANDLE":
            descriptor = self._channel.take()
            self._channel.tell({"cmd": "NODE_HANDLE_ACK"})
            self._channel.tell({"taken": message["msg"]["lend"]})
            self._lend(message["msg"], descriptor)
        elif "stop" in message:
            self._stop(message["stop"])

    def _lend(self, message: dict[str, Any], descriptor: int) -> None:
        connection = None
        try:
            # Whatever kind it is: nothing here asks.
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
            file = os.open(f"/proc/{self._server}/fd/{message['fd']}", os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError):
            if connection is not None:
                connection.close()
            self._channel.tell({"returned": message["lend"], "bytes": 0})
            return
        min(self._senders, key=lambda sender: len(sender.parts)).add(Part(message, connection, file))

    def _stop(self, identifier: int) -> None:
        for sender in self._senders:
            for part in list(sender.parts.values()):
                if part.identifier == identifier:
                    # Its thread finds that nothing can be written any more, and gives it back.
                    with contextlib.suppress(OSError):
                        part.connection.shutdown(socket.SHUT_RDWR)

    def _tell_moved(self) -> None:
        moved = [part for sender in self._senders for part in list(sender.parts.values()) if part.has_moved]
        for part in moved:
            part.has_moved = False
        if moved:
            self._channel.tell({"moved": [[part.identifier, part.sent] for part in moved]})


def main() -> None:
    """Serves the process whose number is the argument."""
    for name in ("SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        signal.signal(
            getattr(signal, name), signal.SIG_IGN
        )  # They are meant for the server; its end is the end of the channel.
    with contextlib.suppress(ConnectionError):
        Desk(int(sys.argv[1]), Channel(int(os.environ["NODE_CHANNEL_FD"]))).run()
    os._exit(0)


if __name__ == "__main__":
    main()
