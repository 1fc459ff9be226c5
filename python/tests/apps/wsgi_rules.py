"""One WSGI app per rule; the path chooses."""

import gzip
import io
import os
import random
import sys
import tempfile
import threading
import time
from typing import Any
from wsgiref.validate import validator

CLOSED = []
GATE = threading.Event()


class Text(str):
    """A subclass, as Django's SafeString."""


class Result:
    def __init__(self, chunks, name):
        self.chunks, self.name = iter(chunks), name

    def __iter__(self):
        return self.chunks

    def close(self):
        CLOSED.append(self.name)


class One:
    def __len__(self):
        return 1

    def __iter__(self):
        yield b"one"
        print("asked for more than its len()", file=sys.stderr)

    def close(self):
        CLOSED.append("one")


def plain(length=None):
    headers = [("Content-Type", "text/plain")]
    return headers if length is None else [*headers, ("Content-Length", str(length))]


def application(environ, start_response):
    return globals()["do_" + environ["PATH_INFO"].strip("/")](environ, start_response)


def say(start_response, text):
    body = text.encode()
    start_response("200 OK", plain(len(body)))
    return [body]


def do_ok(environ, start_response):
    return say(start_response, "ok")


def do_closed(environ, start_response):
    text = " ".join(CLOSED)
    CLOSED.clear()
    return say(start_response, text)


def do_environ(environ, start_response):
    names = (
        "wsgi.version",
        "wsgi.url_scheme",
        "wsgi.multithread",
        "wsgi.multiprocess",
        "wsgi.run_once",
        "SERVER_NAME",
        "wsgi.input_terminated",
    )
    return say(start_response, repr({name: environ[name] for name in names}))


def do_target(environ, start_response):
    body = say(start_response, repr({name: value for name, value in environ.items() if type(value) is str}))
    environ.clear()
    return body


def do_echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", plain(len(body)))
    return [body]


def do_lines(environ, start_response):
    return say(start_response, repr([environ["wsgi.input"].readline(), environ["wsgi.input"].read(2), list(environ["wsgi.input"])]))


def do_slowecho(environ, start_response):
    total = 0
    while True:
        data = environ["wsgi.input"].read(10_000)
        if not data:
            return say(start_response, str(total))
        total += len(data)


def do_ignore(environ, start_response):
    return say(start_response, "ignored the body")


def do_generator(environ, start_response):
    def chunks():
        start_response("200 OK", plain())
        yield b""
        yield b"a"
        yield b"b"

    return Result(chunks(), "generator")


def do_wait(environ, start_response):
    start_response("200 OK", plain())

    def chunks():
        yield b"first"
        print("waiting", file=sys.stderr)
        GATE.wait(5)
        GATE.clear()
        yield b"second"

    return chunks()


def do_one(environ, start_response):
    start_response("200 OK", plain())
    return One()


def do_declared(environ, start_response):
    start_response("200 OK", plain(5))
    return Result(iter([b"", b"12345", b"never asked"]), "declared")


def do_list(environ, start_response):
    start_response("200 OK", plain())
    return [b"a", b"", b"b", b"c"]


def do_empty(environ, start_response):
    start_response("200 OK", plain())
    return []


def do_long(environ, start_response):
    start_response("200 OK", plain(3))
    return [b"12345"]


def do_longstream(environ, start_response):
    start_response("200 OK", plain(3))
    return Result(iter([b"12", b"345", b"6"]), "longstream")


def do_short(environ, start_response):
    start_response("200 OK", plain(10))
    return [b"12345"]


def do_shortstream(environ, start_response):
    start_response("200 OK", plain(10))
    return Result(iter([b"12", b"345"]), "shortstream")


def do_notmodified(environ, start_response):
    start_response("304 Not Modified", plain(10))
    return []


def do_write(environ, start_response):
    write = start_response("200 OK", plain())
    write(b"")
    write(b"written ")
    write(b"twice ")
    return [b"and returned"]


def do_writeonly(environ, start_response):
    start_response("200 OK", plain(3))(b"abc")
    return []


def do_big(environ, start_response):
    body = bytes(range(256)) * 12_000
    start_response("200 OK", plain(len(body)))
    return [body]


def do_bigstream(environ, start_response):
    start_response("200 OK", plain())
    return Result((b"x" * 100_000 for _ in range(30)), "bigstream")


def do_endless(environ, start_response):
    start_response("200 OK", plain())

    def chunks():
        while True:
            yield b"x" * 1000
            time.sleep(0.001)

    return Result(chunks(), "endless")


def do_untilgone(environ, start_response):
    while not environ["maitred.client_gone"]():
        time.sleep(0.005)
    return say(start_response, "gone")


def do_gone(environ, start_response):
    return say(start_response, str(environ["maitred.client_gone"]()))


def do_extend(environ, start_response):
    environ["maitred.extend_deadline"](float(environ["QUERY_STRING"]))
    return say(start_response, "extended")


def do_oblivious(environ, start_response):
    try:
        while True:
            time.sleep(0.005)
    except ConnectionError as error:
        return say(start_response, "interrupted by " + type(error).__name__)


def do_file(environ, start_response):
    start_response("200 OK", plain())
    return environ["wsgi.file_wrapper"](open(__file__, "rb"), 512)


class Wrapped:
    """As Django's File: reads the file inside."""

    def __init__(self, file):
        self.file = file
        self.read = file.read

    def close(self):
        CLOSED.append("wrapped")
        self.file.close()


def do_wrap(environ, start_response):
    """A file in one of many forms: the query says which, its position, and the Content-Length."""
    form, position, length, path = environ["QUERY_STRING"].split(",")
    start_response("200 OK", [("Content-Length", length)] if length else [])
    file: Any = open(path, "rb", buffering=0 if form == "raw" else -1)
    if form == "gzip":
        file = gzip.GzipFile(fileobj=file)
    elif form == "memory":
        file = io.BytesIO(file.read())
    elif form == "text":
        file = io.TextIOWrapper(file)
    elif form == "named":
        copy = tempfile.NamedTemporaryFile()  # Is removed when it is closed.
        copy.write(file.read())
        file.close()
        file = copy
    elif form == "unnamed":
        copy = tempfile.TemporaryFile()
        copy.write(file.read())
        file.close()
        file = copy
    file.seek(int(position))
    return environ["wsgi.file_wrapper"](Wrapped(file) if form == "wrapped" else file)


def do_raise(environ, start_response):
    raise LookupError("before the head")


def do_raiselate(environ, start_response):
    start_response("200 OK", plain())

    def chunks():
        yield b"a"
        raise LookupError("after the head")

    return Result(chunks(), "raiselate")


def do_exit(environ, start_response):
    sys.exit(5)


def do_twice(environ, start_response):
    start_response("200 OK", plain())
    start_response("200 OK", plain())
    return []


def do_excinfo(environ, start_response):
    try:
        start_response("200 OK", plain())
        raise ValueError("oops")
    except ValueError:
        start_response("501 Replaced", plain(), sys.exc_info())
    return [b"replaced"]


def do_excinfolate(environ, start_response):
    write = start_response("200 OK", plain())
    write(b"sent")
    try:
        raise ValueError("oops late")
    except ValueError:
        start_response("500 Too late", plain(), sys.exc_info())
    return []


def do_nostart(environ, start_response):
    return [b"no start_response"]


def do_str(environ, start_response):
    start_response("200 OK", plain())
    return ["text"]


def do_none(environ, start_response):
    start_response("200 OK", plain())
    return None


def do_subclass(environ, start_response):
    start_response(Text("200 Fine"), [(Text("X-Text"), Text("value"))])
    return [b"subclass"]


def do_reuse(environ, start_response):
    """A module that uses one list for every response."""
    REUSED[:] = [("X-User", environ["QUERY_STRING"])]
    start_response("200 OK", REUSED)
    return [b""]


REUSED = []


def do_header(environ, start_response):
    start_response("200 OK", eval(environ["QUERY_STRING"]))
    return [b"accepted"]


def do_status(environ, start_response):
    start_response(eval(environ["QUERY_STRING"]), plain())
    return [b"accepted"]


def do_latin(environ, start_response):
    start_response("200 Sch\xf6n", [("X-Latin", "\xe4\xf6\xfc")])
    return [environ["HTTP_X_LATIN"].encode("latin-1")]


def do_slowclose(environ, start_response):
    start_response("200 OK", plain(2))
    result = Result(iter([b"ok"]), "slowclose")
    result.close = lambda: time.sleep(0.05)
    return result


def do_gateclose(environ, start_response):
    start_response("200 OK", plain(2))
    result = Result(iter([b"ok"]), "gateclose")
    result.close = lambda: time.sleep(0.5)
    return result


def do_sleep(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or "1"))
    return say(start_response, "slept")


def do_kill(environ, start_response):
    os.kill(os.getpid(), 9)
    time.sleep(5)


def do_abort(environ, start_response):
    os.abort()


def do_random(environ, start_response):
    return say(start_response, repr(random.random()))


def do_signals(environ, start_response):
    import signal
    import subprocess

    child = subprocess.run(
        [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))"],
        capture_output=True,
        text=True,
    )
    return say(start_response, f"{signal.set_wakeup_fd(-1)} {signal.getsignal(signal.SIGCHLD)!r} {child.stdout}")


def do_fds(environ, start_response):
    return say(start_response, " ".join(sorted(os.listdir("/proc/self/fd"), key=int)))


def do_threadname(environ, start_response):
    time.sleep(0.2)
    return say(start_response, f"{threading.current_thread().name} {environ['wsgi.multithread']}")


def do_print(environ, start_response):
    print("printed")
    print("to errors", file=environ["wsgi.errors"])
    return say(start_response, "ok")


def do_hints(environ, start_response):
    hint = environ["wsgi.early_hints"]
    hint([("Link", "</a.css>; rel=preload"), ("X-B", "c")])
    hint([])
    result = say(start_response, "hinted")
    hint([("Link", "too late")])
    return result


def do_badhint(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "a\r\nb")])


class HintsWhenClosed(list):
    def close(self):
        self.hint([("Link", "after the response")])


def do_closehint(environ, start_response):
    """Without start_response: an error, and then a hint for a request that is over."""
    result = HintsWhenClosed([b"x"])
    result.hint = environ["wsgi.early_hints"]
    return result


def do_filebody(environ, start_response):
    body = environ["wsgi.input"]
    first = body.read(3)
    body.seek(0, 2)
    return say(start_response, f"{first!r} {body.tell()} {type(body).__name__} {body.fileno() > 2}")


@validator
def valid(environ, start_response):
    if environ["PATH_INFO"] == "/stream":

        def chunks():
            yield b"a"
            yield b"b"

        start_response("200 OK", [("Content-Type", "text/plain")])
        return chunks()
    body = environ["wsgi.input"].read(1000)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
