import os
import select
import signal
import unittest

from maitred.worker.stacks import STACKS_SIGNAL

from tests.front import FrontCase, asgi_head


@unittest.skipIf(STACKS_SIGNAL is None, "no real-time signals")
class StacksTest(FrontCase):
    def read(self, worker):
        self.assertTrue(select.select([worker.stacks], [], [], 10)[0])
        text = b""
        while select.select([worker.stacks], [], [], 0.2)[0]:
            text += worker.stacks.recv(65536)
        return text.decode()

    def test_the_zygote_makes_a_worker_tell_its_stacks_and_live(self):
        front = self.front("operated:asgi")
        worker = front.fork()
        seat = worker.seats[0]
        seat.requests((1, asgi_head("/block"), b""))
        seat.requests((2, asgi_head("/quick"), b""))
        text = ""
        for _ in range(50):  # The request may not have begun yet.
            front.link.send(type="stacks", worker=1)
            text = self.read(worker)
            if "in block" in text:
                break
        self.assertIn("in block", text)
        self.assertIn("recall.py", text)
        os.kill(worker.pid, signal.SIGUSR1)
        self.assertEqual(seat.outcome(2)["body"], b"quick")

    def test_the_tasks_of_the_loop_are_told_to_their_innermost_wait(self):
        front = self.front("operated:asgi")
        worker = front.fork()
        seat = worker.seats[0]
        seat.requests((1, asgi_head("/wait"), b""), (2, asgi_head("/quick"), b""))
        self.assertEqual(seat.outcome(2)["body"], b"quick")
        worker.link.send(type="stacks")
        text = worker.link.receive()["text"]
        self.assertIn("in wait_in_the_kitchen", text)
        self.assertIn("in asgi\n", text)

    def test_hurry_ends_what_does_not_end_and_runs_lifespan_shutdown(self):
        front = self.front("operated:asgi")
        worker = front.fork()
        seat = worker.seats[0]
        seat.requests((1, asgi_head("/wait"), b""), (2, asgi_head("/deaf"), b""), (3, asgi_head("/quick"), b""))
        self.assertEqual(seat.outcome(3)["body"], b"quick")
        worker.link.send(type="hurry")
        seat.socket.shutdown(1)
        self.assertEqual(front.exit()["code"], 0)
        self.assertIn("lifespan shutdown ran", front.output())
