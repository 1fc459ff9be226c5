"""What must be done before Node starts, in the process that it will be: `python launch.py NODE MAIN.JS ARGUMENTS...`.

- Under systemd (NOTIFY_SOCKET, sd_notify(3)): Node has no datagram sockets of the Unix kind. One is opened and connected here and inherited, so
  that the messages come from the main process itself, as NotifyAccess=main demands. MAITRED_NOTIFY_FD tells its number.
- As process 1 of a container: Node cannot wait for children that are not its own. A child becomes the server; this process passes signals on, waits
  for every orphan, and ends as the server ends. MAITRED_INIT_FD tells where the server says who succeeds it (a binary upgrade).

bin/maitred runs this where one of the two is the case. Standard library only, CPython 3.9 and later.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import NoReturn

_FORWARDED = ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "TTIN", "TTOU", "WINCH", "CONT")


def main() -> NoReturn:
    """Become the server, or the process above it."""
    command = sys.argv[1:]
    connect_notify_socket()
    if os.getpid() == 1:
        be_init(command)
    os.execv(command[0], command)


def connect_notify_socket() -> None:
    """Leaves the connected socket open, and its number in the environment."""
    address = os.environ.pop("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        connection.connect("\0" + address[1:] if address[0] == "@" else address)
    except OSError as error:
        sys.stderr.write(f"maitred: systemd will not be told anything: {address}: {error}\n")
        return
    connection.set_inheritable(True)
    os.environ["MAITRED_NOTIFY_FD"] = str(connection.detach())


def be_init(command: list[str]) -> NoReturn:
    """Process 1: the server is a child."""
    signals = {getattr(signal, f"SIG{name}") for name in _FORWARDED} | {signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    server = os.fork()
    if server == 0:
        os.close(reader)
        os.set_inheritable(writer, True)
        os.environ["MAITRED_INIT_FD"] = str(writer)
        _lead_own_group()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.execv(command[0], command)
    os.close(writer)
    wish: int | None = None
    while True:
        number = signal.sigwait(signals)
        if number != signal.SIGCHLD:
            if number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
                wish = number
            _kill(server, number)
            continue
        status = _reap(server)
        if status is None:
            continue
        successor = _successor(reader)
        if successor is None:
            sys.stdout.flush()
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
        server = successor
        if wish is not None:  # The container was told to stop while one server was handing over to the next.
            _kill(server, wish)


def _lead_own_group() -> None:
    """A terminal's Ctrl-C then reaches the server once, and not once more through process 1."""
    os.setpgid(0, 0)
    try:
        os.tcsetpgrp(0, os.getpgrp())
    except OSError:
        pass  # No terminal.


def _reap(server: int) -> int | None:
    """Wait for everything that has ended; the server's status if it was among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == server:
            found = status


def _successor(reader: int) -> int | None:
    """The process that the server has named last, if it lives."""
    try:
        text = os.read(reader, 4096).decode()
    except OSError:
        return None
    for word in reversed(text.split()):
        try:
            os.kill(int(word), 0)
        except (OSError, ValueError):
            continue
        return int(word)
    return None


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


if __name__ == "__main__":
    main()
