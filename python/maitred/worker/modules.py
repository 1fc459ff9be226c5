"""For development: which files the application consists of, so that the front can watch them (PROTOCOL.md, `modules`)."""

from __future__ import annotations

import os
import sys
from typing import Any

_STANDARD_FOLDER = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
#: They replace parts of the standard library, and want to be first.
_PATCHERS = ("gevent", "eventlet")


class Modules:
    """Tells each module once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def news(self, error: BaseException | None = None) -> dict[str, Any]:
        """The message: what was imported since the last one, and, if the import failed, the files where it did."""
        files: list[str] = []
        standard: list[str] = []
        for name, module in list(sys.modules.items()):
            if name in self._told:
                continue
            self._told.add(name)
            path = getattr(module, "__file__", None)
            if not isinstance(path, str):
                continue
            if path.startswith(_STANDARD_FOLDER) and not any(part in path for part in _INSTALLED):
                standard.append(name)
            elif _is_of_application(path):
                files.append(os.path.abspath(path))
        if any(name in sys.modules for name in _PATCHERS):
            standard = []
        return {"type": "modules", "files": sorted({*files, *_files_of(error)}), "standard": standard}


def _is_of_application(path: str) -> bool:
    if path.startswith((_OURS, _STANDARD_FOLDER, "<")):
        return False
    return not any(part in path for part in _INSTALLED)


def _files_of(error: BaseException | None) -> set[str]:
    """A module that could not be imported is not in sys.modules: the traceback names its file."""
    files: set[str] = set()
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, SyntaxError) and error.filename:
            files.add(error.filename)
        step = error.__traceback__
        while step is not None:
            files.add(step.tb_frame.f_code.co_filename)
            step = step.tb_next
        error = error.__cause__ or error.__context__
    return {os.path.abspath(path) for path in files if _is_of_application(path)}
