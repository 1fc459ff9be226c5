from tests.front import FrontCase, asgi_head, wsgi_head

HELLO = b"Hello, World!"


class HelloTest(FrontCase):
    def test_a_wsgi_worker_answers_a_batch_and_exits_0_when_its_seat_closes(self):
        front, worker, seat = self.worker("hello:wsgi")
        self.assertEqual(
            worker.ready,
            {"type": "ready", "interface": "wsgi", "seats": 1, "loop": None, "concurrent": False, "templates": True},
        )
        seat.requests((1, wsgi_head(), b""), (2, wsgi_head(), b""), (7, wsgi_head(), b""))
        responses = seat.responses(3)
        self.assertEqual(responses[7], ("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")], HELLO))
        self.assertEqual(set(responses), {1, 2, 7})
        seat.close()
        self.assertEqual(
            front.exit(), {"type": "exit", "worker": 1, "pid": worker.pid, "code": 0, "signal": None, "started": [3]}
        )
        self.assertEqual(front.output(), "")

    def test_an_asgi_worker_answers_a_batch_and_exits_0_when_its_seat_closes(self):
        front, worker, seat = self.worker("hello:asgi")
        self.assertEqual(
            worker.ready,
            {
                "type": "ready",
                "interface": "asgi",
                "seats": 1,
                "loop": "asyncio",
                "concurrent": True,
                "templates": True,
            },
        )
        seat.requests((1, asgi_head(), b""), (2, asgi_head(), b""), (7, asgi_head(), b""))
        responses = seat.responses(3)
        self.assertEqual(responses[7], (200, [(b"content-type", b"text/plain"), (b"content-length", b"13")], HELLO))
        seat.close()
        self.assertEqual(
            front.exit(), {"type": "exit", "worker": 1, "pid": worker.pid, "code": 0, "signal": None, "started": [3]}
        )
        self.assertEqual(front.output(), "")

    def test_both_with_preload(self):
        for target in ("hello:wsgi", "hello:asgi"):
            front = self.front(target, preload=True)
            self.assertEqual(front.link.receive(), {"type": "loaded", "interface": target[6:], "warnings": []})
            seat = front.fork().seats[0]
            seat.requests((1, (wsgi_head if target == "hello:wsgi" else asgi_head)(), b""))
            self.assertEqual(seat.responses()[1][2], HELLO)
