"""Raising in another thread: what the front asks for when a request's client has been gone for long (`--cancel-gone`)."""

from __future__ import annotations

from maitred.worker.board import MASK


def interrupt(board: memoryview, place: int, sequence: int, thread: int | None, error: type[BaseException]) -> bool:
    """Raise `error` in `thread` if the seat at `place` still serves this request. Between the look and the raise no other
    Python code runs (ctypes.pythonapi keeps the GIL), but the thread may be past the app already: best effort.
    """
    import ctypes

    if thread is None or board[place] != sequence & MASK:
        return False
    found: int = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
    return found == 1
