"""A seat whose two threads meet at the wrong moment: what is handed back defines a template."""

import marshal
import socket
import struct
import threading
import unittest
from unittest import mock

from maitred.worker.seat import Seat
from maitred.worker.wire import REQUESTS, RESPONSES, FrameReader
from maitred.worker.wsgi import WsgiSeat, base_environ

from tests.front import wsgi_head

DEFINES = (1, wsgi_head("/a"), b"", 1)
NAMES = (2, 1, b"", "/b", "", "/b")


def application(environ, start_response):
    start_response("200 OK", [])
    return [f"{environ['wsgi.url_scheme']} {environ['PATH_INFO']} {environ['HTTP_HOST']}".encode()]


class SeatTest(unittest.TestCase):
    def setUp(self):
        self.front, ours = socket.socketpair()
        self.front.settimeout(10)
        self.seat = Seat(ours)
        self.addCleanup(ours.close)
        self.addCleanup(self.front.close)
        self.worker = WsgiSeat(application, self.seat, base_environ({}, False), memoryview(bytearray(8)).cast("Q"), 0)

    def say(self, *items):
        payload = marshal.dumps(list(items), 4)
        self.front.sendall(struct.pack("<II", len(payload), REQUESTS) + payload)

    def serve(self):
        thread = threading.Thread(target=self.worker.serve)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.front.shutdown, socket.SHUT_WR)

    def answers(self):
        frames = FrameReader()
        while True:
            for kind, _, payload in frames.feed(self.front.recv(65536)):
                if kind == RESPONSES:
                    return marshal.loads(payload)

    def test_what_is_handed_back_before_the_seat_serves_is_learned_whole(self):
        self.say(DEFINES)
        self.assertEqual(self.seat.give_back(), [1])
        self.serve()
        self.say(NAMES)
        self.assertEqual([answer[::3] for answer in self.answers()], [(2, b"http /b localhost")])

    def test_a_request_may_name_what_is_just_being_handed_back(self):
        begun, may_learn = threading.Event(), threading.Event()
        learn = self.seat.learn

        def slowly(request):
            begun.set()
            may_learn.wait(10)
            return learn(request)

        patched = mock.patch.object(self.seat, "learn", slowly)
        patched.start()
        self.addCleanup(patched.stop)
        self.say(DEFINES)
        giving_back = threading.Thread(target=self.seat.give_back)
        giving_back.start()
        self.assertTrue(begun.wait(10))
        self.say(NAMES)
        self.serve()
        self.front.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.front.recv(1)
        self.front.settimeout(10)
        may_learn.set()
        giving_back.join()
        self.assertEqual([answer[0] for answer in self.answers()], [2])


if __name__ == "__main__":
    unittest.main()
