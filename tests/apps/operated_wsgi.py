"""A WSGI application with requests that hang in every way there is, that leave orphans behind, and that end the process."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any


def sleep_in_the_cellar() -> None:
    time.sleep(600)


def hold_the_interpreter() -> None:
    while ctypes.PyDLL(None).sleep(600):  # A PyDLL call does not give up the GIL. A signal ends sleep(3) early.
        pass


def zombies() -> str:
    """Names of the processes that have ended and that nobody has waited for."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                stat = file.read()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[0] == "Z":
            found.append(stat[stat.index("(") : stat.rindex(")") + 1])
    return " ".join(found)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    text = "hello"
    if path == "/pid":
        text = str(os.getpid())
    elif path == "/version":
        text = os.environ.get("RELEASE", "none")
    elif path == "/sleep":
        print("asleep", file=sys.stderr, flush=True)
        sleep_in_the_cellar()
    elif path == "/hold":
        print("holding", file=sys.stderr, flush=True)
        hold_the_interpreter()
    elif path == "/stop":
        print("stopping myself", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
    elif path == "/die":
        os._exit(7)
    elif path == "/orphan":
        # The shell leaves at once; its child has nobody to wait for it but process 1.
        done = subprocess.run(["sh", "-c", "sleep 0.2 >/dev/null & echo $!"], stdout=subprocess.PIPE, check=True)
        text = done.stdout.decode().strip()
    elif path == "/zombies":
        text = zombies()
    elif path == "/environ":
        text = "\n".join(sorted(os.environ))
    body = text.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
