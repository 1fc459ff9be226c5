"""WSGI (PEP 3333) on one seat: requests in, responses out, one at a time.

Responses gather in `_out` and leave together at the end of a batch or after a millisecond of work; anything that may block
(waiting for credit, for a body, a slow `close()`) lets them go first.

    waiting ──start_response──▶ status known ──chunk or write()──▶ head sent ──▶ END, or ABORT
                                      └──── the whole body at once ────▶ an item of RESPONSES

The path through `serve` for a list of one chunk is the hot one. It is written out there, not called: hello world costs
about a microsecond in Python besides the app (python/tests/bench.py), and each call would add 5 %.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from threading import get_ident
from time import perf_counter
from types import TracebackType
from typing import Any, Callable, Union

from maitred.worker.board import MASK
from maitred.worker.complaint import complain, request_id, say
from maitred.worker.headers import NO_LENGTH, HeaderError, StrHeaders, length_of
from maitred.worker.interface import mistaken
from maitred.worker.request_body import StreamedBody
from maitred.worker.seat import FrontGone, Mail, Seat
from maitred.worker.sendfile import plain_file, sent_file
from maitred.worker.wire import (
    ABORT,
    BODY,
    CANCEL,
    CREDIT,
    END,
    FILE_TAKEN,
    HALF_CLOSED,
    IDLE,
    INFORM,
    IS_OPEN,
    MAX_BODY_FRAME,
    MAX_COMPLETE_BODY,
    RESPONSE_BODY,
    RESPONSE_END,
    RESPONSE_INITIAL_CREDIT,
    RESPONSES,
    RESPONSES_BUSY,
    Response,
    credit_frame,
    credit_of,
    encode_head,
    encode_responses,
    exact_bytes,
    extend_frame,
    frame,
)

ExcInfo = Union[tuple[type[BaseException], BaseException, TracebackType], tuple[None, None, None]]
Application = Callable[..., Iterable[bytes]]

#: Responses leave at the latest after so much work.
FLUSH_AFTER_SECONDS = 0.001
#: A `close()` longer than this is background work.
SLOW_CLOSE_SECONDS = 0.001
#: So many quick ones in a row are needed to forget it: a scheduler's hiccup must not cost the batches for good.
QUICK_CLOSES_TO_FORGET = 64
#: `write()` puts this in `_length` to keep a response off the hot path.
_WRITTEN = -2

_WHOLE = (list, tuple)
#: The front says it in the client's own form (PROTOCOL.md, RESPONSES).
_ERROR_HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "21"), ("Maitred-Error", "raised")]
_ERROR_BODY = b"Internal Server Error"


class ClientGone(ConnectionError):
    """The client left; raised in the app where it reads or writes."""


class FileWrapper:
    """`wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling")."""

    def __init__(self, filelike: Any, blksize: int = 65_536) -> None:
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        data: bytes = self.filelike.read(self.blksize)
        if data:
            return data
        raise StopIteration


class NoInput:
    """`wsgi.input` of a request without a body. One for all: it has nothing that one request could change for the next."""

    closed = False

    def read(self, size: int | None = -1) -> bytes:
        """Nothing, as at the end of a file."""
        return b""

    read1 = readline = read

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """No lines."""
        return []

    def readinto(self, buffer: Any) -> int:
        """Nothing, as at the end of a file."""
        return 0

    def readable(self) -> bool:
        """As io.IOBase."""
        return True

    def close(self) -> None:
        """As io.IOBase; there is nothing to close."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


NO_INPUT = NoInput()


def base_environ(constant: dict[str, str], multithread: bool) -> dict[str, Any]:
    """The part of the environ that all requests share (PEP 3333, "environ Variables")."""
    return {
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
        **constant,
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "wsgi.input": NO_INPUT,
    }


class WsgiSeat:
    """Runs the app for the requests of one seat."""

    __slots__ = (
        "_app",
        "_base",
        "_board",
        "_cancelled",
        "_check_headers",
        "_check_status",
        "_credit",
        "_declared",
        "_environ",
        "_file_taken",
        "_half_closed",
        "_head_sent",
        "_headers",
        "_id",
        "_input",
        "_known",
        "_known_statuses",
        "_last_headers",
        "_last_length",
        "_length",
        "_out",
        "_place",
        "_remaining",
        "_seat",
        "_sequence",
        "_since",
        "_slow_closes",
        "_status",
        "_warned_length",
    )

    def __init__(self, app: Application, seat: Seat, base: dict[str, Any], board: memoryview, place: int) -> None:
        self._app = app
        self._seat = seat
        self._base = {
            **base,
            "wsgi.early_hints": self._early_hints,
            "maitred.client_gone": self._client_gone,
            "maitred.extend_deadline": self._extend_deadline,
        }
        # Before the seat's thread runs: a recall may come first, and what it hands back is learned with this.
        seat.base = self._base
        self._board = board
        self._place = place
        self._out: list[Response] = []
        self._since = 0.0
        self._slow_closes = 0
        self._warned_length = False
        headers = StrHeaders()
        self._check_status = headers.check_status
        self._check_headers = headers.check
        self._known_statuses = headers.statuses
        self._known = headers.known.__getitem__
        self._last_headers: list[Any] = []
        self._last_length = NO_LENGTH
        # The request at work.
        self._id = 0
        self._sequence = 0
        self._environ: dict[str, Any] = {}
        self._status: str | None = None
        self._headers: list[Any] = []
        self._length = NO_LENGTH
        self._declared = NO_LENGTH
        self._head_sent = False
        self._remaining = NO_LENGTH
        self._credit = 0
        self._cancelled = False
        #: Whether the front has opened the file that is the body; None until it says so.
        self._file_taken: bool | None = None
        #: The request (its sequence number) whose client has sent its FIN.
        self._half_closed = 0
        #: A body that is not in memory: still on its way, or in a file.
        self._input: StreamedBody | io.BufferedReader | None = None

    def serve(self) -> None:
        """Work until the front closes the seat."""
        seat, board, place, base, app = self._seat, self._board, self._place, self._base, self._app
        seat.thread = get_ident()
        out, append, popleft = self._out, self._out.append, self._seat.queue.popleft
        arrived, kept, templates = seat.arrived, seat.kept, seat.templates
        start_response, bytes_io, now = self._start_response, io.BytesIO, perf_counter
        while True:
            try:
                item, sequence = popleft()
            except IndexError:
                if out:
                    try:
                        self._flush()
                    except FrontGone:
                        return
                if not seat.wait_for_work():
                    return
                self._since = now()
                continue
            if len(item) == 6:
                request_id, number, body, path, query, raw = item
                try:
                    environ = templates[number].copy()
                except KeyError:
                    environ = seat.learned(number).copy()
                environ["PATH_INFO"] = path
                environ["QUERY_STRING"] = query
                environ["RAW_URI"] = raw
            elif len(item) == 3:
                request_id, head, body = item
                environ = {**base, **head}
            else:
                environ = seat.learn(item).copy()
                request_id, _, body, _ = item
            self._id = request_id
            self._sequence = sequence
            self._status = None
            if type(body) is bytes and not arrived and not kept:
                if body:
                    environ["wsgi.input"] = bytes_io(body)
            elif not self._open(environ, body):
                continue
            self._environ = environ
            board[place] = sequence & MASK
            result = None
            try:
                result = app(environ, start_response)
                if (
                    type(result) is list
                    and len(result) == 1
                    and type(chunk := result[0]) is bytes
                    and ((length := self._length) == -1 or length == len(chunk))
                    and len(chunk) <= 65_536
                    and self._status is not None
                ):
                    append((request_id, self._status, self._headers, chunk))
                else:
                    self._deliver(result)
            except BaseException as error:  # SystemExit too: an app does not end a worker.
                self._fail(error)
            if self._head_sent or self._cancelled or self._input is not None:
                self._head_sent = self._cancelled = False
                if self._input is not None:
                    self._forget_input()
            try:
                if type(result) is not list and hasattr(result, "close"):
                    self._close(result)
                if out and now() - self._since > 0.001:
                    self._flush()
            except FrontGone:
                return

    # What the app calls

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        if self._status is None and exc_info is None and type(headers) is list:
            try:
                if status in self._known_statuses:
                    # Most responses have the headers of the one before; those of one batch share our list, which marshal writes once.
                    if headers != self._last_headers:
                        total = sum(map(self._known, headers))
                        self._last_length = length_of(total) if total else NO_LENGTH
                        # A copy: the app may use its list again before the batch leaves.
                        self._last_headers = headers[:]
                    self._length = self._last_length
                    self._headers = self._last_headers
                    self._status = status
                    return self._write
            except (KeyError, TypeError):
                pass
        return self._start_response_checked(status, headers, exc_info)

    def _start_response_checked(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None
    ) -> Callable[[bytes], None]:
        if exc_info is not None:
            try:
                if self._head_sent and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # PEP 3333: "avoid dangling circular ref"
        elif self._status is not None:
            raise AssertionError("start_response() called a second time without exc_info (PEP 3333)")
        self._check_status(status)
        self._length = self._check_headers(headers)
        self._headers = headers[:]
        self._status = status
        return self._write

    def _write(self, data: bytes) -> None:
        """The `write` callable (PEP 3333, "The write() Callable"): sent before it returns."""
        if not isinstance(data, bytes):
            raise TypeError(f"write() takes bytes, not {type(data).__name__}")
        if self._length != _WRITTEN:
            self._declared, self._length = self._length, _WRITTEN
        if data:
            self._stream(data)

    def _early_hints(self, headers: Iterable[tuple[str, str]]) -> None:
        """`wsgi.early_hints`, gunicorn's convention: 103 Early Hints (RFC 8297) at once. Too late, it does nothing."""
        pairs = list(headers)
        if self._status is not None or self._head_sent or not pairs:
            return
        if self._check_headers(pairs) != NO_LENGTH:
            raise HeaderError("Content-Length cannot be an early hint")
        self._send(encode_head(self._id, 103, pairs, INFORM))

    def _client_gone(self) -> bool:
        """`maitred.client_gone`: whether nobody waits for the answer any more, as far as one can tell. For the request's own thread."""
        self._read_mail(self._seat.poll_mail(self._id, self._sequence))
        return self._cancelled or self._half_closed == self._sequence

    def _extend_deadline(self, seconds: float) -> None:
        """`maitred.extend_deadline`: the request may take so long from now, whatever --timeout says."""
        self._send(extend_frame(self._id, seconds))

    # From what the app returned to frames

    def _deliver(self, result: Any) -> None:
        if type(result) in _WHOLE and not self._head_sent:
            # Nothing of the app runs between the items of an exact list or tuple, so nobody can tell that they leave together.
            self._complete(b"".join(map(_chunk, result)))
            return
        if type(result) is FileWrapper and self._hand_over(result):
            return
        # To ask costs an exception in most frameworks; where the length is known it need not be asked.
        only_one = self._length == NO_LENGTH and _says_it_has_one(result)
        for item in result:
            chunk = _chunk(item)
            if not chunk:
                continue  # PEP 3333: headers are not sent before the first non-empty string.
            if not self._head_sent and (only_one or self._declared_length() == len(chunk)):
                self._complete(chunk)
                return
            self._stream(chunk)
            if self._remaining == 0:
                break  # PEP 3333: "stop iterating over the response when enough data has been sent".
        if self._head_sent:
            self._end()
        else:
            self._complete(b"")

    def _hand_over(self, wrapper: FileWrapper) -> bool:
        """PEP 3333, "Optional Platform-Specific File Handling": the front sends the file. False: it is to be read here."""
        found = None if self._head_sent or not self._may_have_body() else plain_file(wrapper.filelike)
        if found is None:
            return False
        descriptor, name, start, length = found
        declared = self._declared_length()
        if declared > length:
            return False
        headers = self._headers
        if declared == NO_LENGTH:
            headers = [*headers, ("Content-Length", str(length))]
            self._length = declared = length
        self._head_sent = True
        self._remaining = declared
        self._credit = RESPONSE_INITIAL_CREDIT
        self._file_taken = None
        head = encode_head(self._id, self._known_status(), headers)
        self._send(head + sent_file(self._id, descriptor, name, start))
        # Whether or not the client leaves meanwhile: the file must stay open until the front has it, and the answer comes in any case. What
        # is raised here from elsewhere (--cancel-gone, a greenlet's end) waits for it too, or the front would get an ABORT of what it has finished.
        raised: BaseException | None = None
        while self._file_taken is None:
            try:
                self._read_mail(self._seat.wait_for_mail(self._id, self._sequence))
            except FrontGone:
                raise
            except BaseException as error:
                raised = error
        if raised is not None and not self._file_taken:
            raise raised
        return self._file_taken

    def _declared_length(self) -> int:
        return self._declared if self._length == _WRITTEN else self._length

    def _complete(self, body: bytes) -> None:
        """The whole body is known and nothing has been sent."""
        status = self._known_status()
        declared = self._declared_length()
        if len(body) != declared != NO_LENGTH and self._may_have_body():
            if len(body) < declared:
                self._stream(body)
                self._end()
                return
            self._warn_too_long(declared)
            body = body[:declared]
        if len(body) <= MAX_COMPLETE_BODY:
            self._out.append((self._id, status, self._headers, body))
        else:
            self._stream(body)
            self._end()

    def _stream(self, chunk: bytes) -> None:
        """Send the head if it has not been sent, and a chunk."""
        before = b""
        if not self._head_sent:
            status = self._known_status()
            self._remaining = self._declared_length() if self._may_have_body() else NO_LENGTH
            self._credit = RESPONSE_INITIAL_CREDIT
            self._head_sent = True
            before = encode_head(self._id, status, self._headers)
        if 0 <= self._remaining < len(chunk):
            self._warn_too_long(self._remaining)
            chunk = chunk[: self._remaining]
        if self._remaining != NO_LENGTH:
            self._remaining -= len(chunk)
        if len(chunk) <= 16_384 and len(chunk) <= self._credit:
            self._credit -= len(chunk)
            self._send(before + frame(RESPONSE_BODY, self._id, chunk) if chunk else before)
        else:
            self._stream_long(chunk, before)
        self._read_mail(self._seat.poll_mail(self._id, self._sequence))
        if self._cancelled:
            raise ClientGone("the client is gone")

    def _stream_long(self, chunk: bytes, before: bytes) -> None:
        rest = memoryview(chunk)
        before = self._taken_out() + before
        while len(rest):
            if self._credit <= 0 and before:
                self._seat.send(before)
                before = b""
            while self._credit <= 0:
                self._read_mail(self._seat.wait_for_mail(self._id, self._sequence))
                if self._cancelled:
                    raise ClientGone("the client is gone")
            piece = rest[: min(MAX_BODY_FRAME, self._credit)]
            self._seat.send_body(RESPONSE_BODY, self._id, piece, before)
            before = b""
            self._credit -= len(piece)
            rest = rest[len(piece) :]

    def _end(self) -> None:
        if self._remaining > 0:
            self._abort(f"the app sent {self._remaining} bytes fewer than its Content-Length says")
        else:
            self._send(frame(RESPONSE_END, self._id))

    def _fail(self, error: BaseException) -> None:
        """The app raised, or we did on its behalf."""
        if isinstance(error, FrontGone):
            return  # Nobody to tell; `serve` ends at its next write or read.
        if self._cancelled:
            self._abort("the client is gone")
            return
        environ = self._environ
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        complain(
            f"error in the app, {environ.get('REQUEST_METHOD')} {path!r}{request_id(environ.get('HTTP_X_REQUEST_ID'))}",
            error,
        )
        if isinstance(error, TypeError):
            hint = mistaken(error, "wsgi")
            if hint:
                say(f"maitred: {hint}")
        if self._head_sent:
            self._abort(f"the app raised {type(error).__name__}")
        else:
            self._status = "500 Internal Server Error"
            self._out.append((self._id, self._status, _ERROR_HEADERS, _ERROR_BODY))

    def _close(self, result: Any) -> None:
        """PEP 3333: "must call that method upon completion of the current request", however it went."""
        now = perf_counter
        if self._slow_closes:
            self._flush(RESPONSES_BUSY)
        elif not self._seat.queue or now() - self._since > FLUSH_AFTER_SECONDS:
            self._flush()
        busy, began = self._slow_closes > 0, now()
        try:
            result.close()
        except BaseException as error:
            complain("error in the app's close()", error)
        if now() - began > SLOW_CLOSE_SECONDS:
            self._slow_closes = QUICK_CLOSES_TO_FORGET
        elif busy:
            self._slow_closes -= 1
        if busy:
            self._seat.send(frame(IDLE, 0))
            self._since = now()

    # Private

    def _known_status(self) -> str:
        if self._status is None:
            raise AssertionError("the app returned without calling start_response()")
        return self._status

    def _may_have_body(self) -> bool:
        """RFC 9110 section 6.4.1: these have none, whatever Content-Length says; the front drops what the app gives."""
        return self._environ.get("REQUEST_METHOD") != "HEAD" and self._known_status()[:3] not in ("204", "304")

    def _warn_too_long(self, declared: int) -> None:
        if not self._warned_length:
            self._warned_length = True
            say(
                f"maitred: the app sent more than its Content-Length ({declared} bytes left); cut off. Said once per worker"
            )

    def _open(self, environ: dict[str, Any], body: Any) -> bool:
        """The less frequent ways to begin: a body that is not in memory, or mail that came before. False if the client has left already."""
        self._cancelled = False
        if type(body) is bytes:
            environ["wsgi.input"] = io.BytesIO(body)
        elif type(body) is str:
            if not self._open_file(environ, body):
                return False
        else:
            self._input = StreamedBody(self._wait_for_body, self._grant, body is True)
            environ["wsgi.input"] = io.BufferedReader(self._input, 65_536)
        self._read_mail(self._seat.mail_for(self._id, self._sequence))
        if not self._cancelled:
            return True
        self._abort("the client is gone")
        self._cancelled = False
        self._forget_input()
        return False

    def _open_file(self, environ: dict[str, Any], path: str) -> bool:
        """The front has put the body into a file, because it was too large for memory."""
        try:
            self._input = environ["wsgi.input"] = open(path, "rb")  # noqa: SIM115 - `_forget_input` closes it
        except OSError as error:
            complain("cannot open the request's body", error)
            self._status = "500 Internal Server Error"
            self._out.append((self._id, self._status, _ERROR_HEADERS, _ERROR_BODY))
            return False
        return True

    def _forget_input(self) -> None:
        if isinstance(self._input, io.BufferedReader):
            self._input.close()
        self._input = None

    def _read_mail(self, mail: list[Mail]) -> None:
        for kind, payload in mail:
            if kind == CREDIT:
                self._credit += credit_of(payload)
            elif kind == CANCEL:
                if payload == HALF_CLOSED:
                    self._half_closed = self._sequence
                else:
                    self._cancelled = True
            elif kind == FILE_TAKEN:
                self._file_taken = payload == IS_OPEN
            elif isinstance(self._input, StreamedBody):
                if kind == BODY:
                    self._input.deliver(payload)
                elif kind == END:
                    self._input.finish()

    def _wait_for_body(self) -> None:
        self._flush()
        self._read_mail(self._seat.wait_for_mail(self._id, self._sequence))
        if self._cancelled:
            raise ClientGone("the client is gone; its request body is not complete")

    def _grant(self, count: int) -> None:
        self._send(credit_frame(self._id, count))

    def _abort(self, reason: str) -> None:
        try:
            self._send(frame(ABORT, self._id, reason.encode()))
        except FrontGone:
            pass

    def _taken_out(self, kind: int = RESPONSES) -> bytes:
        """The gathered responses as a frame; nothing if there are none."""
        if not self._out:
            return b""
        now = perf_counter()
        data = encode_responses(self._out, kind, now - self._since)
        self._since = now
        self._out.clear()
        return data

    def _flush(self, kind: int = RESPONSES) -> None:
        data = self._taken_out(kind)
        if data:
            self._seat.send(data)

    def _send(self, data: bytes) -> None:
        self._seat.send(self._taken_out() + data)


def _chunk(item: Any) -> bytes:
    if isinstance(item, (bytes, bytearray, memoryview)):
        return exact_bytes(item)
    raise TypeError(f"the app's iterable must yield bytes, not {type(item).__name__} (PEP 3333)")


def _says_it_has_one(result: Any) -> bool:
    try:
        return len(result) == 1
    except TypeError:
        return False
