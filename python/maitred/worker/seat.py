"""One blocking seat: its socket, the requests that wait on it, and the mail for each of them.

Two threads come here. The seat's own thread does all of it; the recall thread only takes requests from the right end of the
queue, and what the socket holds if nobody is reading. So reading is under a lock, and frames that belong to a request are not
acted upon where they are read but put in `arrived` with the number of the last request that had come before them (its
*horizon*): an id is used again, and a CANCEL that crossed our answer must not hit the id's next bearer.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections import deque
from marshal import loads
from typing import Any

from maitred.worker.wire import REQUESTS, FrameReader, frame_header

#: (item of REQUESTS, sequence)
Waiting = tuple[tuple[Any, ...], int]
#: (frame type, payload)
Mail = tuple[int, bytes]

_READ_SIZE = 262_144
#: Templates remembered: twice what the front names, as requests wait here.
TEMPLATES = 512


class FrontGone(ConnectionError):
    """The front closed the seat while a request was at work: it is gone itself."""


class Seat:
    """A seat link as seen by the thread that works there."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._recv = connection.recv
        self.queue: deque[Waiting] = deque()
        #: What is not a request: (type, id, payload, horizon).
        self.arrived: deque[tuple[int, int, bytes, int]] = deque()
        #: Mail for the requests that have not started, by sequence number.
        self.kept: dict[int, list[Mail]] = {}
        #: What the front may name instead of saying it again (PROTOCOL.md, "Templates").
        self.templates: dict[int, dict[str, Any]] = {}
        #: The part of every environ; set before anything is read.
        self.base: dict[str, Any] = {}
        self._reading = threading.Lock()
        #: Held while requests are handed back: one that defines a template is out of the queue before it is learned.
        self._giving_back = threading.Lock()
        self._frames = FrameReader()
        self._sequence = itertools.count(1)
        self._received = 0
        self._ended = False
        #: The thread that serves it.
        self.thread: int | None = None

    # The seat's thread

    def wait_for_work(self) -> bool:
        """Block until the queue has something; False when the front has closed the seat."""
        queue = self.queue
        while not queue:
            if self._ended:
                return False
            with self._reading:
                if not queue and not self.arrived:
                    self._read()
            if self.arrived:
                self._sort(0, 0)
            if not queue:
                self.kept.clear()
        return True

    def mail_for(self, request_id: int, sequence: int) -> list[Mail]:
        """What has arrived for this request, without reading."""
        mail = self.kept.pop(sequence, [])
        if self.arrived:
            mail += self._sort(request_id, sequence)
        return mail

    def wait_for_mail(self, request_id: int, sequence: int) -> list[Mail]:
        """Block until something for this request comes."""
        while True:
            with self._reading:
                if not self.arrived:
                    if self._ended:
                        raise FrontGone("the front is gone")
                    self._read()
            mail = self._sort(request_id, sequence)
            if mail:
                return mail

    def poll_mail(self, request_id: int, sequence: int) -> list[Mail]:
        """What has come for this request, without blocking."""
        with self._reading:
            self._read_what_is_there()
        return self._sort(request_id, sequence) if self.arrived else []

    def send(self, data: bytes) -> None:
        """Write all of it."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            self._ended = True
            raise FrontGone("the front is gone") from error

    def send_body(self, kind: int, request_id: int, body: memoryview, before: bytes = b"") -> None:
        """Write a frame with a long payload, which is not copied."""
        head = before + frame_header(kind, request_id, len(body))
        try:
            sent = self._socket.sendmsg((head, body))
            if sent < len(head):
                self._socket.sendall(head[sent:])
                sent = len(head)
            if sent - len(head) < len(body):
                self._socket.sendall(body[sent - len(head) :])
        except OSError as error:
            self._ended = True
            raise FrontGone("the front is gone") from error

    def learn(self, request: tuple[Any, ...]) -> dict[str, Any]:
        """Remember the environ of a request that defines a template; returns it."""
        _, head, _, number = request
        self.templates[number] = template = {**self.base, **head}
        self.templates.pop(number - TEMPLATES, None)
        return template

    def learned(self, number: int) -> dict[str, Any]:
        """A template that the recall thread is just learning, from a request that it hands back."""
        with self._giving_back:
            return self.templates[number]

    # The recall thread

    def give_back(self) -> list[int]:
        """Take back what has not started: the ids, in the order they came."""
        if self._reading.acquire(blocking=False):
            try:
                self._read_what_is_there()
            finally:
                self._reading.release()
        ids: list[int] = []
        with self._giving_back:
            while True:
                try:
                    request, _ = self.queue.pop()  # One atomic step: the seat's thread pops at the other end.
                except IndexError:
                    break
                ids.append(request[0])
                if len(request) == 4:
                    self.learn(request)
        ids.reverse()
        return ids

    # Private: the first two under the lock

    def _read(self, flags: int = 0) -> None:
        try:
            data = self._recv(_READ_SIZE, flags)
        except ConnectionError:
            data = b""
        if not data:
            self._ended = True
            return
        for kind, arg, payload in self._frames.feed(data):
            if kind == REQUESTS:
                batch = loads(payload)
                self._received += len(batch)
                self.queue.extend(zip(batch, self._sequence))
            else:
                self.arrived.append((kind, arg, bytes(payload), self._received))

    def _read_what_is_there(self) -> None:
        try:
            while not self._ended:
                self._read(socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass

    def _sort(self, request_id: int, sequence: int) -> list[Mail]:
        """Take what has arrived: return the mail of the request at work (sequence 0: none is), keep that of waiting ones, drop the rest."""
        mine: list[Mail] = []
        while self.arrived:
            kind, arg, payload, horizon = self.arrived.popleft()
            if arg == request_id and sequence and sequence <= horizon:
                mine.append((kind, payload))
                continue
            for request, waiting in tuple(self.queue):
                if request[0] == arg and waiting <= horizon:
                    self.kept.setdefault(waiting, []).append((kind, payload))
                    break
        return mine
