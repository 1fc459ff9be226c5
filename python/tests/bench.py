"""CPU time of a worker per hello request, from /proc: `PYTHON -m tests.bench [wsgi|asgi] [asyncio|uvloop] [BATCH]` in python/.

The whole worker counts: reading and writing its socket, the app, marshal. The front's work is done before.
"""

import marshal
import statistics
import struct
import sys

from tests.front import REQUESTS, Front, asgi_head, wsgi_head

WSGI = wsgi_head(HTTP_USER_AGENT="wrk/4.2.0", HTTP_ACCEPT="*/*", REMOTE_PORT="55555")
ASGI = asgi_head(headers=[(b"host", b"localhost"), (b"user-agent", b"wrk/4.2.0"), (b"accept", b"*/*")])
ROUNDS, REQUESTS_A_ROUND = 5, 100_000


def cpu_seconds(pid):
    with open(f"/proc/{pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


def main(kind="wsgi", loop="asyncio", batch="16"):
    batch = int(batch)
    front = Front(f"hello:{kind}", loop=loop)
    worker = front.fork()
    seat = worker.seats[0]
    payload = marshal.dumps([(number, WSGI if kind == "wsgi" else ASGI, b"") for number in range(batch)], 4)
    data = struct.pack("<II", len(payload), REQUESTS) + payload
    figures = []
    for _ in range(ROUNDS):
        before, done = cpu_seconds(worker.pid), 0
        while done < REQUESTS_A_ROUND:
            seat.socket.sendall(data)
            seat.responses(batch)
            done += batch
        figures.append((cpu_seconds(worker.pid) - before) / done * 1e6)
    spread = f"{min(figures):.2f} to {max(figures):.2f}"
    name = f"{kind} {worker.ready['loop'] or ''} Python {sys.version.split()[0]} batch {batch}"
    print(f"{name}: {statistics.median(figures):.2f} µs a request ({spread})")
    front.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
