import json
import random
import struct
import unittest
from http import HTTPStatus
from marshal import loads

from maitred.worker import wire

from tests import vectors

NAMES_TO_WORKER = {
    "REQUESTS": wire.REQUESTS,
    "BODY": wire.BODY,
    "END": wire.END,
    "CANCEL": wire.CANCEL,
    "CREDIT": wire.CREDIT,
    "PING": wire.PING,
    "WS_TEXT": wire.WS_TEXT,
    "WS_BINARY": wire.WS_BINARY,
    "WS_PART": wire.WS_PART,
    "WS_CLOSED": wire.WS_CLOSED,
}


def bytes_of(value):
    return bytes.fromhex(value["bytes"])


def described(value):
    """Python's value as `meaning` writes it, refusing types that are not exact."""
    if type(value) is bytes:
        return {"bytes": value.hex()}
    if type(value) in (list, tuple):
        return [described(item) for item in value]
    if type(value) is dict:
        return {key: described(item) for key, item in value.items()}
    assert value is None or type(value) in (str, int, bool), type(value)
    return value


def decode(frame):
    kind, arg, payload = frame
    (name,) = (name for name, number in NAMES_TO_WORKER.items() if number == kind)
    if name == "REQUESTS":
        requests = loads(payload)
        assert all(type(request) is tuple for request in requests)
        return {
            "type": name,
            "requests": [
                {"id": number, "head": described(head), "body": described(body)} for number, head, body in requests
            ],
        }
    if name == "PING":
        return {"type": name, "arg": arg}
    if name == "WS_CLOSED":
        code, reason = wire.close_of(payload)
        return {"type": name, "id": arg, "code": code, "reason": reason}
    if name in ("BODY", "WS_TEXT", "WS_BINARY", "WS_PART"):
        return {"type": name, "id": arg, "data": {"bytes": bytes(payload).hex()}}
    if name == "CREDIT":
        return {"type": name, "id": arg, "count": wire.credit_of(payload)}
    if name == "CANCEL" and payload:
        return {"type": name, "id": arg, "cause": {wire.TIME_IS_UP: 1, wire.HALF_CLOSED: 2}[bytes(payload)]}
    assert not payload
    return {"type": name, "id": arg}


def headers_of(pairs):
    return [tuple(bytes_of(part) if type(part) is dict else part for part in pair) for pair in pairs]


def encode(meaning):
    kind = meaning["type"]
    if kind in ("RESPONSES", "RESPONSES_BUSY"):
        responses = [
            (one["id"], one["status"], headers_of(one["headers"]), bytes_of(one["body"]))
            for one in meaning["responses"]
        ]
        number = wire.RESPONSES if kind == "RESPONSES" else wire.RESPONSES_BUSY
        seconds = 99.0 if meaning["microseconds"] == wire.MAX_ARG else (meaning["microseconds"] + 0.5) / 1e6
        return wire.encode_responses(responses, number, seconds)
    if kind in ("HEAD", "INFORM"):
        number = wire.HEAD if kind == "HEAD" else wire.INFORM
        return wire.encode_head(meaning["id"], meaning["status"], headers_of(meaning["headers"]), number)
    if kind == "END":
        return wire.encode_end(meaning["id"], headers_of(meaning.get("trailers", ())))
    if kind == "FILE":
        return wire.frame(wire.FILE, meaning["id"], meaning["path"].encode())
    if kind == "WS_ACCEPT":
        return wire.encode_accept(meaning["id"], meaning["subprotocol"], headers_of(meaning["headers"]))
    if kind == "WS_CLOSE":
        return wire.encode_close(meaning["id"], meaning["code"], meaning["reason"].encode())
    if kind == "WS_BINARY_PART":
        return wire.frame(wire.WS_BINARY_PART, meaning["id"], bytes_of(meaning["data"]))
    if kind.startswith("WS_"):
        return wire.frame(NAMES_TO_WORKER[kind] + wire.TO_FRONT, meaning["id"], bytes_of(meaning["data"]))
    if kind == "CREDIT":
        return wire.credit_frame(meaning["id"], meaning["count"])
    if kind == "EXTEND":
        return wire.extend_frame(meaning["id"], meaning["count"] / 1000)
    if kind == "BODY":
        return wire.frame(wire.RESPONSE_BODY, meaning["id"], bytes_of(meaning["data"]))
    if kind == "ABORT":
        return wire.frame(wire.ABORT, meaning["id"], meaning["reason"].encode())
    number = {"IDLE": wire.IDLE, "PONG": wire.PONG}[kind]
    return wire.frame(number, meaning.get("id", meaning.get("arg", 0)))


#: Frames whose payload is marshalled.
MARSHALLED = {"RESPONSES", "RESPONSES_BUSY", "HEAD", "INFORM", "END", "WS_ACCEPT"}


class VectorTest(unittest.TestCase):
    def setUp(self):
        with open(vectors.PATH) as file:
            self.text = file.read()
        self.vectors = json.loads(self.text)

    def test_the_file_is_fresh(self):
        self.assertEqual(self.text, vectors.text(), "run PYTHON -m tests.vectors in python/")

    def test_what_the_front_sends_is_understood(self):
        for vector in self.vectors:
            if vector["direction"] == "front-to-worker":
                with self.subTest(vector["name"]):
                    (frame,) = wire.FrameReader().feed(bytes.fromhex(vector["hex"]))
                    self.assertEqual(decode(frame), vector["meaning"])

    def test_what_we_send_is_what_was_agreed(self):
        for vector in self.vectors:
            if vector["direction"] == "worker-to-front":
                with self.subTest(vector["name"]):
                    sent, agreed = encode(vector["meaning"]), bytes.fromhex(vector["hex"])
                    if (
                        len(agreed) > 8 and vector["meaning"]["type"] in MARSHALLED
                    ):  # Where the references are hangs on the interpreter.
                        self.assertEqual(sent[4:8], agreed[4:8])
                        self.assertEqual(len(sent) - 8, int.from_bytes(sent[:4], "little"))
                        self.assertEqual(loads(sent[8:]), loads(agreed[8:]))
                    else:
                        self.assertEqual(sent.hex(), vector["hex"])

    def test_every_frame_type_has_a_vector(self):
        kinds = {(vector["direction"], int(vector["hex"][8:10], 16)) for vector in self.vectors}
        expected = {("front-to-worker", kind) for kind in (*range(1, 7), *range(0x10, 0x14))} | {
            ("worker-to-front", kind) for kind in (*range(0x41, 0x4D), *range(0x50, 0x56))
        }
        self.assertEqual(kinds, expected)


class FrameReaderTest(unittest.TestCase):
    def test_any_split_of_the_bytes_gives_the_same_frames(self):
        rng = random.Random(1)
        frames = [
            (rng.randrange(1, 7), rng.randrange(1 << 24), rng.randbytes(rng.choice((0, 1, 8, 300, 70_000))))
            for _ in range(60)
        ]
        data = b"".join(wire.frame(*frame) for frame in frames)
        for size in (1, 7, 8, 9, 4096, len(data)):
            reader, found = wire.FrameReader(), []
            for start in range(0, len(data), size) if size > 1 else range(5000):
                found += [(kind, arg, bytes(payload)) for kind, arg, payload in reader.feed(data[start : start + size])]
            self.assertEqual(found, frames[: len(found)])
            if size > 1:
                self.assertEqual(len(found), len(frames))

    def test_a_frame_longer_than_the_protocol_allows_is_refused(self):
        with self.assertRaises(wire.WireError):
            wire.FrameReader().feed(struct.pack("<II", wire.MAX_PAYLOAD + 1, 2))


class Text(str):
    def __str__(self):
        return self


class EncodeTest(unittest.TestCase):
    def test_subclasses_become_exact(self):
        data = wire.encode_responses(
            [(1, HTTPStatus.OK, [(Text("a"), Text("b"))], b""), (2, Text("200 OK"), [], b"")], wire.RESPONSES, 0
        )
        self.assertEqual(loads(data[8:]), [(1, 200, [("a", "b")], b""), (2, "200 OK", [], b"")])

    def test_batches_beyond_the_largest_payload_leave_in_several_frames(self):
        data = wire.encode_responses([(n, 200, [], b"x" * 65_536) for n in range(600)], wire.RESPONSES, 0.001)
        found = [response for _, _, payload in wire.FrameReader().feed(data) for response in loads(payload)]
        self.assertEqual([response[0] for response in found], list(range(600)))
