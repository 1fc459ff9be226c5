"""Files that the front sends in the app's name: `wsgi.file_wrapper` (PEP 3333) and `http.response.pathsend` (ASGI, "Path Send").

The front opens the file by way of this process's descriptor, so that it may be renamed or removed, or never have had a name; and it says when it has it.
"""

from __future__ import annotations

import io
import os
import stat
from typing import Any

from maitred.worker.wire import file_frame

#: Names here mean something else in the front than in the worker: /proc/self, /dev/fd, /dev/stdin.
_PER_PROCESS = (b"/proc/", b"/dev/")
_HAS_PROC = os.path.exists("/proc/self/fd")
#: Shorter ones leave with less work, and without waiting for the client, in BODY frames.
_LEAST_BYTES = 262_144
#: What reads a file as it is. A gzip.GzipFile has a descriptor too, of something else than it reads.
_PLAIN = (io.BufferedReader, io.BufferedRandom, io.FileIO)


def open_sendable(path: Any) -> tuple[int, int]:
    """A descriptor of the file, and its size; raises what the app should see."""
    if not isinstance(path, str):
        raise TypeError(f"path must be str, not {type(path).__name__}")
    if not os.path.isabs(path):
        raise ValueError(f"path must be absolute: {path!r}")
    # Not blocking, should it be a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ValueError(f"not a regular file: {path!r}")
    return descriptor, status.st_size


def sent_file(request_id: int, descriptor: int, path: Any, start: int = 0) -> bytes:
    """FILE for an open file; `path` is what it was opened by."""
    name = (
        path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape") if isinstance(path, str) else b""
    )
    if _HAS_PROC:
        return file_frame(request_id, start, b"/proc/%d/fd/%d" % (os.getpid(), descriptor), name)
    return file_frame(request_id, start, os.path.realpath(name) if name.startswith(_PER_PROCESS) else name, name)


def plain_file(filelike: Any) -> tuple[int, Any, int, int] | None:
    """Descriptor, name, position and bytes from there on of what reads a regular file as it is, and is worth sending; else None."""
    read = getattr(filelike, "read", None)
    # Django's File, tempfile's wrapper: what reads is the file inside.
    file: Any = getattr(getattr(read, "__wrapped__", read), "__self__", None)
    if type(file) not in _PLAIN or not _HAS_PROC:
        return None
    try:
        descriptor = file.fileno()
        status = os.fstat(descriptor)
        start = file.tell()
    except (OSError, ValueError):
        return None
    length = status.st_size - start
    if not stat.S_ISREG(status.st_mode) or length < _LEAST_BYTES:
        return None
    return descriptor, file.name, start, length
