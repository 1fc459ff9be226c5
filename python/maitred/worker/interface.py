"""WSGI or ASGI? A look at the application object, without calling it."""

from __future__ import annotations

from typing import Any

from maitred.worker.importing import LoadError

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE; inspect itself costs 5 ms to import.
_CO_VARARGS = 0x04


def choose(target: str, application: Any, wanted: str, asked: str = "") -> str:
    """ "wsgi" or "asgi"; raises LoadError where `wanted` contradicts what the object is. `asked` is what the operator wrote to want it."""
    found = detect(application)
    if found == "asgi2":
        advice = "wrap it with asgiref.compatibility.guarantee_single_callable"
        raise LoadError("app", f"{target!r} is an ASGI 2 application (called with the scope alone): {advice}")
    if wanted == "auto":
        return found or "wsgi"
    if found is not None and found != wanted:
        asked = asked or f"--interface {wanted}"
        instead = "-k asgi" if found == "asgi" else "-k sync, gthread or gevent"
        if "interface" in asked.lower():
            instead = f"--interface {found}"
        advice = f"leave it out, or write {instead}"
        raise LoadError(
            "app", f"{target!r} is {found.upper()}, but {asked} is for {wanted.upper()} applications: {advice}"
        )
    return wanted


def detect(application: Any) -> str | None:
    """ "wsgi", "asgi", "asgi2", or None where one cannot tell."""
    while _is_partial(application):
        if _is_coroutine_function(application.func):
            return "asgi"
        application = application.func
    if isinstance(application, type):
        if _is_coroutine_function(getattr(application, "__call__", None)):  # noqa: B004 - the method itself is looked at
            return "asgi2"
        return "asgi" if hasattr(application, "__await__") else "wsgi"
    inner = getattr(application, "__wrapped__", None)
    if inner is not None and callable(inner) and inner is not application and _takes_anything(application):
        return detect(inner)  # functools.wraps around (*args), or a proxy in C: what it wraps is what it is called as.
    function = application if _code(application) is not None else getattr(type(application), "__call__", None)  # noqa: B004 - as above
    if _is_coroutine_function(application) or _is_coroutine_function(function):
        return "asgi"
    return {1: "asgi2", 2: "wsgi", 3: "asgi"}.get(_required(application, function))


def _takes_anything(application: Any) -> bool:
    code = _code(application) or _code(getattr(type(application), "__call__", None))  # noqa: B004 - as in detect
    return code is None or bool(code.co_flags & _CO_VARARGS)


def _is_partial(thing: Any) -> bool:
    kind = type(thing)
    return kind.__module__ == "functools" and kind.__name__ == "partial"


def _code(function: Any) -> Any:
    return getattr(getattr(function, "__func__", function), "__code__", None)


def _is_coroutine_function(function: Any) -> bool:
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _CO_COROUTINE:
        return True
    # inspect.markcoroutinefunction (3.12), and its forerunner in asyncio that asgiref and Cython use.
    marks = getattr(function, "__dict__", None) or {}
    return "_is_coroutine_mark" in marks or "_is_coroutine" in marks


def _required(application: Any, function: Any) -> int:
    """How many positional arguments it must be given; -1 where unknown."""
    code = _code(function)
    if code is None or code.co_flags & _CO_VARARGS:
        return -1
    plain = getattr(function, "__func__", function)
    bound = 1 if plain is not function or function is not application else 0
    return int(code.co_argcount - bound - len(getattr(plain, "__defaults__", None) or ()))


def mistaken(error: BaseException | None, served_as: str) -> str:
    """What to say where the object hid what it is and the first call showed it: an ASGI app called as WSGI, or the reverse. Else nothing."""
    text = str(error) if isinstance(error, TypeError) and _is_shallow(error) else ""
    if served_as == "wsgi":
        # Called with (environ, start_response): a third argument is missed, or a coroutine is given back.
        other = "asgi" if "missing 1 required positional argument" in text or "'coroutine' object" in text else ""
    else:
        # Called with (scope, receive, send): one too many, or what it returned cannot be awaited.
        too_many = "but 3 were given" in text or "but 4 were given" in text
        other = "wsgi" if too_many or "can't be used in 'await' expression" in text else ""
    if not other:
        return ""
    return f"the app was called as {served_as.upper()} and looks like {other.upper()}: write --interface {other}, if that is what it is"


def _is_shallow(error: BaseException) -> bool:
    """Raised by the call itself or a wrapper or two around it, not deep in the app."""
    frames, traceback = 0, error.__traceback__
    while traceback is not None:
        frames += 1
        traceback = traceback.tb_next
    return frames <= 4
