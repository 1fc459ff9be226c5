"""Telling a human what went wrong in the application: tracebacks without our own frames."""

from __future__ import annotations

import os
import sys
from types import TracebackType

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_IMPORT_MACHINERY = ("<frozen importlib", "<frozen runpy")


def _is_noise(filename: str) -> bool:
    return filename.startswith((_OURS, *_IMPORT_MACHINERY)) or os.sep + os.path.join("importlib", "__init__.py") in filename


def trimmed(trace: TracebackType | None) -> TracebackType | None:
    """`trace` from the first frame that is not ours and not the import machinery's; all of it if there is none such."""
    start = trace
    while start is not None and _is_noise(start.tb_frame.f_code.co_filename):
        start = start.tb_next
    return start


def describe(error: BaseException) -> str:
    """The traceback as text; chained exceptions keep theirs."""
    import traceback

    return "".join(traceback.format_exception(type(error), error, trimmed(error.__traceback__)))


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
