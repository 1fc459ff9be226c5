import marshal
import struct
import time

from tests.front import (
    ABORT,
    CANCEL,
    CREDIT,
    PING,
    PONG,
    RCREDIT,
    REND,
    WS_ACCEPT,
    WS_BINARY,
    WS_CLOSE,
    WS_CLOSED,
    WS_PART,
    WS_RBINARY,
    WS_RBINARY_PART,
    WS_RTEXT,
    WS_TEXT,
    asgi_head,
    websocket_head,
)
from tests.test_asgi import AsgiCase

WINDOW = 262_144


class WebSocketCase(AsgiCase):
    def begin(self, path, request_id=1, **more):
        self.seat.requests((request_id, websocket_head("/" + path, **more), False))

    def open(self, path, request_id=1, **more):
        """Handshake; (subprotocol, headers)"""
        self.begin(path, request_id, **more)
        kind, arg, payload = self.seat.receive()
        self.assertEqual((kind, arg), (WS_ACCEPT, request_id))
        return marshal.loads(payload)

    def gone(self, code, reason=b"", request_id=1):
        self.seat.frame(WS_CLOSED, request_id, struct.pack("<H", code) + reason)

    def grant(self, count, request_id=1):
        self.seat.frame(CREDIT, request_id, struct.pack("<I", count))

    def seen(self):
        """As AsgiCase.seen, with an id of its own."""
        for _ in range(50):
            self.seat.requests((9, asgi_head("/seen"), b""))
            text = self.seat.outcome(9)["body"].decode()
            if text:
                return text
            time.sleep(0.02)
        return ""


class HandshakeTest(WebSocketCase):
    def test_the_scope_is_asgi_3s(self):
        self.begin("wsscope", subprotocols=["a", "b"], scheme="wss")
        kind, arg, payload = self.seat.receive()
        self.assertEqual((kind, marshal.loads(payload)), (WS_ACCEPT, ("b", [(b"x-a", b"1")])))
        kind, arg, payload = self.seat.receive()
        expected = {
            "asgi": {"version": "3.0", "spec_version": "2.5"},
            "client": ("127.0.0.1", 1234),
            "extensions": {"websocket.http.response": {}},
            "headers": [(b"host", b"localhost")],
            "http_version": "1.1",
            "path": "/wsscope",
            "query_string": b"",
            "raw_path": b"/wsscope",
            "root_path": "",
            "scheme": "wss",
            "server": ("127.0.0.1", 80),
            "state": {"from": "lifespan"},
            "subprotocols": ["a", "b"],
            "type": "websocket",
        }
        self.assertEqual((kind, payload.decode()), (WS_RTEXT, repr(expected)))
        self.assertEqual(self.seat.receive(), (REND, 1, b""))

    def test_close_before_accept_is_a_403(self):
        self.begin("wsreject")
        found = self.seat.outcome()
        self.assertEqual((found["status"], found["body"], found["end"]), (403, b"", "complete"))
        self.assertEqual(
            self.seen(),
            "{'type': 'websocket.disconnect', 'code': 1006, 'reason': ''} "
            "unexpected ASGI message 'websocket.accept' after the WebSocket was closed",
        )
        self.assertTrue(self.seat.silent())

    def test_the_apps_own_refusal(self):
        self.begin("wsdeny")
        found = self.seat.outcome()
        self.assertEqual(
            (found["status"], found["headers"], found["body"], found["end"]),
            (401, [(b"x-why", b"secret")], b"who are you?", "end"),
        )
        self.assertEqual(self.seen(), "{'type': 'websocket.disconnect', 'code': 1006, 'reason': ''}")
        self.begin("wsdenyhalf")
        self.assertEqual(self.seat.outcome()["end"], "the app returned without completing its response")

    def test_no_answer_is_a_500(self):
        self.begin("wsreturn")
        self.assertEqual(self.seat.outcome()["status"], 500)
        self.begin("wsraise")
        self.assertEqual(self.seat.outcome()["status"], 500)
        output = self.front_.output()
        self.assertIn("without answering the handshake, WebSocket '/wsreturn'", output)
        self.assertIn("LookupError: in a WebSocket", output)

    def test_a_client_that_leaves_before_the_answer(self):
        self.begin("wswait")
        self.seat.frame(CANCEL, 1)
        self.assertEqual(self.seat.outcome()["end"], "the client is gone")
        seen = self.seen()
        self.assertIn("'websocket.disconnect', 'code': 1006", seen)
        self.assertTrue(seen.endswith("ClientDisconnected"))
        self.assertEqual(self.front_.output(), "")

    def test_wrong_messages_are_named(self):
        for text, error in (
            ("{'type': 'websocket.send', 'text': 'a'}", "RuntimeError: expected ASGI message 'websocket.accept'"),
            ("!{'type': 'websocket.accept'}", "RuntimeError: expected ASGI message 'websocket.send' or"),
            ("!{'type': 'websocket.send'}", "TypeError: websocket.send needs bytes or a text that is str"),
            ("!{'type': 'websocket.send', 'text': b'a'}", "TypeError: websocket.send needs"),
            ("!{'type': 'websocket.send', 'bytes': 'a'}", "TypeError: the bytes of websocket.send must be bytes"),
            (
                "!{'type': 'websocket.close', 'code': 1006}",
                "ValueError: a WebSocket cannot be closed with the code 1006",
            ),
            ("!{'type': 'websocket.close', 'reason': 5}", "TypeError: reason must be str"),
            ("{'type': 'websocket.accept', 'subprotocol': 5}", "TypeError: subprotocol must be str or None, not int"),
            ("{'type': 'websocket.accept', 'subprotocol': 'a\\r\\nb'}", "HeaderError: value of response header"),
            ("{'type': 'websocket.accept', 'headers': [(b'a b', b'')]}", "HeaderError: response header name"),
            (
                "{'type': 'websocket.accept', 'headers': [(b'Sec-WebSocket-Protocol', b'a')]}",
                "HeaderError: websocket.accept names the subprotocol by its key",
            ),
        ):
            with self.subTest(text):
                self.begin("wswrong", query_string=text.encode())
                if text.startswith("!"):
                    self.assertEqual(self.seat.receive()[0], WS_ACCEPT)
                    self.assertEqual(self.seat.receive()[0], ABORT)
                else:
                    self.assertEqual(self.seat.outcome()["status"], 500)
                self.assertIn(error, self.seen())


class MessageTest(WebSocketCase):
    def test_text_bytes_and_parts_are_echoed(self):
        self.assertEqual(self.open("ws"), (None, []))
        self.seat.frame(WS_TEXT, 1, "gr\xfc\xdfe".encode())
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 1, "gr\xfc\xdfe".encode()))
        self.seat.frame(WS_BINARY, 1, b"\0\xff")
        self.assertEqual(self.seat.receive(), (WS_RBINARY, 1, b"\0\xff"))
        euro = "\u20ac".encode()
        self.seat.frame(WS_PART, 1, b"a" + euro[:1])
        self.seat.frame(WS_PART, 1, euro[1:2])
        self.seat.frame(WS_TEXT, 1, euro[2:] + b"b")
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 1, b"a" + euro + b"b"))
        self.seat.frame(WS_TEXT, 1)
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 1, b""))
        self.gone(1001, "tsch\xfcss".encode())
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        self.assertTrue(self.seen().endswith("{'type': 'websocket.disconnect', 'code': 1001, 'reason': 'tsch\xfcss'}"))

    def test_many_messages_keep_their_order(self):
        self.open("ws")
        data = b"".join(struct.pack("<II", 5, WS_TEXT | 1 << 8) + b"%05d" % n for n in range(5000))
        self.seat.socket.sendall(data)
        for n in range(5000):
            kind, _, payload = self.seat.receive()
            while kind == RCREDIT:
                kind, _, payload = self.seat.receive()
            self.assertEqual((kind, payload), (WS_RTEXT, b"%05d" % n))

    def test_two_websockets_and_a_request_at_once(self):
        self.open("ws", 1)
        self.open("ws", 2)
        self.seat.frame(WS_TEXT, 2, b"two")
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 2, b"two"))
        self.seat.requests((3, asgi_head("/ok"), b""))
        self.assertEqual(self.seat.outcome(3)["body"], b"ok")
        self.seat.frame(WS_TEXT, 1, b"one")
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 1, b"one"))

    def test_the_apps_close_has_code_and_reason(self):
        self.open("wsclose")
        self.assertEqual(self.seat.receive(), (WS_RBINARY, 1, b"last words"))
        self.assertEqual(self.seat.receive(), (WS_CLOSE, 1, struct.pack("<H", 4001) + "\xe9".encode() * 61))
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        self.assertIn("'websocket.disconnect', 'code': 4001", self.seen())

    def test_returning_and_raising_after_accept(self):
        self.open("wsreturn", query_string=b"after")
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        self.open("wsraise", query_string=b"after")
        self.assertEqual(self.seat.receive(), (ABORT, 1, b"the app raised LookupError"))
        self.assertIn("LookupError: in a WebSocket", self.front_.output())

    def test_what_the_client_said_before_it_left_is_received_and_send_raises_oserror_then(self):
        self.open("wsgone")
        self.seat.frame(WS_TEXT, 1, b"a")
        self.seat.frame(WS_TEXT, 1, b"b")
        self.gone(1006)
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        seen = self.seen()
        self.assertIn("'b'}, {'type': 'websocket.disconnect', 'code': 1006", seen)
        self.assertTrue(seen.endswith("ClientDisconnected"))
        self.assertEqual(self.front_.output(), "")


class CreditTest(WebSocketCase):
    def test_a_big_message_leaves_in_parts_as_far_as_the_credit_goes(self):
        self.open("wsbig")
        data = b""
        while len(data) < 1_048_576:
            kind, _, payload = self.seat.receive()
            self.assertEqual((kind, len(payload) <= WINDOW), (WS_RBINARY_PART, True))
            data += payload
        self.assertTrue(self.seat.silent())
        self.seat.frame(PING, 7)
        self.assertEqual(self.seat.receive(), (PONG, 7, b""))
        self.grant(10_000_000)
        while kind == WS_RBINARY_PART:
            kind, _, payload = self.seat.receive()
            data += payload
        self.assertEqual((kind, data), (WS_RBINARY, bytes(range(256)) * 12_000))
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 1, b"done"))

    def test_a_client_that_leaves_frees_a_send_that_waits(self):
        self.open("wsbig")
        while not self.seat.silent():
            self.seat.receive()
        self.gone(1006)
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        self.assertEqual(self.front_.output(), "")

    def test_a_message_given_up_halfway_is_completed_and_one_not_begun_is_not_sent(self):
        self.open("wstimeout")
        data = b""
        while len(data) < 1_048_576:
            kind, _, payload = self.seat.receive()
            data += payload
        self.seat.frame(WS_TEXT, 1, b"give up")
        self.assertEqual(self.seen(), "given up")
        self.grant(10_000_000)
        while kind == WS_RBINARY_PART:
            kind, _, payload = self.seat.receive()
            data += payload
        self.assertEqual((kind, len(data)), (WS_RBINARY, 2_000_000))
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 1, b"after"))

    def test_a_message_may_be_longer_than_the_credit(self):
        self.open("ws")
        part, credit, sent = b"x" * 100_000, WINDOW, 0
        while sent < 3_000_000:
            while credit <= 0:
                kind, _, payload = self.seat.receive()
                self.assertEqual(kind, RCREDIT)
                credit += struct.unpack("<I", payload)[0]
            self.seat.frame(WS_PART, 1, part)
            credit, sent = credit - len(part), sent + len(part)
        self.seat.frame(WS_BINARY, 1, b"end")
        data = b""
        while True:
            kind, _, payload = self.seat.receive()
            if kind == RCREDIT:
                continue
            data += payload
            self.grant(len(payload))
            if kind == WS_RBINARY:
                break
        self.assertEqual(len(data), 3_000_003)

    def test_what_the_app_does_not_take_is_not_granted(self):
        self.open("wssleep", query_string=b"0.6")
        for _ in range(8):
            self.seat.frame(WS_PART, 1, b"x" * 32_000)
            self.seat.frame(WS_TEXT, 1, b"y")
        granted = 0
        while not self.seat.silent(0.2):
            granted += struct.unpack("<I", self.seat.receive()[2])[0]
        self.assertLessEqual(granted, 32_001)
        time.sleep(0.5)
        while not self.seat.silent(0.2):
            granted += struct.unpack("<I", self.seat.receive()[2])[0]
        self.assertGreater(granted, 8 * 32_001 - WINDOW // 2)

    def test_an_empty_message_counts_64_bytes_in_both_directions(self):
        self.open("wssleep", query_string=b"0.5")
        self.seat.socket.sendall(struct.pack("<II", 0, WS_TEXT | 1 << 8) * 4096)
        self.assertTrue(self.seat.silent(0.2))
        granted = 0
        while granted <= WINDOW // 2:
            kind, _, payload = self.seat.receive()
            self.assertEqual(kind, RCREDIT)
            granted += struct.unpack("<I", payload)[0]
        self.gone(1000)
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        self.open("wsflood", 2)
        for _ in range(1_048_576 // 64):
            self.assertEqual(self.seat.receive(), (WS_RTEXT, 2, b""))
        self.assertTrue(self.seat.silent(0.2))
        self.grant(1, 2)
        self.assertEqual(self.seat.receive(), (WS_RTEXT, 2, b""))
        self.assertTrue(self.seat.silent(0.2))

    def test_an_app_that_only_sends_leaves_others_their_turn(self):
        self.open("wsflood")
        self.seat.frame(PING, 7)
        self.seat.requests((2, asgi_head("/ok"), b""))
        found: set[int] = set()
        while len(found) < 2:
            kind, _, _ = self.seat.receive()
            if kind not in (WS_RTEXT,):
                found.add(kind)
        self.gone(1006)
        while kind != REND:
            kind, _, _ = self.seat.receive()


class EndTest(WebSocketCase):
    def test_end_of_file_is_a_service_restart_before_lifespan_shutdown(self):
        self.open("wssleep", query_string=b"0")
        self.seat.frame(WS_TEXT, 1, b"a")
        self.seat.socket.shutdown(1)
        self.assertEqual(self.seat.receive(), (REND, 1, b""))
        self.assertEqual(self.front_.exit()["code"], 0)
        self.assertEqual(self.front_.output(), "drained 1012 1\nshutdown ran\n")

    def test_a_lost_front_ends_it_too(self):
        self.open("wssleep", query_string=b"0")
        self.seat.close()
        self.assertEqual(self.front_.exit()["code"], 0)
        self.assertIn("drained", self.front_.output())
