"""µs of Python per request: `PYTHON -m tests.bench [wsgi|asgi] [loop]` from python/. Batches of 16 over a socketpair-like seat; the front's work is
done before, so what is measured is the worker's own CPU time (RUSAGE of the worker, from /proc)."""

import os
import statistics
import sys

from tests.front import REQUESTS, Front, asgi_head, wsgi_head
import marshal
import struct


def cpu(pid):
    with open(f"/proc/{pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


def main(kind="wsgi", loop="asyncio", batch=16, rounds=5):
    batch = int(batch)
    head = wsgi_head if kind == "wsgi" else asgi_head
    extra = (
        {"HTTP_USER_AGENT": "wrk/4.2.0", "HTTP_ACCEPT": "*/*", "REMOTE_PORT": "55555"}
        if kind == "wsgi"
        else {"headers": [(b"host", b"localhost"), (b"user-agent", b"wrk/4.2.0"), (b"accept", b"*/*")]}
    )
    front = Front(f"hello:{kind}", loop=loop)
    worker = front.fork()
    seat = worker.seats[0]
    payload = marshal.dumps([(i, head(**extra), b"") for i in range(batch)], 4)
    data = struct.pack("<II", len(payload), REQUESTS) + payload
    figures = []
    for _ in range(rounds):
        before, n = cpu(worker.pid), 0
        while n < 100_000:
            seat.socket.sendall(data)
            got = 0
            while got < batch:
                _, _, reply = seat.receive()
                got += len(marshal.loads(reply))
            n += batch
        figures.append((cpu(worker.pid) - before) / n * 1e6)
    print(f"{kind} {worker.ready['loop']} Python {sys.version.split()[0]} batch {batch}: {statistics.median(figures):.2f} µs a request ({min(figures):.2f} to {max(figures):.2f})")
    front.close()


main(*sys.argv[1:])
