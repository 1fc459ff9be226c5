import ast
import gzip
import marshal
import os
import signal
import struct
import tempfile
import time
from typing import Any, ClassVar

from tests import bodies
from tests.front import (
    BODY,
    CANCEL,
    CREDIT,
    END,
    EXTEND,
    FILE,
    FILE_TAKEN,
    HEAD,
    IDLE,
    INFORM,
    RBODY,
    REND,
    REQUESTS,
    RESPONSES,
    RESPONSES_BUSY,
    Closed,
    FrontCase,
    wsgi_head,
)

RULES = "wsgi_rules:application"


class WsgiCase(FrontCase):
    """One worker for all tests of a class: each leaves it as it found it."""

    app = RULES
    settings: ClassVar[dict[str, Any]] = {}

    def setUp(self):
        self.front_, self.worker_, self.seat = self.worker(self.app, **self.settings)

    def ask(self, path, body=b"", **more):
        self.seat.requests((1, wsgi_head("/" + path, **more), body))
        return self.seat.outcome()

    def closed(self):
        return self.ask("closed")["body"].decode()


class ResponseTest(WsgiCase):
    def test_the_environ_is_pep_3333s(self):
        expected = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "SERVER_NAME": "localhost",
            "wsgi.input_terminated": True,
        }
        self.assertEqual(self.ask("environ")["body"].decode(), repr(expected))

    def test_chunks_are_streamed_each_before_the_next_and_empty_ones_skipped(self):
        found = self.ask("generator")
        self.assertEqual((found["frames"], found["body"], found["end"]), ([HEAD, RBODY, RBODY, REND], b"ab", "end"))
        self.assertEqual(self.closed(), "generator")

    def test_a_chunk_leaves_before_the_app_is_asked_for_the_next(self):
        self.seat.requests((1, wsgi_head("/wait"), b""))
        self.assertEqual(self.seat.receive()[0], HEAD)
        self.assertEqual(self.seat.receive(), (RBODY, 1, b"first"))
        self.assertTrue(self.seat.silent())
        self.seat.frame(CANCEL, 1)

    def test_an_iterable_of_length_one_is_complete(self):
        found = self.ask("one")
        self.assertEqual((found["body"], found["end"]), (b"one", "complete"))
        self.assertEqual(self.closed(), "one")
        self.assertEqual(self.front_.output(), "")

    def test_a_chunk_as_long_as_content_length_is_complete(self):
        found = self.ask("declared")
        self.assertEqual((found["body"], found["end"]), (b"12345", "complete"))
        self.assertEqual(self.closed(), "declared")

    def test_lists_are_complete(self):
        self.assertEqual((self.ask("list")["body"], self.ask("list")["end"]), (b"abc", "complete"))
        self.assertEqual((self.ask("empty")["body"], self.ask("empty")["end"]), (b"", "complete"))

    def test_more_than_content_length_is_cut_off_and_said_once(self):
        for _ in range(2):
            found = self.ask("long")
            self.assertEqual((found["body"], found["end"]), (b"123", "complete"))
            found = self.ask("longstream")
            self.assertEqual((found["body"], found["end"]), (b"123", "end"))
        self.assertEqual(self.closed(), "longstream longstream")
        self.assertEqual(self.front_.output().count("more than its Content-Length"), 1)

    def test_less_than_content_length_is_aborted_after_the_head(self):
        for path in ("short", "shortstream"):
            found = self.ask(path)
            self.assertEqual((found["status"], found["body"]), ("200 OK", b"12345"))
            self.assertIn("5 bytes fewer", found["end"])
        self.assertEqual(self.closed(), "shortstream")

    def test_head_and_304_may_declare_a_length_without_a_body(self):
        self.assertEqual(self.ask("notmodified")["end"], "complete")
        self.assertEqual(self.ask("short", REQUEST_METHOD="HEAD")["end"], "complete")
        self.assertEqual(self.ask("shortstream", REQUEST_METHOD="HEAD")["end"], "end")

    def test_write(self):
        found = self.ask("write")
        self.assertEqual(found["frames"], [HEAD, RBODY, RBODY, RBODY, REND])
        self.assertEqual(found["body"], b"written twice and returned")
        found = self.ask("writeonly")
        self.assertEqual((found["body"], found["end"]), (b"abc", "end"))

    def test_a_file_wrapper(self):
        with open(os.path.join(os.path.dirname(__file__), "apps", "wsgi_rules.py"), "rb") as file:
            self.assertEqual(self.ask("file")["body"], file.read())

    def test_latin_1_both_ways(self):
        found = self.ask("latin", HTTP_X_LATIN="\xdf")
        self.assertEqual(
            (found["status"], found["headers"], found["body"]), ("200 Sch\xf6n", [("X-Latin", "\xe4\xf6\xfc")], b"\xdf")
        )

    def test_subclasses_are_made_exact_for_that_response_alone(self):
        self.seat.requests(*((n, wsgi_head("/subclass" if n == 2 else "/ok"), b"") for n in (1, 2, 3)))
        found = self.seat.responses(3)
        self.assertEqual(found[2], ("200 Fine", [("X-Text", "value")], b"subclass"))
        self.assertEqual(found[3][2], b"ok")

    def test_a_list_that_the_app_uses_again_does_not_leak_into_an_earlier_response(self):
        self.seat.requests(*((n, wsgi_head("/reuse", QUERY_STRING=str(n)), b"") for n in range(8)))
        found = self.seat.responses(8)
        self.assertEqual([found[n][1] for n in range(8)], [[("X-User", str(n))] for n in range(8)])

    def test_output_of_the_app_is_not_held_back(self):
        self.ask("print")
        self.assertEqual(self.front_.output(), "printed\nto errors\n")


class ErrorTest(WsgiCase):
    def assert500(self, path, *logged, **more):
        found = self.ask(path, **more)
        self.assertEqual(
            (found["status"], found["body"], found["end"]),
            ("500 Internal Server Error", b"Internal Server Error", "complete"),
        )
        output = self.front_.output()
        for text in logged:
            self.assertIn(text, output)
        self.assertNotIn("maitred/worker/", output)

    def test_an_exception_is_a_500_and_a_traceback_without_our_frames(self):
        self.assert500("raise", "LookupError: before the head", "GET '/raise'")

    def test_sys_exit_does_not_end_the_worker(self):
        self.assert500("exit", "SystemExit: 5")
        self.assertEqual(self.ask("ok")["body"], b"ok")

    def test_an_exception_after_the_head_aborts(self):
        found = self.ask("raiselate")
        self.assertEqual((found["body"], found["end"]), (b"a", "the app raised LookupError"))
        self.assertEqual(self.closed(), "raiselate")

    def test_start_response_twice(self):
        self.assert500("twice", "AssertionError", "second time")

    def test_exc_info_replaces_what_was_not_sent(self):
        found = self.ask("excinfo")
        self.assertEqual((found["status"], found["body"]), ("501 Replaced", b"replaced"))

    def test_exc_info_raises_when_the_head_was_sent(self):
        found = self.ask("excinfolate")
        self.assertEqual(
            (found["status"], found["body"], found["end"]), ("200 OK", b"sent", "the app raised ValueError")
        )

    def test_no_start_response_text_and_none(self):
        self.assert500("nostart", "without calling start_response")
        self.assert500("str", "not str")
        self.assert500("none", "NoneType")

    def test_headers_that_cannot_be_sent_are_named(self):
        for headers, logged in (
            ([("X-A", "b\r\nEvil: 1")], "'X-A' has a control character"),
            ([("X-A", "b\x00")], "'X-A' has a control character"),
            ([("X A", "b")], "not a token"),
            ([("", "b")], "not a token"),
            ([("X-A:", "b")], "not a token"),
            ([("X-A", "\u20ac")], "outside latin-1"),
            ([("X-A", b"b")], "must be str"),
            ([("X-A", 1)], "must be str"),
            ([["X-A", "b"]], "must be a tuple"),
            ((("X-A", "b"),), "must be a list"),
            ([("Connection", "close")], "'Connection' is hop-by-hop"),
            ([("transfer-encoding", "chunked")], "'transfer-encoding' is hop-by-hop"),
            ([("Content-Length", "-1")], "must be a number"),
            ([("Content-Length", "8"), ("content-length", "8")], "more than once"),
        ):
            with self.subTest(headers=headers):
                self.assert500("header", logged, QUERY_STRING=repr(headers))

    def test_content_length_twice_is_found_although_each_was_good_before(self):
        for name in ("Content-Length", "content-length"):
            self.assertEqual(self.ask("header", QUERY_STRING=repr([(name, "8")]))["end"], "complete")
        self.assert500(
            "header", "more than once", QUERY_STRING=repr([("Content-Length", "8"), ("content-length", "8")])
        )

    def test_status_must_be_digits_and_a_reason(self):
        for status in ("200", 200, "OK", "1000 X", "100 Continue", "200 O\nK", b"200 OK"):
            with self.subTest(status=status):
                self.assert500("status", "status must be", QUERY_STRING=repr(status))


class BodyTest(bodies.StreamedBodyRules, WsgiCase):
    counts = "/slowecho"

    def head(self, path):
        return wsgi_head(path)

    def test_a_complete_body(self):
        self.assertEqual(self.ask("echo", b"hello")["body"], b"hello")
        self.assertEqual(self.ask("lines", b"ab\ncdef\ngh")["body"].decode(), repr([b"ab\n", b"cd", [b"ef\n", b"gh"]]))

    def test_a_streamed_body(self):
        self.seat.requests((1, wsgi_head("/lines"), None))
        for piece in (b"a", b"b\ncde", b"f\ng", b"h"):
            self.seat.frame(BODY, 1, piece)
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome()["body"].decode(), repr([b"ab\n", b"cd", [b"ef\n", b"gh"]]))

    def test_waiting_for_a_body_does_not_hold_back_earlier_responses(self):
        self.seat.requests((1, wsgi_head("/ok"), b""), (2, wsgi_head("/echo"), None), (3, wsgi_head("/echo"), None))
        self.assertEqual(self.seat.responses(1)[1][2], b"ok")
        self.seat.frame(BODY, 3, b"three")
        self.seat.frame(END, 3)
        self.seat.frame(BODY, 2, b"two")
        self.seat.frame(END, 2)
        self.assertEqual({k: v[2] for k, v in self.seat.responses(2).items()}, {2: b"two", 3: b"three"})

    def test_a_client_that_leaves_during_its_upload_ends_the_request(self):
        self.seat.requests((1, wsgi_head("/echo"), None))
        self.seat.frame(BODY, 1, b"part")
        self.seat.frame(CANCEL, 1)
        self.assertEqual(self.seat.outcome()["end"], "the client is gone")
        self.assertEqual(self.ask("ok")["body"], b"ok")

    def test_frames_for_a_finished_request_do_not_touch_the_ids_next_bearer(self):
        self.ask("ok")
        self.seat.frame(CANCEL, 1)
        self.seat.frame(BODY, 1, b"stale")
        self.seat.requests((1, wsgi_head("/echo"), b"fresh"))
        self.assertEqual(self.seat.outcome()["body"], b"fresh")


class StreamTest(WsgiCase):
    def test_a_long_body_is_streamed_within_its_credit(self):
        self.seat.requests((1, wsgi_head("/big"), b""))
        self.assertEqual(self.seat.receive()[0], HEAD)
        body = b""
        while len(body) < 1_048_576:
            kind, _, payload = self.seat.receive()
            self.assertEqual(kind, RBODY)
            self.assertLessEqual(len(payload), 262_144)
            body += payload
        self.assertEqual(len(body), 1_048_576)
        self.assertTrue(self.seat.silent())
        self.seat.frame(CREDIT, 1, struct.pack("<I", 10))
        self.assertEqual(self.seat.receive(), (RBODY, 1, (bytes(range(256)) * 12_000)[1_048_576:1_048_586]))
        self.seat.frame(CREDIT, 1, struct.pack("<I", 10_000_000))
        found = self.seat.outcome(grant=False)
        self.assertEqual(found["end"], "end")
        self.assertEqual(body, (bytes(range(256)) * 12_000)[:1_048_576])
        self.assertEqual(len(found["body"]), 3_072_000 - 1_048_586)

    def test_requests_that_come_while_waiting_for_credit_are_served_after(self):
        self.seat.requests((1, wsgi_head("/bigstream"), b""))
        self.assertEqual(self.seat.receive()[0], HEAD)
        self.seat.requests((2, wsgi_head("/ok"), b""))
        found = self.seat.outcome()
        self.assertEqual(len(found["body"]), 3_000_000)
        self.assertEqual(self.seat.responses(1)[2][2], b"ok")
        self.assertEqual(self.closed(), "bigstream")

    def test_cancel_stops_a_stream_that_waits_and_one_that_runs(self):
        for path in ("bigstream", "endless"):
            self.seat.requests((1, wsgi_head("/" + path), b""))
            self.assertEqual(self.seat.receive()[0], HEAD)
            self.seat.frame(CANCEL, 1)
            self.assertEqual(self.seat.outcome(grant=False)["end"], "the client is gone")
            self.assertEqual(self.closed(), path)

    def test_a_request_cancelled_while_it_waits_never_reaches_the_app(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="0.2"), b""))
        self.seat.requests((2, wsgi_head("/wait"), None), (3, wsgi_head("/generator"), b""))
        self.seat.frame(CANCEL, 2)
        self.assertEqual(self.seat.outcome(1)["body"], b"slept")
        self.assertEqual(self.seat.outcome(2)["end"], "the client is gone")
        self.assertEqual(self.seat.outcome(3)["body"], b"ab")
        self.assertNotIn("waiting", self.front_.output())

    def test_an_app_that_asks_learns_that_its_client_is_gone_or_has_sent_its_fin(self):
        for cause in (b"", b"\x02"):
            self.seat.requests((1, wsgi_head("/untilgone"), b""))
            self.assertTrue(self.seat.silent())
            self.seat.frame(CANCEL, 1, cause)
            self.assertEqual(self.seat.outcome()["body"], b"gone")
        self.assertEqual(self.ask("gone")["body"], b"False", "the next request's client is there")

    def test_an_app_can_ask_for_more_time(self):
        self.seat.requests((1, wsgi_head("/extend", QUERY_STRING="2.5"), b""))
        self.assertEqual(self.seat.receive(), (EXTEND, 1, struct.pack("<I", 2500)))
        self.assertEqual(self.seat.outcome()["body"], b"extended")
        self.assertEqual(self.ask("extend", QUERY_STRING="-1")["status"], "500 Internal Server Error")

    def test_a_request_is_interrupted_if_it_is_still_the_one_at_work(self):
        self.seat.requests((2, wsgi_head("/oblivious"), b""))
        self.assertTrue(self.seat.silent())
        self.worker_.link.send(type="interrupt", seat=0, sequence=-5)
        self.assertTrue(self.seat.silent())
        for sequence in range(1, 64):
            self.worker_.link.send(type="interrupt", seat=0, sequence=sequence)
        self.assertEqual(self.seat.outcome(2)["body"], b"interrupted by ClientGone")

    def test_slow_responses_of_a_batch_leave_before_its_end(self):
        self.seat.requests(
            (1, wsgi_head("/ok"), b""), (2, wsgi_head("/sleep", QUERY_STRING="0.01"), b""), (3, wsgi_head("/wait"), b"")
        )
        found = self.seat.responses(2)
        self.assertEqual(sorted(found), [1, 2])
        self.seat.frame(CANCEL, 3)

    def test_close_comes_after_the_response_has_left_and_a_slow_one_is_announced(self):
        self.seat.requests((1, wsgi_head("/slowclose"), b""))
        began = time.monotonic()
        kind, _, payload = self.seat.receive()
        self.assertLess(time.monotonic() - began, 0.045)
        self.assertEqual(kind, RESPONSES)
        self.seat.requests((2, wsgi_head("/slowclose"), b""))
        kind, _, payload = self.seat.receive()
        self.assertEqual((kind, marshal.loads(payload)[0][0]), (RESPONSES_BUSY, 2))
        self.assertTrue(self.seat.silent(0.03))
        self.assertEqual(self.seat.receive(), (IDLE, 0, b""))

    def test_a_batch_split_at_every_byte_is_the_same_batch(self):
        payload = marshal.dumps([(1, wsgi_head("/ok"), b""), (2, wsgi_head("/echo"), b"x")], 4)
        for byte in struct.pack("<II", len(payload), 1) + payload:
            self.seat.socket.sendall(bytes((byte,)))
        self.assertEqual({k: v[2] for k, v in self.seat.responses(2).items()}, {1: b"ok", 2: b"x"})


class ValidatorTest(WsgiCase):
    app = "wsgi_rules:valid"

    def test_the_standard_librarys_validator_finds_nothing(self):
        self.assertEqual(self.ask("", b"body", CONTENT_LENGTH="4", CONTENT_TYPE="text/plain")["body"], b"body")
        self.seat.requests((1, wsgi_head("/"), None))
        self.seat.frame(BODY, 1, b"streamed")
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome()["body"], b"streamed")
        self.assertEqual(self.ask("stream")["body"], b"ab")
        self.assertEqual(self.front_.output(), "")


class ThreadTest(WsgiCase):
    settings = {"threads": 3}

    def test_each_thread_has_a_seat_and_they_run_at_once(self):
        self.assertEqual(self.worker_.ready["seats"], 3)
        began = time.monotonic()
        for seat in self.worker_.seats.values():
            seat.requests((1, wsgi_head("/threadname"), b""))
        for number, seat in self.worker_.seats.items():
            self.assertEqual(seat.outcome()["body"].decode(), f"maitred-seat-{number} True")
        self.assertLess(time.monotonic() - began, 0.55)
        self.worker_.close()
        self.assertEqual((self.front_.exit()["code"]), 0)


class RecallTest(WsgiCase):
    def test_recall_hands_back_what_has_not_started_even_from_the_socket(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="0.4"), b""), (2, wsgi_head("/ok"), b""))
        time.sleep(0.1)
        self.seat.requests((3, wsgi_head("/ok"), b""), (4, wsgi_head("/ok"), b""))
        self.worker_.link.send(type="recall", seat=0)
        self.assertEqual(self.worker_.link.receive(), {"type": "returned", "seat": 0, "ids": [2, 3, 4]})
        self.worker_.link.send(type="recall", seat=0)
        self.assertEqual(self.worker_.link.receive()["ids"], [])
        self.seat.requests((2, wsgi_head("/ok"), b""))
        self.assertEqual(sorted(self.seat.responses(2)), [1, 2])
        self.seat.requests((5, wsgi_head("/kill"), b""))
        exited = self.front_.exit()
        self.assertEqual((exited["signal"], exited["started"]), (signal.SIGKILL, [6]))

    def test_a_blocked_upload_does_not_stop_a_recall(self):
        self.seat.requests((1, wsgi_head("/echo"), None), (2, wsgi_head("/ok"), b""))
        time.sleep(0.1)
        self.worker_.link.send(type="recall", seat=0)
        self.assertEqual(self.worker_.link.receive()["ids"], [2])
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome()["body"], b"")


class TemplateTest(WsgiCase):
    def test_a_request_by_template_is_the_one_that_defined_it_with_another_target(self):
        head = wsgi_head("/target", RAW_URI="/target", HTTP_X_MARK="kept")
        self.seat.requests((1, head, b"", 1), (2, 1, b"", "/target", "a=b", "/target?a=b"))
        found = self.seat.responses(2)
        first, second = (ast.literal_eval(found[number][2].decode()) for number in (1, 2))
        self.assertEqual(first["QUERY_STRING"], "")
        self.assertEqual(second, {**first, "QUERY_STRING": "a=b", "RAW_URI": "/target?a=b"})
        # What the app does to its environ does not reach the next, nor does a body.
        self.seat.requests((1, 1, b"body", "/echo", "", "/echo"), (2, 1, b"", "/echo", "", "/echo"))
        found = self.seat.responses(2)
        self.assertEqual([found[number][2] for number in (1, 2)], [b"body", b""])

    def test_a_definition_that_is_handed_back_is_remembered(self):
        self.seat.requests((1, wsgi_head("/sleep", QUERY_STRING="0.3"), b""), (2, wsgi_head("/ok"), b"", 1))
        time.sleep(0.1)
        self.worker_.link.send(type="recall", seat=0)
        self.assertEqual(self.worker_.link.receive()["ids"], [2])
        self.seat.requests((3, 1, b"", "/ok", "", "/ok"))
        self.assertEqual(sorted(self.seat.responses(2)), [1, 3])

    def test_old_ones_are_forgotten(self):
        for number in range(1, 601):
            self.seat.requests((1, wsgi_head("/ok"), b"", number))
            self.seat.responses()
        self.seat.requests((1, 600 - 256, b"", "/ok", "", "/ok"))
        self.seat.responses()
        self.seat.requests((1, 1, b"", "/ok", "", "/ok"))
        with self.assertRaises(Closed):
            self.seat.receive()


class EarlyHintsTest(WsgiCase):
    def test_they_leave_before_the_response_and_not_after_it(self):
        self.seat.requests((1, wsgi_head("/hints"), b""))
        kind, arg, payload = self.seat.receive()
        self.assertEqual((kind, arg), (INFORM, 1))
        self.assertEqual(marshal.loads(payload), (103, [("Link", "</a.css>; rel=preload"), ("X-B", "c")]))
        self.assertEqual(self.seat.outcome()["body"], b"hinted")
        self.assertEqual(self.ask("closehint")["status"], "500 Internal Server Error")
        self.assertTrue(self.seat.silent())
        self.assertEqual(self.ask("badhint")["status"], "500 Internal Server Error")
        self.assertIn("has a control character", self.front_.output())


class FileHandedOverTest(WsgiCase):
    """`wsgi.file_wrapper`: the front opens the file by way of the worker's descriptor, and says so."""

    content = bytes(range(256)) * 1200

    def setUp(self):
        super().setUp()
        descriptor, self.path = tempfile.mkstemp()
        self.addCleanup(os.unlink, self.path)
        with open(descriptor, "wb") as file:
            file.write(self.content)

    def wrap(self, form="plain", position=0, length="", path=None, **more):
        return self.ask("wrap", QUERY_STRING=f"{form},{position},{length},{path or self.path}", **more)

    def test_whatever_reads_a_file_as_it_is(self):
        fds = self.ask("fds")["body"]
        for form in ("plain", "raw", "wrapped", "named", "unnamed"):
            with self.subTest(form):
                found = self.wrap(form)
                self.assertEqual((found["end"], found["body"]), ("file", self.content))
                self.assertEqual(found["headers"], [("Content-Length", "307200")])
                self.assertEqual(self.ask("fds")["body"], fds)
        self.assertEqual(self.wrap()["name"], self.path.encode())
        self.assertEqual(self.closed(), "wrapped")

    def test_from_its_position_on(self):
        found = self.wrap(position=1000)
        self.assertEqual((found["end"], found["body"]), ("file", self.content[1000:]))
        self.assertEqual(found["headers"], [("Content-Length", "306200")])

    def test_as_much_as_its_length_says(self):
        found = self.wrap(length=300000)
        self.assertEqual((found["end"], found["headers"]), ("file", [("Content-Length", "300000")]))
        found = self.wrap(length=400000)
        self.assertEqual(found["body"], self.content)
        self.assertEqual(found["end"], "the app sent 92800 bytes fewer than its Content-Length says")

    def test_everything_else_is_read_here(self):
        for form, position in (("memory", 0), ("plain", 307_000), ("plain", 400_000)):
            with self.subTest(form, position=position):
                found = self.wrap(form, position)
                self.assertIn(found["end"], ("end", "complete"))
                self.assertEqual(found["body"], self.content[position:])
        self.assertEqual(self.wrap("text")["end"], "complete")
        self.assertIn("error in the app, GET '/wrap'", self.front_.output())
        with tempfile.NamedTemporaryFile() as packed:
            packed.write(gzip.compress(os.urandom(400_000)))
            packed.flush()
            found = self.wrap("gzip", path=packed.name)
            self.assertEqual((found["end"], len(found["body"])), ("end", 400_000))
        self.assertEqual(self.wrap(REQUEST_METHOD="HEAD")["end"], "end")

    def test_it_is_open_until_the_front_has_it(self):
        fds = self.ask("fds")["body"]
        self.seat.requests((1, wsgi_head("/wrap", QUERY_STRING=f"named,0,,{self.path}"), b""))
        self.assertEqual(self.seat.receive()[0], HEAD)
        kind, _, payload = self.seat.receive()
        self.assertEqual(kind, FILE)
        self.seat.frame(CANCEL, 1)
        self.assertTrue(self.seat.silent())
        path = payload[8:].split(b"\0")[0]
        with open(path, "rb") as file:
            self.assertEqual(file.read(), self.content)
        self.seat.frame(FILE_TAKEN, 1, b"\1")
        self.assertEqual(self.ask("fds")["body"], fds)
        self.assertFalse(os.path.exists(path))

    def test_a_front_that_cannot_open_it_gets_the_bytes(self):
        self.seat.requests((1, wsgi_head("/wrap", QUERY_STRING=f"plain,5,,{self.path}"), b""))
        self.assertEqual([self.seat.receive()[0] for _ in range(2)], [HEAD, FILE])
        self.seat.frame(FILE_TAKEN, 1)
        found = self.seat.outcome()
        self.assertEqual((found["end"], found["body"]), ("end", self.content[5:]))


class FileBodyTest(WsgiCase):
    def test_it_is_a_real_file_that_is_closed_afterwards(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"12345" * 100_000)
            file.flush()
            fds = self.ask("fds")["body"]
            for path in (file.name, f"/proc/{os.getpid()}/fd/{file.fileno()}"):
                self.assertEqual(self.ask("filebody", path)["body"], b"b'123' 500000 BufferedReader True")
            self.assertEqual(self.ask("fds")["body"], fds)
        self.assertEqual(self.ask("filebody", "/nowhere/at/all")["status"], "500 Internal Server Error")
        self.assertIn("cannot open the request's body", self.front_.output())
        self.assertEqual(self.ask("fds")["body"], fds)

    def test_a_client_that_has_left_already(self):
        with tempfile.NamedTemporaryFile() as file:
            both = [(1, wsgi_head("/ok"), b""), (2, wsgi_head("/filebody"), file.name)]
            self.seat.frames((REQUESTS, 0, marshal.dumps(both, 4)), (CANCEL, 2, b""))
            self.assertEqual(self.seat.outcome(2)["end"], "the client is gone")
