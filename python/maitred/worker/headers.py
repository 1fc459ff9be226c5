"""Are these response headers fit to be sent? PEP 3333 ("The start_response() Callable"), RFC 9110 section 5.

Nearly every response repeats pairs seen before, so a bounded table remembers the good ones: one pass in C over the list,
`sum(map(known.__getitem__, headers))`, says that all are known and at the same time what Content-Length declares (KeyError:
some pair is new). The simple version is `check` on every response; for four headers it costs 2 µs instead of 0.2.
The front checks once more: what it sends never depends on this file.
"""

from __future__ import annotations

import re
from typing import Any

#: PEP 3333: "applications and middleware are forbidden from using HTTP/1.1 'hop-by-hop' features or headers" (RFC 2616, 13.5.1).
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailers",
        "transfer-encoding",
        "upgrade",
    )
)

#: What the sum of a table's values has for each Content-Length, so that the sum tells none, one and several apart.
LENGTH_MARK = 1 << 50
NO_LENGTH = -1

_MAX_PAIRS = 1024
_MAX_CACHED_VALUE = 256
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_BAD_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]").search
_STATUS = re.compile(r"[2-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*").fullmatch


class HeaderError(ValueError):
    """The application gave a header or status that cannot be sent."""


class StrHeaders:
    """WSGI: pairs of latin-1 strings."""

    def __init__(self) -> None:
        #: Pair -> 0, or LENGTH_MARK + n for a Content-Length of n.
        self.known: dict[Any, int] = {}
        #: Status lines found good.
        self.statuses: set[str] = set()

    def check_status(self, status: Any) -> None:
        """Raise unless `status` is 'NNN Reason'."""
        if not isinstance(status, str):
            raise HeaderError(f"status must be str like '200 OK', not {type(status).__name__}: {status!r}")
        if not _STATUS(status):
            raise HeaderError(f"status must be three digits from 200, a space and a reason: {status!r}")
        if len(self.statuses) < _MAX_PAIRS:
            self.statuses.add(status)

    def check(self, headers: Any) -> int:
        """Raise unless all can be sent; returns the declared Content-Length or NO_LENGTH."""
        if not isinstance(headers, list):
            raise HeaderError(f"response headers must be a list, not {type(headers).__name__}")
        length = NO_LENGTH
        for pair in headers:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise HeaderError(f"each response header must be a tuple (name, value), not {pair!r}")
            name, value = pair
            if not isinstance(name, str) or not isinstance(value, str):
                raise HeaderError(f"name and value of a response header must be str: {pair!r}")
            number = _check_pair(name, value)
            if name.lower() in HOP_BY_HOP:
                raise HeaderError(
                    f"response header {name!r} is hop-by-hop: the server's business, not the application's (PEP 3333)"
                )
            length = _one_length(length, number)
            _remember(self.known, pair, value, number)
        return length


class BytesHeaders:
    """ASGI: pairs of byte strings. Hop-by-hop fields are dropped, as the server makes its own (many apps set `connection`)."""

    def __init__(self) -> None:
        #: As StrHeaders.known.
        self.known: dict[Any, int] = {}

    def check(self, headers: Any) -> tuple[list[tuple[bytes, bytes]], int]:
        """The headers as they can be sent, and the declared Content-Length or NO_LENGTH."""
        length = NO_LENGTH
        good: list[tuple[bytes, bytes]] = []
        for pair in headers:
            try:
                name, value = pair
            except (TypeError, ValueError):
                raise HeaderError(f"each response header must be a pair of bytes, not {pair!r}") from None
            if not isinstance(name, (bytes, bytearray)) or not isinstance(value, (bytes, bytearray)):
                raise HeaderError(f"name and value of a response header must be bytes: {pair!r}")
            name, value = bytes(name), bytes(value)
            number = _check_pair(name.decode("latin-1"), value.decode("latin-1"))
            if name.lower().decode("latin-1") in HOP_BY_HOP:
                continue
            length = _one_length(length, number)
            good.append((name, value))
            _remember(self.known, (name, value), value, number)
        return good, length


def length_of(total: int) -> int:
    """The declared length from a sum over `known`; NO_LENGTH where there is none."""
    if not total:
        return NO_LENGTH
    if total >= 2 * LENGTH_MARK:
        raise HeaderError("Content-Length stands more than once in the response headers")
    return total - LENGTH_MARK


def _check_pair(name: str, value: str) -> int:
    """The Content-Length, if that is what it is, or NO_LENGTH."""
    if not _TOKEN(name):
        raise HeaderError(f"response header name is not a token (RFC 9110 section 5.1): {name!r}")
    bad = _BAD_VALUE(value)
    if bad:
        what = "a control character" if ord(bad[0]) < 0x100 else "a character outside latin-1"
        raise HeaderError(f"value of response header {name!r} has {what}, {bad[0]!r}")
    if name.lower() != "content-length":
        return NO_LENGTH
    digits = value.strip(" \t")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise HeaderError(f"response header {name!r} must be a number, not {value!r}")
    return int(digits)


def _one_length(length: int, number: int) -> int:
    if number == NO_LENGTH:
        return length
    if length != NO_LENGTH:
        raise HeaderError("Content-Length stands more than once in the response headers")
    return number


def _remember(known: dict[Any, int], pair: Any, value: str | bytes, number: int) -> None:
    if len(value) > _MAX_CACHED_VALUE or len(pair[0]) > _MAX_CACHED_VALUE:
        return
    if len(known) >= _MAX_PAIRS:
        known.clear()
    try:
        known[pair] = 0 if number == NO_LENGTH else LENGTH_MARK + number
    except TypeError:
        pass
