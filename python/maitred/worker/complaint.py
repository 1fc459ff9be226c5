"""Telling a human what went wrong in the application: tracebacks without our own frames."""

from __future__ import annotations

import os
import sys
from typing import Any

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LONGEST_ID = 128
# What the front lets through, and nothing that could forge a line.
_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/+=@-")
_IMPORT_MACHINERY = ("<frozen importlib", "<frozen runpy")


def _is_noise(filename: str) -> bool:
    return (
        filename.startswith((_OURS, *_IMPORT_MACHINERY))
        or os.sep + os.path.join("importlib", "__init__.py") in filename
    )


def describe(error: BaseException) -> str:
    """The traceback as text without our frames and the import machinery's, also in chained exceptions."""
    from traceback import StackSummary, TracebackException

    described = TracebackException(type(error), error, error.__traceback__)
    todo: list[TracebackException] = [described]
    while todo:
        one = todo.pop()
        kept = [entry for entry in one.stack if not _is_noise(entry.filename)]
        one.stack = StackSummary.from_list(kept)
        todo += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "".join(described.format())


def request_id(value: str | None) -> str:
    """How a line about a request tells the id that its front has given it, if there is one (X-Request-ID)."""
    if not value or len(value) > _LONGEST_ID or not _ID_CHARACTERS.issuperset(value):
        return ""
    return f" [{value}]"


def scope_id(scope: dict[str, Any]) -> str:
    """The same, from an ASGI scope."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return request_id(value.decode("latin-1"))
    return ""


def complain(what: str, error: BaseException) -> None:
    """Write what happened and the traceback to stderr in one piece."""
    say(f"maitred: {what}\n{describe(error)}")


def say(text: str) -> None:
    """Write to stderr; a broken stderr must not take the worker with it."""
    try:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass
