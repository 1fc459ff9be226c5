"""JSON lines over a socket: the zygote link and the worker link, and the way to the front's private socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from maitred.worker.wire import PROTOCOL


class JsonLink:
    """One JSON object per line, both ways, over a blocking socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        #: Messages received and not yet looked at, for whoever reads next.
        self.held: list[dict[str, Any]] = []
        self._tail = b""

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> list[dict[str, Any]] | None:
        """The messages that the next read completes, perhaps none; None at the end of the stream."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            return None
        if not data:
            return None
        *lines, self._tail = (self._tail + data).split(b"\n")
        return [json.loads(line) for line in lines if line.strip()]


class FrontAddress:
    """Where the front listens for its workers, and the token that opens the door."""

    def __init__(self, address: str, abstract: bool, token: str) -> None:
        name = address[1:] if abstract and address[:1] in ("@", "\0") else address
        self._path = "\0" + name if abstract else name
        self._token = token

    def connect(self, first_line: dict[str, Any]) -> socket.socket:
        """A new connection that has introduced itself."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(self._path)
        introduction = {**first_line, "protocol": PROTOCOL, "token": self._token}
        connection.sendall(json.dumps(introduction).encode() + b"\n")
        return connection
