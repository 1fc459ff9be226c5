"""A free-threaded Python; a faked one where this Python has a GIL: what it says of itself decides."""

import os
import sys
import unittest
from unittest import mock

from tests.front import APPS_DIR, FrontCase, wsgi_head

FAKED = os.path.join(APPS_DIR, "nogil")


@unittest.skipIf(sys.flags.ignore_environment, "the fake comes through PYTHONPATH")
class FreeThreadingTest(FrontCase):
    def setUp(self):
        environ = mock.patch.dict(os.environ, {"PYTHONPATH": FAKED})
        environ.start()
        self.addCleanup(environ.stop)

    def test_without_a_gil_a_worker_has_the_threads_meant_for_that(self):
        for preload in (False, True):
            front = self.front("hello:wsgi", threads=1, threads_without_gil=3, preload=preload)
            self.assertIs(front.hello["gil"], False)
            if preload:
                self.assertEqual(front.link.receive()["type"], "loaded")
            worker = front.fork()
            self.assertEqual(worker.ready["seats"], 3)
            self.assertNotIn("warnings", worker.ready)
            for seat in worker.seats.values():
                seat.requests((1, wsgi_head(), b""))
            for seat in worker.seats.values():
                self.assertEqual(seat.outcome()["status"], "200 OK")
                seat.close()
            exit = front.exit()
            self.assertEqual((exit["code"], exit["started"]), (0, [1, 1, 1]))

    def test_a_module_that_turns_the_gil_on_again_is_told(self):
        worker = self.front("needs_gil:wsgi", threads=1, threads_without_gil=3).fork()
        self.assertIn("the GIL is on again", worker.ready["warnings"][0])

    def test_one_thread_is_one_thread(self):
        worker = self.front("needs_gil:wsgi", threads=1, threads_without_gil=1).fork()
        self.assertEqual((worker.ready["seats"], "warnings" in worker.ready), (1, False))
