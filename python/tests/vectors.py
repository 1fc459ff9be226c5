"""Makes src/wire/vectors.json: `PYTHON -m tests.vectors` from python/. The front's bytes are written by hand here, not by marshal.

In `meaning`, bytes are {"bytes": hex} and both tuples and lists are JSON arrays; PROTOCOL.md says which is which.
"""

import json
import os
import struct

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "wire", "vectors.json")


# Values in marshal's codes, as the front writes them (PROTOCOL.md, "Marshal").


def z(text):
    return b"z" + bytes((len(text),)) + text.encode("ascii")


def interned(text):
    return b"Z" + bytes((len(text),)) + text.encode("ascii")


def a(text):
    return b"a" + struct.pack("<i", len(text)) + text.encode("ascii")


def interned_long(text):
    return b"A" + struct.pack("<i", len(text)) + text.encode("ascii")


def u(text):
    data = text.encode("utf-8")
    return b"u" + struct.pack("<i", len(data)) + data


def s(data):
    return b"s" + struct.pack("<i", len(data)) + data


def i(number):
    return b"i" + struct.pack("<i", number)


def tup(*items):
    return b")" + bytes((len(items),)) + b"".join(items)


def lst(*items):
    return b"[" + struct.pack("<i", len(items)) + b"".join(items)


def dct(*pairs):
    return b"{" + b"".join(key + value for key, value in pairs) + b"0"


NONE, TRUE, FALSE = b"N", b"T", b"F"


# The same by version 2, as the worker writes them.


def tup2(*items):
    return b"(" + struct.pack("<i", len(items)) + b"".join(items)


def frame(kind, arg, payload=b""):
    return struct.pack("<I", len(payload)) + bytes((kind,)) + struct.pack("<I", arg)[:3] + payload


def data(value):
    return {"bytes": value.hex()}


LONG = "/" + "x" * 300


def to_worker():
    yield (
        "REQUESTS, WSGI, one without a body",
        frame(
            1, 0, lst(tup(i(1), dct((interned("REQUEST_METHOD"), z("GET")), (interned("PATH_INFO"), z("/"))), s(b"")))
        ),
        {
            "type": "REQUESTS",
            "requests": [{"id": 1, "head": {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, "body": data(b"")}],
        },
    )
    yield (
        "REQUESTS, WSGI: short, long, latin-1 and invented strings; complete, streamed and 100-continue bodies",
        frame(
            1,
            0,
            lst(
                tup(i(0), dct((interned("PATH_INFO"), a(LONG)), (z("HTTP_X_INVENTED"), z(""))), s(b"\x00\xff")),
                tup(
                    i(2), dct((interned_long("QUERY_STRING"), z("a=b")), (interned("PATH_INFO"), u("/\xe9\x80"))), NONE
                ),
                tup(i(0xFFFFFF), dct(), TRUE),
            ),
        ),
        {
            "type": "REQUESTS",
            "requests": [
                {"id": 0, "head": {"PATH_INFO": LONG, "HTTP_X_INVENTED": ""}, "body": data(b"\x00\xff")},
                {"id": 2, "head": {"QUERY_STRING": "a=b", "PATH_INFO": "/\xe9\x80"}, "body": None},
                {"id": 0xFFFFFF, "head": {}, "body": True},
            ],
        },
    )
    yield (
        "REQUESTS, ASGI: scope with client, without, non-ASCII path",
        frame(
            1,
            0,
            lst(
                tup(
                    i(5),
                    dct(
                        (interned("method"), interned("POST")),
                        (interned("path"), u("/gr\xfc\xdfe/\u20ac")),
                        (interned("raw_path"), s(b"/gr%C3%BC%C3%9Fe/%E2%82%AC")),
                        (interned("query_string"), s(b"q=1")),
                        (interned("headers"), lst(tup(s(b"host"), s(b"localhost")), tup(s(b"x-latin"), s(b"\xe4")))),
                        (interned("client"), tup(z("192.0.2.1"), i(54321))),
                        (interned("http_version"), z("2")),
                        (interned("scheme"), z("https")),
                    ),
                    s(b"{}"),
                ),
                tup(
                    i(6),
                    dct(
                        (interned("method"), interned("GET")),
                        (interned("path"), z("/")),
                        (interned("raw_path"), s(b"/")),
                        (interned("query_string"), s(b"")),
                        (interned("headers"), lst()),
                        (interned("client"), NONE),
                    ),
                    NONE,
                ),
            ),
        ),
        {
            "type": "REQUESTS",
            "requests": [
                {
                    "id": 5,
                    "head": {
                        "method": "POST",
                        "path": "/gr\xfc\xdfe/\u20ac",
                        "raw_path": data(b"/gr%C3%BC%C3%9Fe/%E2%82%AC"),
                        "query_string": data(b"q=1"),
                        "headers": [[data(b"host"), data(b"localhost")], [data(b"x-latin"), data(b"\xe4")]],
                        "client": ["192.0.2.1", 54321],
                        "http_version": "2",
                        "scheme": "https",
                    },
                    "body": data(b"{}"),
                },
                {
                    "id": 6,
                    "head": {
                        "method": "GET",
                        "path": "/",
                        "raw_path": data(b"/"),
                        "query_string": data(b""),
                        "headers": [],
                        "client": None,
                    },
                    "body": None,
                },
            ],
        },
    )
    yield (
        "REQUESTS, ASGI: a body in a file, over TLS; a WebSocket handshake",
        frame(
            1,
            0,
            lst(
                tup(
                    i(7),
                    dct(
                        (interned("method"), interned("PUT")),
                        (
                            interned("tls"),
                            dct(
                                (interned("server_cert"), NONE),
                                (interned("client_cert_chain"), lst()),
                                (interned("tls_version"), i(0x0304)),
                            ),
                        ),
                    ),
                    z("/proc/4711/fd/25"),
                ),
                tup(
                    i(8),
                    dct(
                        (interned("type"), z("websocket")),
                        (interned("scheme"), z("ws")),
                        (interned("subprotocols"), lst(z("chat"), z("v2"))),
                    ),
                    FALSE,
                ),
            ),
        ),
        {
            "type": "REQUESTS",
            "requests": [
                {
                    "id": 7,
                    "head": {
                        "method": "PUT",
                        "tls": {"server_cert": None, "client_cert_chain": [], "tls_version": 0x0304},
                    },
                    "body": "/proc/4711/fd/25",
                },
                {"id": 8, "head": {"type": "websocket", "scheme": "ws", "subprotocols": ["chat", "v2"]}, "body": False},
            ],
        },
    )
    yield "BODY", frame(2, 5, b"part of a body"), {"type": "BODY", "id": 5, "data": data(b"part of a body")}
    yield "END", frame(3, 5), {"type": "END", "id": 5}
    yield "CANCEL, the largest id", frame(4, 0xFFFFFF), {"type": "CANCEL", "id": 0xFFFFFF}
    yield "CANCEL, time is up", frame(4, 7, b"\x01"), {"type": "CANCEL", "id": 7, "cause": 1}
    yield "CANCEL, the client has sent its FIN", frame(4, 7, b"\x02"), {"type": "CANCEL", "id": 7, "cause": 2}
    yield "CREDIT", frame(5, 258, struct.pack("<I", 65_536)), {"type": "CREDIT", "id": 258, "count": 65_536}
    yield "PING", frame(6, 0x010203), {"type": "PING", "arg": 0x010203}
    yield from messages(0x10)
    yield (
        "WS_CLOSED",
        frame(0x13, 8, struct.pack("<H", 1001) + "tsch\xfcss".encode()),
        {"type": "WS_CLOSED", "id": 8, "code": 1001, "reason": "tsch\xfcss"},
    )


def messages(first):
    """Messages, which look the same in both directions."""
    text = "gr\xfc\xdfe \u20ac".encode()
    yield "WS_TEXT", frame(first, 8, text), {"type": "WS_TEXT", "id": 8, "data": data(text)}
    yield "WS_TEXT, empty", frame(first, 8), {"type": "WS_TEXT", "id": 8, "data": data(b"")}
    yield "WS_BINARY", frame(first + 1, 8, b"\x00\xff"), {"type": "WS_BINARY", "id": 8, "data": data(b"\x00\xff")}
    yield (
        "WS_PART, cut within a character",
        frame(first + 2, 8, text[:3]),
        {"type": "WS_PART", "id": 8, "data": data(text[:3])},
    )


def to_front():
    yield (
        "RESPONSES, WSGI, two",
        frame(
            0x41,
            437,
            lst(
                tup2(
                    i(1),
                    u("200 OK"),
                    lst(tup2(u("Content-Type"), u("text/plain")), tup2(u("Content-Length"), u("5"))),
                    s(b"Hello"),
                ),
                tup2(i(0xFFFFFF), u("404 Gibt's n\xfcscht"), lst(tup2(u("X-Latin"), u("\xe4\xff"))), s(b"")),
            ),
        ),
        {
            "type": "RESPONSES",
            "microseconds": 437,
            "responses": [
                {
                    "id": 1,
                    "status": "200 OK",
                    "headers": [["Content-Type", "text/plain"], ["Content-Length", "5"]],
                    "body": data(b"Hello"),
                },
                {
                    "id": 0xFFFFFF,
                    "status": "404 Gibt's n\xfcscht",
                    "headers": [["X-Latin", "\xe4\xff"]],
                    "body": data(b""),
                },
            ],
        },
    )
    yield (
        "RESPONSES, ASGI, the time at its limit",
        frame(0x41, 0xFFFFFF, lst(tup2(i(3), i(201), lst(tup2(s(b"content-type"), s(b"text/plain"))), s(b"\x00\xff")))),
        {
            "type": "RESPONSES",
            "microseconds": 0xFFFFFF,
            "responses": [
                {
                    "id": 3,
                    "status": 201,
                    "headers": [[data(b"content-type"), data(b"text/plain")]],
                    "body": data(b"\x00\xff"),
                }
            ],
        },
    )
    yield (
        "RESPONSES_BUSY",
        frame(0x42, 0, lst(tup2(i(0), u("200 OK"), lst(), s(b"x")))),
        {
            "type": "RESPONSES_BUSY",
            "microseconds": 0,
            "responses": [{"id": 0, "status": "200 OK", "headers": [], "body": data(b"x")}],
        },
    )
    yield (
        "HEAD, WSGI",
        frame(0x43, 9, tup2(u("200 OK"), lst(tup2(u("Content-Type"), u("text/html"))))),
        {"type": "HEAD", "id": 9, "status": "200 OK", "headers": [["Content-Type", "text/html"]]},
    )
    yield (
        "HEAD, ASGI",
        frame(0x43, 9, tup2(i(200), lst(tup2(s(b"content-type"), s(b"text/html"))))),
        {"type": "HEAD", "id": 9, "status": 200, "headers": [[data(b"content-type"), data(b"text/html")]]},
    )
    yield "BODY", frame(0x44, 9, b"chunk"), {"type": "BODY", "id": 9, "data": data(b"chunk")}
    yield "END", frame(0x45, 9), {"type": "END", "id": 9}
    yield "IDLE", frame(0x46, 0), {"type": "IDLE"}
    yield "CREDIT", frame(0x47, 9, struct.pack("<I", 131_072)), {"type": "CREDIT", "id": 9, "count": 131_072}
    yield (
        "CREDIT of nothing: 100 Continue",
        frame(0x47, 9, struct.pack("<I", 0)),
        {"type": "CREDIT", "id": 9, "count": 0},
    )
    yield (
        "ABORT",
        frame(0x48, 9, "the app raised Fehler\xe4".encode()),
        {"type": "ABORT", "id": 9, "reason": "the app raised Fehler\xe4"},
    )
    yield "EXTEND", frame(0x4C, 9, struct.pack("<I", 60_000)), {"type": "EXTEND", "id": 9, "count": 60_000}
    yield "PONG", frame(0x49, 0x010203), {"type": "PONG", "arg": 0x010203}
    yield (
        "END with trailers",
        frame(0x45, 9, lst(tup2(s(b"x-checksum"), s(b"abc")), tup2(s(b"x-latin"), s(b"\xe4")))),
        {"type": "END", "id": 9, "trailers": [[data(b"x-checksum"), data(b"abc")], [data(b"x-latin"), data(b"\xe4")]]},
    )
    yield (
        "INFORM, WSGI",
        frame(0x4A, 9, tup2(i(103), lst(tup2(u("Link"), u("</a.css>; rel=preload"))))),
        {"type": "INFORM", "id": 9, "status": 103, "headers": [["Link", "</a.css>; rel=preload"]]},
    )
    yield (
        "INFORM, ASGI",
        frame(0x4A, 9, tup2(i(103), lst(tup2(s(b"link"), s(b"</a.css>; rel=preload"))))),
        {"type": "INFORM", "id": 9, "status": 103, "headers": [[data(b"link"), data(b"</a.css>; rel=preload")]]},
    )
    yield (
        "FILE",
        frame(0x4B, 9, "/srv/gr\xfc\xdfe".encode()),
        {"type": "FILE", "id": 9, "path": "/srv/gr\xfc\xdfe"},
    )
    yield from messages(0x50)
    yield (
        "WS_BINARY_PART",
        frame(0x55, 8, b"\x00\xff"),
        {"type": "WS_BINARY_PART", "id": 8, "data": data(b"\x00\xff")},
    )
    yield (
        "WS_CLOSE",
        frame(0x53, 8, struct.pack("<H", 4001) + b"bye"),
        {"type": "WS_CLOSE", "id": 8, "code": 4001, "reason": "bye"},
    )
    yield (
        "WS_ACCEPT",
        frame(0x54, 8, tup2(NONE, lst())),
        {"type": "WS_ACCEPT", "id": 8, "subprotocol": None, "headers": []},
    )
    yield (
        "WS_ACCEPT with a subprotocol and headers",
        frame(0x54, 8, tup2(u("chat"), lst(tup2(s(b"x-a"), s(b"b"))))),
        {"type": "WS_ACCEPT", "id": 8, "subprotocol": "chat", "headers": [[data(b"x-a"), data(b"b")]]},
    )


def vectors():
    for direction, made in (("front-to-worker", to_worker()), ("worker-to-front", to_front())):
        for name, content, meaning in made:
            yield {"name": name, "direction": direction, "hex": content.hex(), "meaning": meaning}


def text():
    return json.dumps(list(vectors()), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    with open(PATH, "w") as file:
        file.write(text())
