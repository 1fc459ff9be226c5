"""A gevent worker: the rules of WSGI as on any other, and many requests at once.

gevent is in the examples' environment (requirements/examples.txt). The workers run there when that Python is of the version that runs the
tests, so that one of several runs does it; else in this Python, or the tests are skipped.
"""

import functools
import marshal
import os
import struct
import subprocess
import sys
import time
import unittest
from unittest import mock

from tests import test_wsgi
from tests.front import (
    ABORT,
    APPS_DIR,
    BODY,
    CANCEL,
    CREDIT,
    END,
    HEAD,
    PING,
    PONG,
    PYTHON_DIR,
    RBODY,
    FrontCase,
    wsgi_head,
)

EXAMPLES_PYTHON = os.path.join(os.path.dirname(PYTHON_DIR), ".tools", "examples", "bin", "python")


@functools.cache
def gevent_python():
    """A Python that has gevent; None where there is none."""
    same_version = f"import gevent, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for python in (sys.executable, EXAMPLES_PYTHON):
        if os.path.exists(python):
            found = subprocess.run([python, "-c", same_version], stderr=subprocess.DEVNULL, check=False)
            if found.returncode == 0:
                return python
    return None


GEVENT = {"gevent": True, "python": gevent_python()}
needs_gevent = unittest.skipUnless(
    gevent_python(), "no gevent for this version of Python here (scripts/setup-examples)"
)


@needs_gevent
class ResponseTest(test_wsgi.ResponseTest):
    settings = GEVENT

    def test_the_environ_is_pep_3333s(self):
        body = self.ask("environ")["body"].decode()
        self.assertIs(eval(body)["wsgi.multithread"], True)


@needs_gevent
class ErrorTest(test_wsgi.ErrorTest):
    settings = GEVENT


@needs_gevent
class BodyTest(test_wsgi.BodyTest):
    settings = GEVENT


@needs_gevent
class StreamTest(test_wsgi.StreamTest):
    settings = GEVENT
    # Of a seat with one request at a time; ConcurrencyTest has their counterparts.
    test_a_request_cancelled_while_it_waits_never_reaches_the_app = None  # type: ignore[assignment]
    test_requests_that_come_while_waiting_for_credit_are_served_after = None  # type: ignore[assignment]
    test_close_comes_after_the_response_has_left_and_a_slow_one_is_announced = None  # type: ignore[assignment]
    test_a_request_is_interrupted_if_it_is_still_the_one_at_work = None  # type: ignore[assignment]
    test_slow_responses_of_a_batch_leave_before_its_end = None  # type: ignore[assignment]


@needs_gevent
class ValidatorTest(test_wsgi.ValidatorTest):
    settings = GEVENT


@needs_gevent
class EarlyHintsTest(test_wsgi.EarlyHintsTest):
    settings = GEVENT


@needs_gevent
class FileHandedOverTest(test_wsgi.FileHandedOverTest):
    settings = GEVENT


@needs_gevent
class FileBodyTest(test_wsgi.FileBodyTest):
    settings = GEVENT
    test_a_client_that_has_left_already = None  # type: ignore[assignment]  # Here it has begun already.


class GeventCase(FrontCase):
    app = "gevent_rules:application"

    def setUp(self):
        self.front_, self.worker_, self.seat = self.worker(self.app, **GEVENT)

    def ask(self, path, query="", request_id=1):
        self.seat.requests((request_id, wsgi_head("/" + path, QUERY_STRING=query), b""))
        return eval(self.seat.outcome(request_id)["body"].decode())


@needs_gevent
class ConcurrencyTest(GeventCase):
    def test_a_worker_says_that_it_runs_many_at_once(self):
        self.assertEqual(
            self.worker_.ready,
            {
                "type": "ready",
                "interface": "wsgi",
                "seats": 1,
                "loop": "gevent",
                "concurrent": True,
                "templates": False,
            },
        )

    def test_five_hundred_requests_sleep_at_the_same_time(self):
        began = time.monotonic()
        self.seat.requests(*((number, wsgi_head("/sleep", QUERY_STRING="1"), b"") for number in range(500)))
        self.assertEqual({body for _, _, body in self.seat.responses(500).values()}, {b"'slept'"})
        self.assertLess(time.monotonic() - began, 4)

    def test_one_request_wakes_another(self):
        self.seat.requests((1, wsgi_head("/wait"), b""), (2, wsgi_head("/ok"), b""))
        self.assertEqual(self.seat.responses(1)[2][2], b"'ok'")
        self.seat.requests((3, wsgi_head("/open"), b""))
        self.assertEqual(set(self.seat.responses(2)), {1, 3})

    def test_while_a_body_is_on_its_way_others_are_served(self):
        self.seat.requests((1, wsgi_head("/input", "POST"), None))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.seat.frame(BODY, 1, b"abc")
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.seat.frame(BODY, 1, b"def")
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome(1)["body"], b"abcdef")

    def test_a_ping_is_answered_while_requests_wait_and_not_while_one_spins(self):
        self.seat.requests((1, wsgi_head("/wait"), b""))
        self.seat.frame(PING, 7)
        self.assertEqual(self.seat.receive(), (PONG, 7, b""))
        self.seat.requests((2, wsgi_head("/spin"), b""))
        while "spinning" not in self.front_.output():
            pass
        self.seat.frame(PING, 8)
        self.assertTrue(self.seat.silent())
        self.front_.link.send(type="kill", worker=1, signal=9)

    def test_what_has_begun_before_the_seat_closes_is_finished(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="0.2"), b""))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.seat.socket.shutdown(1)  # SHUT_WR
        self.assertEqual(self.seat.outcome(1)["body"], b"'slept'")
        exit = self.front_.exit()
        self.assertEqual((exit["code"], exit["started"]), (0, [2]))
        self.assertEqual(self.front_.output(), "")

    def test_thread_locals_and_context_variables_are_the_requests_own(self):
        self.seat.requests(*((number, wsgi_head("/local", QUERY_STRING=str(number)), b"") for number in range(20)))
        for number, (_, _, body) in self.seat.responses(20).items():
            self.assertEqual(eval(body.decode()), [(None, None), str(number), str(number)])
        self.assertEqual(self.ask("local", "x"), [(None, None), "x", "x"])

    def test_it_tells_where_each_request_waits(self):
        self.seat.requests((1, wsgi_head("/wait"), b""))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.worker_.link.send(type="stacks")
        text = self.worker_.link.receive()["text"]
        self.assertIn("Greenlet of GET '/wait':", text)
        self.assertIn("in do_wait\n    return GATE.wait(10)", text)
        self.assertNotIn("'/ok'", text)
        self.ask("open", request_id=2)

    def test_when_time_is_up_what_waits_is_ended(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="600"), b""))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.worker_.link.send(type="hurry")
        self.assertEqual(self.seat.outcome(1)["status"], "500 Internal Server Error")
        self.assertIn("GreenletExit", self.front_.output())
        self.seat.close()
        self.assertEqual(self.front_.exit()["code"], 0)

    def test_the_app_can_ask_whether_its_client_is_gone(self):
        self.seat.requests((1, wsgi_head("/gone"), b""))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.seat.frame(CANCEL, 1)
        self.seat.outcome(1)
        self.assertIn("noticed", self.front_.output())

    def test_a_request_whose_client_has_left_is_interrupted_where_it_waits(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="600"), b""))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.worker_.link.send(type="interrupt", seat=0, sequence=1)
        self.assertEqual(self.seat.outcome(1)["status"], "500 Internal Server Error")
        self.assertIn("ClientGone", self.front_.output())

    def test_a_request_whose_time_is_up_ends_where_it_waits(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="600"), b""))
        self.assertEqual(self.ask("ok", request_id=2), "ok")
        self.seat.frame(CANCEL, 1, b"\x01")
        self.seat.outcome(1)
        output = self.front_.output()
        self.assertIn("in do_sleep", output)
        self.assertIn("its time is up (--timeout)", output)

    def test_sys_exit_in_a_request_is_a_500_and_no_more(self):
        self.seat.requests((1, wsgi_head("/exit"), b""))
        self.assertEqual(self.seat.outcome()["status"], "500 Internal Server Error")
        self.assertEqual(self.ask("ok"), "ok")


@needs_gevent
class SlowCloseTest(GeventCase):
    app = "gevent_rules:closing"

    def test_a_slow_close_holds_up_nobody_and_its_id_is_free_at_once(self):
        self.seat.requests((1, wsgi_head("/slow"), b""))
        self.assertEqual(self.seat.outcome(1)["end"], "complete")
        self.seat.requests((1, wsgi_head("/ok"), b""))
        self.assertEqual(self.seat.outcome(1)["end"], "complete")
        self.seat.frame(CANCEL, 1)
        self.seat.requests((1, wsgi_head("/release"), b""))
        self.assertEqual(self.seat.outcome(1)["end"], "complete")
        self.seat.close()
        self.assertEqual(self.front_.exit()["code"], 0)


@needs_gevent
class StreamsTest(FrontCase):
    def test_a_stream_without_credit_holds_up_nobody(self):
        _, _, seat = self.worker("wsgi_rules:application", **GEVENT)
        seat.requests((1, wsgi_head("/bigstream"), b""))
        self.assertEqual(seat.receive()[0], HEAD)
        taken = 0
        while taken < 1_048_576:
            kind, _, payload = seat.receive()
            self.assertEqual(kind, RBODY)
            taken += len(payload)
        seat.requests((2, wsgi_head("/ok"), b""))
        self.assertEqual(seat.responses(1)[2][2], b"ok")
        self.assertTrue(seat.silent())
        seat.frame(CREDIT, 1, struct.pack("<I", 1 << 30))
        self.assertEqual(seat.outcome(1)["end"], "end")

    def test_a_client_that_leaves_ends_the_stream_that_waits_for_it(self):
        _, _, seat = self.worker("wsgi_rules:application", **GEVENT)
        seat.requests((1, wsgi_head("/bigstream"), b""))
        while not seat.silent():
            self.assertIn(seat.receive()[0], (HEAD, RBODY))
        seat.frame(CANCEL, 1)
        kind, arg, payload = seat.receive()
        self.assertEqual((kind, arg, payload), (ABORT, 1, b"the client is gone"))

    def test_a_request_whose_client_left_before_it_began_never_reaches_the_app(self):
        _, _, seat = self.worker("wsgi_rules:application", **GEVENT)
        requests = struct.pack("<II", 0, CANCEL | 1 << 8)
        batch = marshal.dumps([(1, wsgi_head("/print"), b"")], 4)
        seat.socket.sendall(struct.pack("<II", len(batch), 1) + batch + requests)
        self.assertEqual(seat.outcome(1)["end"], "the client is gone")


@needs_gevent
class PatchTest(FrontCase):
    def answers(self, preload, *paths):
        front = self.front("gevent_rules:application", preload=preload, **GEVENT)
        if preload:
            self.loaded = front.link.receive()
            self.assertEqual(self.loaded["type"], "loaded", self.loaded)
        seat = front.fork().seats[0]
        found = []
        for path in paths:
            name, _, query = path.partition("?")
            seat.requests((1, wsgi_head("/" + name, QUERY_STRING=query), b""))
            found.append(eval(seat.outcome(1)["body"].decode()))
        seat.close()
        self.assertEqual(front.exit()["code"], 0)
        return found

    def test_the_standard_library_is_patched_before_the_app_is_imported(self):
        for preload in (False, True):
            with self.subTest(preload=preload):
                patched, early = self.answers(preload, "patched", "early")
                self.assertEqual(patched, ["gevent.hub", "gevent._socket3"])
                self.assertEqual(early, b"x")

    def test_subprocesses_multiprocessing_and_the_apps_signal_handlers_work(self):
        for preload in (False, True):
            with self.subTest(preload=preload):
                paths = ("subprocess", "multiprocessing?fork", "term", "subprocess")
                self.assertEqual(self.answers(preload, *paths), [42, [0, 42], ["SIGTERM"], 42])

    def test_preloading_makes_no_hub_that_workers_would_share(self):
        self.answers(True, "patched")
        self.assertEqual(self.loaded["warnings"], [])

    def test_psycopg2_is_told_unless_it_cooperates(self):
        path = [APPS_DIR, os.path.join(APPS_DIR, "fakes")]
        worker = self.front("uses_psycopg2:wsgi", pythonpath=path, **GEVENT).fork()
        self.assertIn("psycogreen.gevent.patch_psycopg()", worker.ready["warnings"][0])
        worker = self.front("uses_psycopg2:wsgi", pythonpath=path, environ={"PSYCOGREEN": "1"}, **GEVENT).fork()
        self.assertNotIn("warnings", worker.ready)

    def test_a_network_library_imported_before_gevent_is_a_refusal(self):
        with mock.patch.dict(os.environ, {"PYTHONPATH": os.path.join(APPS_DIR, "early")}):
            front = self.front("hello:wsgi", **GEVENT)
        failed = front.link.receive()
        self.assertEqual(failed["type"], "failed")
        self.assertIn("redis had been imported before gevent could patch the standard library", failed["message"])

    def test_an_asgi_app_is_refused_with_what_to_write(self):
        front = self.front("gevent_rules:asgi", interface="wsgi", interface_from="-k gevent", **GEVENT)
        failed = front.fork()
        self.assertEqual(failed["type"], "failed")
        self.assertIn("is ASGI, but -k gevent is for WSGI applications", failed["message"])
        self.assertIn("leave it out, or write -k asgi", failed["message"])


class MissingTest(FrontCase):
    def test_without_gevent_the_zygote_says_how_to_get_it(self):
        bare = os.path.join(sys.base_prefix, "bin", "python3")
        has = subprocess.run([bare, "-c", "import gevent"], stderr=subprocess.DEVNULL, check=False).returncode == 0
        if has:
            self.skipTest("this Python has gevent")
        front = self.front("hello:wsgi", gevent=True, python=bare)
        failed = front.link.receive()
        self.assertEqual((failed["type"], failed["kind"]), ("failed", "boot"))
        self.assertIn("pip install gevent", failed["message"])
        self.assertEqual(front.process.wait(10), 3)
