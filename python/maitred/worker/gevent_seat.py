"""The seat link of a gevent worker: many WSGI requests at once, a greenlet each.

    reader (main greenlet) ──REQUESTS──▶ a Place each, in a greenlet ──complete()──▶ one write at the end of the turn
             └──other frames──▶ the mail of the place                  └──write()──▶ at once

What PEP 3333 asks for is in wsgi.py, which works here unchanged: each request has a `WsgiSeat` of its own whose seat is a Place,
a `Seat` in miniature with one request and its mail. Nothing here takes a lock: greenlets of one thread switch only where they wait.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections import deque
from marshal import loads
from time import perf_counter
from typing import Any

import gevent
from gevent.event import Event
from gevent.socket import wait_write

from maitred.worker.complaint import complain
from maitred.worker.seat import FrontGone, Mail, Waiting
from maitred.worker.wire import (
    CANCEL,
    PING,
    PONG,
    REQUESTS,
    RESPONSES,
    TIME_IS_UP,
    FrameReader,
    Response,
    encode_responses,
    frame,
    frame_header,
)
from maitred.worker.wsgi import Application, ClientGone, WsgiSeat

#: Places kept for the next requests; what they remember of headers is worth keeping.
SPARE_PLACES = 64
#: Work after which finished responses leave without waiting for the others of the turn.
FLUSH_AFTER_SECONDS = 0.0005
_READ_SIZE = 262_144


class GeventSeat:
    """Frames in, greenlets; responses out, frames."""

    def __init__(self, app: Application, connection: socket.socket, base: dict[str, Any], board: memoryview) -> None:
        self.app = app
        self.base = base
        self.board = board
        #: The front has closed the seat, or is gone.
        self.ended = False
        self._connection = connection
        self._fd = connection.fileno()
        self._frames = FrameReader()
        self._sequence = itertools.count(1)
        #: Who has an id. An id is given again while its last bearer still runs its `close()`.
        self._places: dict[int, Place] = {}
        self._spare: list[Place] = []
        #: Those whose greenlet is not over, whoever has their id.
        self._active: set[Place] = set()
        self._idle = Event()
        self._run_soon = gevent.get_hub().loop.run_callback
        self._responses: list[Response] = []
        self._in_turn = False
        self._since = 0.0
        #: Frames that the socket did not take at once.
        self._behind: deque[memoryview] = deque()
        self._writer: gevent.Greenlet | None = None

    def serve(self) -> None:
        """Work until the front has closed the seat and the last request is over."""
        while not self.ended:
            try:
                data = self._connection.recv(_READ_SIZE)
            except ConnectionError:
                data = b""
            if not data:
                self.ended = True
                break
            self._since = perf_counter()
            for kind, arg, payload in self._frames.feed(data):
                if kind == REQUESTS:
                    self._begin(loads(payload))
                elif kind == PING:
                    self.write(frame(PONG, arg))
                else:
                    place = self._places.get(arg)
                    if place is not None:  # Else it crossed our answer.
                        place.deliver(kind, bytes(payload))
                        if kind == CANCEL and payload == TIME_IS_UP:
                            # Its traceback, which names where it waited, is the app's error in the log.
                            place.end(ClientGone("answered with 504, because its time is up (--timeout)"))
            if not self._in_turn:
                self._in_turn = True
                self._run_soon(self._end_turn)  # After the first part of the greenlets just made.
        for place in self._places.values():
            place.wake()
        while self._active:
            self._idle.clear()
            self._idle.wait()
        self._flush()
        while self._writer is not None:
            self._writer.join()

    # What the worker link's greenlet calls, as it would call a loop

    def call_soon_threadsafe(self, function: Any) -> None:
        """Run it."""
        function()

    def hurry(self) -> None:
        """Time is up: what still runs ends where it waits."""
        for place in list(self._active):
            place.end(gevent.GreenletExit())

    def interrupt(self, sequence: int, error: type[BaseException]) -> None:
        """Raise `error` where this request waits, if it is still at work."""
        for place in self._active:
            if place.sequence == sequence:
                place.end(error("the client is gone (--cancel-gone)"))
                return

    def describe_tasks(self) -> str:
        """Every request at work with its stack, innermost last."""
        return "".join(place.describe() for place in sorted(self._active, key=lambda place: place.sequence))

    # What a place calls

    def complete(self, responses: list[Response]) -> None:
        """Send complete responses with the others of this turn."""
        if not self._responses and not self._in_turn:
            self._since = perf_counter()
            self._run_soon(self._flush)
        self._responses += responses
        if perf_counter() - self._since > FLUSH_AFTER_SECONDS:
            self._flush()

    def write(self, data: bytes, body: memoryview | None = None) -> None:
        """Send frames now, after what has gathered: a chunk leaves before the app is asked for the next."""
        if self._responses:
            self._flush()
        self._write(memoryview(data))
        if body is not None:
            self._write(body)

    def is_over(self, place: Place) -> None:
        """A greenlet has come to its end."""
        if self._places.get(place.request_id) is place:
            del self._places[place.request_id]
        if len(self._spare) < SPARE_PLACES:
            self._spare.append(place)
        self._active.discard(place)
        place.greenlet = None
        if not self._active and self.ended:
            self._idle.set()

    # Private

    def _begin(self, batch: list[Any]) -> None:
        for request, sequence in zip(batch, self._sequence):
            place = self._spare.pop() if self._spare else Place(self)
            place.take(request, sequence)
            self._places[place.request_id] = place
            # A greenlet of its own, and not one that has served before: threading.local and context variables begin empty.
            place.greenlet = gevent.Greenlet.spawn(place.run)
            self._active.add(place)

    def _end_turn(self) -> None:
        self._in_turn = False
        self._flush()

    def _flush(self) -> None:
        if not self._responses:
            return
        now = perf_counter()
        data = encode_responses(self._responses, RESPONSES, now - self._since)
        self._since = now
        self._responses.clear()
        self._write(memoryview(data))

    def _write(self, data: memoryview) -> None:
        """What the kernel takes now; the rest follows in order. Credit bounds it: the front takes what it has asked for."""
        if self._writer is None:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                pass
            except OSError:
                self._front_is_gone()
                return
            if not data:
                return
            self._writer = gevent.Greenlet.spawn(self._catch_up)
        # Its owner may change it before it leaves.
        self._behind.append(memoryview(bytes(data)))

    def _catch_up(self) -> None:
        behind = self._behind
        while behind:
            wait_write(self._fd)
            try:
                rest = behind[0][os.write(self._fd, behind[0]) :]
            except BlockingIOError:
                continue
            except OSError:
                self._front_is_gone()
                break
            if rest:
                behind[0] = rest
            else:
                behind.popleft()
        self._writer = None

    def _front_is_gone(self) -> None:
        self.ended = True
        self._behind.clear()
        for place in self._places.values():
            place.wake()


class Place:
    """Where one request is at work: the Seat that its WsgiSeat sees."""

    def __init__(self, link: GeventSeat) -> None:
        self._link = link
        self.request_id = 0
        self.sequence = 0
        self.queue: deque[Waiting] = deque()
        #: As in Seat; here everything that comes is the mail of the one request.
        self.arrived: tuple[()] = ()
        self.kept: dict[int, list[Mail]] = {}
        #: None come: an environ has its place's `wsgi.early_hints`, so that no other place could copy it.
        self.templates: dict[int, dict[str, Any]] = {}
        self.base: dict[str, Any] = {}
        self.thread: int | None = None
        self.greenlet: gevent.Greenlet | None = None
        self._has_begun = False
        self._news = Event()
        self._wsgi = GeventWsgiSeat(link, self)

    def take(self, request: Any, sequence: int) -> None:
        """The request to work on."""
        self.request_id = request[0]
        self.queue.append((request, sequence))
        self.sequence = sequence

    def deliver(self, kind: int, payload: bytes) -> None:
        """Mail for the request."""
        self.kept.setdefault(self.sequence, []).append((kind, payload))
        self._news.set()

    def wake(self) -> None:
        """The front has gone."""
        self._news.set()

    def end(self, error: BaseException) -> None:
        """Raise where the request waits. A greenlet that has not begun would be forgotten with its request: it is left alone."""
        if self.greenlet is not None and self._has_begun:
            self.greenlet.kill(error, block=False)

    def run(self) -> None:
        """The greenlet."""
        self._has_begun = True
        try:
            self._wsgi.serve()
        except BaseException as error:
            # A bug of ours: the request would never be answered. Better a crashed worker.
            complain("internal error", error)
            os._exit(1)
        self._has_begun = False
        self._wsgi.forget()
        self.kept.clear()
        self._news.clear()
        self._link.is_over(self)

    def describe(self) -> str:
        """For the log: the request, and where it waits."""
        from traceback import StackSummary, walk_stack

        frame = self.greenlet.gr_frame if self.greenlet is not None else None
        stack = list(walk_stack(frame))[::-1] if frame is not None else []
        lines = [f"Greenlet of {self._wsgi.name()}:\n"]
        return "".join(lines + StackSummary.extract(iter(stack), lookup_lines=False).format())

    # As Seat

    def wait_for_work(self) -> bool:
        """As Seat: each greenlet has one request."""
        return False

    def mail_for(self, request_id: int, sequence: int) -> list[Mail]:
        """As Seat."""
        return self.kept.pop(sequence, [])

    poll_mail = mail_for

    def wait_for_mail(self, request_id: int, sequence: int) -> list[Mail]:
        """As Seat; the other requests of the worker go on."""
        while True:
            self._news.clear()
            mail = self.kept.pop(sequence, None)
            if mail:
                return mail
            if self._link.ended:
                raise FrontGone("the front is gone")
            self._news.wait()

    def send(self, data: bytes) -> None:
        """As Seat, without waiting."""
        self._link.write(data)

    def send_body(self, kind: int, request_id: int, body: memoryview, before: bytes = b"") -> None:
        """As Seat, without waiting."""
        self._link.write(before + frame_header(kind, request_id, len(body)), body)


class GeventWsgiSeat(WsgiSeat):
    """WSGI for one request of many: its complete responses leave with those of the others, and a slow `close()` holds up nobody."""

    __slots__ = ("_link",)

    def __init__(self, link: GeventSeat, place: Place) -> None:
        super().__init__(link.app, place, link.base, link.board, 0)  # type: ignore[arg-type]  # Place is a Seat by shape
        self._link = link

    def name(self) -> str:
        """The request, for a human."""
        environ = self._environ
        return f"{environ.get('REQUEST_METHOD')} {environ.get('SCRIPT_NAME', '') + environ.get('PATH_INFO', '')!r}"

    def forget(self) -> None:
        """Let go of the request that is over."""
        self._environ = {}

    def _client_gone(self) -> bool:
        gevent.sleep(0)  # The news comes through a greenlet.
        return super()._client_gone()

    def _taken_out(self, kind: int = RESPONSES) -> bytes:
        if self._out:
            self._link.complete(self._out)
            self._out.clear()
        return b""

    def _flush(self, kind: int = RESPONSES) -> None:
        self._taken_out()

    def _close(self, result: Any) -> None:
        self._taken_out()
        try:
            result.close()
        except BaseException as error:
            complain("error in the app's close()", error)
