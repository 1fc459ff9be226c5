"""Streamed request bodies: what the front is told of them, whichever interface reads them."""

import struct
from typing import Any

from tests.front import BODY, END, RCREDIT, FrontCase


class StreamedBodyRules(FrontCase):
    """To be named by its module: what a test file imports by name runs there.

    `counts` is the path of an app that reads slowly and says how many bytes came.
    """

    counts = ""
    seat: Any

    def head(self, path):
        raise NotImplementedError

    def test_credit_is_granted_as_the_body_is_read(self):
        self.seat.requests((1, self.head(self.counts), None))
        window, sent, total = 262_144, 0, 1_000_000
        while sent < total:
            while window < 10_000:
                kind, arg, payload = self.seat.receive()
                self.assertEqual((kind, arg), (RCREDIT, 1))
                window += struct.unpack("<I", payload)[0]
            self.seat.frame(BODY, 1, b"x" * 10_000)
            window, sent = window - 10_000, sent + 10_000
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome()["body"], b"1000000")

    def test_100_continue_is_asked_for_at_the_first_read_only(self):
        self.seat.requests((1, self.head("/ignore"), True))
        self.assertEqual(self.seat.outcome()["frames"], [])
        self.seat.requests((1, self.head("/echo"), True))
        self.assertEqual(self.seat.receive(), (RCREDIT, 1, b"\0\0\0\0"))
        self.seat.frame(BODY, 1, b"late")
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome()["body"], b"late")
