"""Files that the front sends in the app's name (ASGI, "Path Send")."""

from __future__ import annotations

import os
import stat
from typing import Any

#: Names here mean something else in the front than in the worker: /proc/self, /dev/fd, /dev/stdin.
_PER_PROCESS = ("/proc/", "/dev/")


def sendable(path: Any) -> tuple[str, int]:
    """The path as the front can open it, and the file's size; raises what the app should see."""
    if not isinstance(path, str):
        raise TypeError(f"path must be str, not {type(path).__name__}")
    if not os.path.isabs(path):
        raise ValueError(f"path must be absolute: {path!r}")
    if path.startswith(_PER_PROCESS):
        path = os.path.realpath(path)
    # Not blocking, should it be a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"not a regular file: {path!r}")
    return path, status.st_size
