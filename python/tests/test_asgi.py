import ast
import os
import struct
import time
from typing import Any, ClassVar

from tests import bodies
from tests.front import (
    ABORT,
    BODY,
    CANCEL,
    CREDIT,
    END,
    HEAD,
    PING,
    PONG,
    RBODY,
    REND,
    RESPONSES,
    FrontCase,
    asgi_head,
)


class AsgiCase(FrontCase):
    app = "asgi_rules:application"
    settings: ClassVar[dict[str, Any]] = {}

    def setUp(self):
        self.front_, self.worker_, self.seat = self.worker(
            self.app, loop=os.environ.get("TEST_LOOP", "asyncio"), **self.settings
        )

    def ask(self, path, body=b"", **more):
        self.seat.requests((1, asgi_head("/" + path, **more), body))
        return self.seat.outcome()

    def seen(self):
        """What the app noted down; the task may still be at it when its response is here."""
        for _ in range(50):
            text = self.ask("seen")["body"].decode()
            if text:
                return text
            time.sleep(0.02)
        return ""


class TemplateTest(AsgiCase):
    def test_a_request_by_template_has_a_scope_of_its_own(self):
        mark = [(b"host", b"localhost"), (b"x-mark", b"1")]
        self.seat.requests((1, asgi_head("/spoil", headers=mark), b"", 1))
        self.seat.outcome()
        for number in (2, 3):
            self.seat.requests((number, 1, b"", "/spoil", b"q=%d" % number, b"/spoil"))
            scope = ast.literal_eval(self.seat.outcome(number)["body"].decode())
            self.assertEqual(scope["headers"], mark)
            self.assertEqual(scope["query_string"], b"q=%d" % number)
            self.assertEqual(scope["raw_path"], b"/spoil")
            self.assertEqual(scope["client"], ("127.0.0.1", 1234))
            self.assertEqual(scope["state"], {"from": "lifespan"})


class ScopeTest(AsgiCase):
    def test_the_scope_is_asgi_3s(self):
        expected = {
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "client": ("127.0.0.1", 1234),
            "extensions": {
                "http.response.pathsend": {},
                "http.response.trailers": {},
                "http.response.early_hint": {},
                "maitred.extend_deadline": {},
            },
            "headers": [(b"host", b"localhost")],
            "http_version": "1.1",
            "method": "GET",
            "path": "/scope",
            "query_string": b"q",
            "raw_path": b"/scope",
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "state": {"from": "lifespan"},
            "type": "http",
        }
        self.assertEqual(self.ask("scope", query_string=b"q")["body"].decode(), repr(expected))
        self.assertIn("'http_version': '2'", self.ask("scope", http_version="2")["body"].decode())

    def test_each_request_has_its_own_copy_of_the_state(self):
        for _ in range(2):
            self.assertEqual(self.ask("state")["body"].decode(), "{'from': 'lifespan'}")

    def test_tasks_know_themselves_and_have_their_own_context(self):
        for _ in range(2):
            self.assertEqual(self.ask("task")["body"], b"True True unset")


class RootPathTest(AsgiCase):
    settings = {"asgi": {"server": ["127.0.0.1", 80], "scheme": "http", "root_path": "/mount"}}

    def test_the_path_is_the_whole_path_as_in_uvicorn(self):
        text = self.ask("scope")["body"].decode()
        self.assertIn("'path': '/mount/scope'", text)
        self.assertIn("'raw_path': b'/mount/scope'", text)
        self.assertIn("'root_path': '/mount'", text)


class ResponseTest(AsgiCase):
    def test_start_and_one_body_are_one_item(self):
        found = self.ask("ok")
        self.assertEqual(
            (found["status"], found["headers"], found["body"], found["end"], found["frames"]),
            (200, [(b"content-type", b"text/plain"), (b"content-length", b"2")], b"ok", "complete", []),
        )

    def test_requests_run_at_once_and_each_is_answered_when_it_is_done(self):
        self.seat.requests((1, asgi_head("/sleep"), b""), (2, asgi_head("/ok"), b""), (3, asgi_head("/sleep"), b""))
        self.assertEqual(list(self.seat.responses(1)), [2])
        self.assertEqual(sorted(self.seat.responses(2)), [1, 3])

    def test_a_stream(self):
        found = self.ask("stream")
        self.assertEqual((found["frames"], found["body"], found["end"]), ([HEAD, RBODY, RBODY, REND], b"ab", "end"))

    def test_a_chunk_leaves_before_the_next_is_there(self):
        self.seat.requests((1, asgi_head("/gated"), b""))
        began = time.monotonic()
        self.assertEqual((self.seat.receive()[0], self.seat.receive()), (HEAD, (RBODY, 1, b"first")))
        self.assertLess(time.monotonic() - began, 0.25)
        self.assertEqual(self.seat.outcome()["body"], b"second")

    def test_a_long_body_waits_for_credit(self):
        self.seat.requests((1, asgi_head("/big"), b""))
        self.assertEqual(self.seat.receive()[0], HEAD)
        body = b""
        while len(body) < 1_048_576:
            kind, _, payload = self.seat.receive()
            self.assertEqual((kind, len(payload) <= 262_144), (RBODY, True))
            body += payload
        self.assertTrue(self.seat.silent())
        self.seat.requests((2, asgi_head("/ok"), b""))
        self.assertEqual(self.seat.responses()[2][2], b"ok")
        self.seat.frame(CREDIT, 1, struct.pack("<I", 10_000_000))
        found = self.seat.outcome(grant=False)
        self.assertEqual((body + found["body"], found["end"]), (bytes(range(256)) * 12_000, "end"))

    def test_background_work_does_not_hold_the_id(self):
        self.assertEqual(self.ask("background")["body"], b"first")
        self.assertEqual(self.ask("echo", b"same id")["body"], b"same id")
        time.sleep(0.4)
        self.assertEqual(self.seen(), "background")

    def test_subclasses_and_other_iterables_are_made_exact(self):
        found = self.ask("subclass")
        self.assertEqual((found["status"], found["headers"], found["body"]), (201, [(b"x-a", b"b")], b"array"))

    def test_hop_by_hop_headers_are_dropped(self):
        headers = [(b"Connection", b"keep-alive"), (b"x-a", b"1"), (b"transfer-encoding", b"chunked")]
        for _ in range(2):
            self.assertEqual(self.ask("header", query_string=repr(headers).encode())["headers"], [(b"x-a", b"1")])

    def test_head_and_304_may_declare_a_length_without_a_body(self):
        self.assertEqual(self.ask("notmodified")["end"], "complete")
        self.assertEqual(self.ask("short", method="HEAD")["end"], "complete")

    def test_ping_is_answered_by_the_loop(self):
        self.seat.frame(PING, 77)
        self.assertEqual(self.seat.receive(), (PONG, 77, b""))


class ReceiveTest(bodies.StreamedBodyRules, AsgiCase):
    counts = "/count"

    def head(self, path):
        return asgi_head(path)

    def test_a_complete_and_a_streamed_body(self):
        self.assertEqual(self.ask("echo", b"hello")["body"], b"hello")
        self.seat.requests((1, asgi_head("/echo"), None))
        for piece in (b"a", b"b"):
            self.seat.frame(BODY, 1, piece)
        self.seat.frame(END, 1)
        self.assertEqual(self.seat.outcome()["body"], b"ab")

    def test_cancel_is_a_disconnect_at_once_and_send_raises_oserror_then(self):
        self.seat.requests((1, asgi_head("/disconnect"), b""))
        self.assertTrue(self.seat.silent())
        self.seat.frame(CANCEL, 1)
        self.assertEqual(self.seat.outcome()["end"], "the client is gone")
        self.assertEqual(self.seen(), "http.disconnect ClientDisconnected http.disconnect")
        self.assertEqual(self.front_.output(), "")

    def test_a_request_whose_client_left_while_the_loop_was_busy_never_reaches_the_app(self):
        self.seat.requests((1, asgi_head("/hold_loop"), b""))
        self.assertTrue(self.seat.silent())
        self.seat.requests(
            (2, asgi_head("/note", query_string=b"gone"), b""), (3, asgi_head("/note", query_string=b"here"), b"")
        )
        self.seat.frame(CANCEL, 2)
        self.assertEqual(self.seat.outcome(1)["body"], b"held")
        self.assertEqual(self.seat.outcome(2)["end"], "the client is gone")
        self.assertEqual(self.seat.outcome(3)["body"], b"noted")
        self.assertEqual(self.seen(), "held noted here")
        self.assertEqual(self.front_.output(), "")

    def test_cancel_wakes_a_stream_that_waits_for_credit(self):
        self.seat.requests((1, asgi_head("/bigstream"), b""))
        self.assertEqual(self.seat.receive()[0], HEAD)
        time.sleep(0.1)
        self.seat.frame(CANCEL, 1)
        self.assertEqual(self.seat.outcome(grant=False)["end"], "the client is gone")
        self.assertEqual(self.seen(), "ClientDisconnected")
        self.assertEqual(self.front_.output(), "")

    def test_after_the_response_receive_disconnects_and_send_is_an_error(self):
        self.assertEqual(self.ask("after")["body"], b"answered")
        self.assertEqual(
            self.seen(),
            "http.disconnect http.disconnect unexpected ASGI message 'http.response.body' after the response was completed",
        )


class ErrorTest(AsgiCase):
    def assert500(self, path, logged, **more):
        found = self.ask(path, **more)
        self.assertEqual((found["status"], found["body"], found["end"]), (500, b"Internal Server Error", "complete"))
        output = self.front_.output()
        self.assertIn(logged, output)
        self.assertNotIn("maitred/worker/", output)

    def test_whatever_the_app_raises_before_the_head_has_left_is_a_500(self):
        self.assert500("raise", "LookupError: before the head")
        self.assert500("raisestarted", "LookupError")
        self.assert500("exit", "SystemExit: 5")
        self.assert500("interrupt", "KeyboardInterrupt")
        self.assert500("cancel", "CancelledError")
        self.assert500("return", "returned without completing")
        self.assert500("returnstarted", "returned without completing")
        self.assert500("bodyfirst", "expected ASGI message 'http.response.start', but got 'http.response.body'")
        self.assert500("starttwice", "expected ASGI message 'http.response.body', but got 'http.response.start'")
        self.assert500("unknown", "but got 'http.response.debug'")
        self.assert500("str", "body must be bytes, not str")
        self.assert500("long", "longer than its Content-Length, 3")
        self.assertEqual(self.ask("ok")["body"], b"ok")

    def test_after_the_head_it_is_an_abort(self):
        self.assertEqual(self.ask("raiselate")["end"], "the app raised LookupError")
        self.assertEqual(self.ask("returnlate")["end"], "the app returned without completing its response")
        found = self.ask("short")
        self.assertEqual((found["frames"], found["body"]), ([HEAD, RBODY, ABORT], b"12345"))

    def test_after_the_response_it_is_logged_only(self):
        self.assertEqual(self.ask("raisedone")["body"], b"fine")
        self.assertIn("LookupError: after the response", self.front_.output())

    def test_headers_and_status_that_cannot_be_sent_are_named(self):
        for headers, logged in (
            ([(b"x-a", b"b\r\nevil: 1")], "'x-a' has a control character"),
            ([(b"x a", b"b")], "not a token"),
            ([("x-a", "b")], "must be bytes"),
            ([b"x-a"], "pair of bytes"),
            ([(b"content-length", b"8"), (b"content-length", b"8")], "more than once"),
        ):
            self.assert500("header", logged, query_string=repr(headers).encode())
        for status in ("100", "'200 OK'", "None", "20"):
            self.assert500("status", "status", query_string=status.encode())


class LifespanTest(FrontCase):
    def test_shutdown_runs_after_the_last_request(self):
        front, worker, seat = self.worker("asgi_rules:application")
        seat.requests((1, asgi_head("/sleep"), b""))
        time.sleep(0.05)
        seat.socket.shutdown(1)
        self.assertEqual(seat.outcome()["body"], b"slept")
        self.assertEqual(front.exit()["code"], 0)
        self.assertEqual(front.output(), "shutdown ran\n")

    def test_an_app_without_lifespan_is_served_unless_it_is_on(self):
        front, worker, seat = self.worker("asgi_rules:unsupported")
        seat.requests((1, asgi_head("/x"), b""))
        self.assertEqual(seat.outcome()["body"], b"{}")
        self.assertEqual(front.output(), "")
        failed = self.front("asgi_rules:unsupported", lifespan="on").fork()
        self.assertEqual((failed["type"], failed["kind"]), ("failed", "boot"))
        self.assertIn("lifespan startup raised AssertionError", failed["message"])
        self.assertIn('assert scope["type"] == "http"', failed["traceback"])

    def test_startup_failed_is_a_failed_boot(self):
        front = self.front("asgi_rules:failing")
        self.assertEqual(front.fork()["message"], "lifespan startup failed: no database")
        self.assertEqual(front.exit()["code"], 3)

    def test_off_never_calls_it(self):
        self.worker("asgi_rules:failing", lifespan="off")

    def test_a_broken_shutdown_is_logged(self):
        for app, text in (
            ("bad_shutdown", "ValueError: broken shutdown"),
            ("failed_shutdown", "shutdown failed: will not close"),
        ):
            front, worker, seat = self.worker("asgi_rules:" + app)
            worker.close()
            self.assertEqual(front.exit()["code"], 0)
            self.assertIn(text, front.output())

    def test_uvloop_asked_for_and_missing_is_said(self):
        try:
            import uvloop  # noqa: F401
        except ImportError:
            self.assertIn("pip install uvloop", self.front("hello:asgi", loop="uvloop").fork()["message"])
        else:
            self.assertEqual(self.worker("hello:asgi", loop="uvloop")[1].ready["loop"], "uvloop")


class RecallTest(AsgiCase):
    def test_everything_has_started_so_nothing_comes_back(self):
        self.seat.requests((1, asgi_head("/sleep"), b""))
        self.worker_.link.send(type="recall", seat=0)
        self.assertEqual(self.worker_.link.receive(), {"type": "returned", "seat": 0, "ids": []})
        self.assertEqual(self.seat.receive()[0], RESPONSES)
