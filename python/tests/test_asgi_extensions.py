import marshal
import os
import tempfile
import time

from tests.front import ABORT, FILE, FILE_TAKEN, HEAD, INFORM, PATIENCE, RBODY, REND, asgi_head
from tests.test_asgi import AsgiCase


class ExtensionCase(AsgiCase):
    def file(self, data):
        descriptor, path = tempfile.mkstemp()
        self.addCleanup(os.unlink, path)
        with open(descriptor, "wb") as file:
            file.write(data)
        return path

    def open_files(self):
        folder = f"/proc/{self.worker_.pid}/fd"
        found = []
        for name in os.listdir(folder):
            try:
                found.append(os.readlink(f"{folder}/{name}"))
            except OSError:
                pass  # Closed meanwhile.
        return found


class PathSendTest(ExtensionCase):
    def ask_path(self, path, length=b"", **more):
        self.seat.requests(
            (1, asgi_head("/path", headers=[(b"x-path", repr(path).encode())], query_string=length, **more), b"")
        )

    def test_the_front_sends_the_file(self):
        path = self.file(b"12345")
        for length in (b"", b"5"):
            self.ask_path(path, length)
            kind, _, payload = self.seat.receive()
            self.assertEqual((kind, marshal.loads(payload)), (HEAD, (200, [(b"content-length", b"5")])))
            self.assertEqual(self.taken(), (b"12345", path.encode()))
        self.ask_path(path, method="HEAD")
        self.assertEqual(self.seat.outcome()["end"], "complete")
        self.ask_path(path)
        self.assertEqual([self.seat.receive()[0] for _ in range(2)], [HEAD, FILE])
        self.seat.frame(FILE_TAKEN, 1)
        self.assertEqual(self.seat.receive(), (ABORT, 1, b"the server cannot open the file that is the body"))
        self.assertNotIn(path, self.open_files())

    def taken(self):
        """The file that FILE says, as the front finds it, and its name."""
        kind, _, payload = self.seat.receive()
        self.assertEqual((kind, payload[:8]), (FILE, bytes(8)))
        path, name = payload[8:].split(b"\0")
        with open(path, "rb") as file:
            content = file.read()
        self.seat.frame(FILE_TAKEN, 1, b"\1")
        return content, name

    def test_it_may_be_removed_at_once(self):
        descriptor, path = tempfile.mkstemp()
        os.write(descriptor, b"gone")
        os.close(descriptor)
        self.ask_path(path)
        self.assertEqual(self.seat.receive()[0], HEAD)
        os.unlink(path)
        self.assertEqual(self.taken(), (b"gone", path.encode()))
        self.ask_path(self.file(b"next"))
        self.assertEqual(self.seat.receive()[0], HEAD)
        self.assertEqual(self.taken()[0], b"next")
        self.assertFalse([name for name in self.open_files() if name.startswith(path)])

    def test_names_that_mean_another_file_in_the_front_are_resolved(self):
        path = self.file(b"x")
        link = f"/proc/self/root{path}"
        self.ask_path(link)
        self.assertEqual(self.seat.receive()[0], HEAD)
        self.assertEqual(self.taken(), (b"x", link.encode()))

    def test_what_cannot_be_sent_is_told_to_the_app(self):
        path = self.file(b"12345")
        for wrong, length, error in (
            ("relative/file", b"", "ValueError: path must be absolute"),
            (b"/etc/passwd", b"", "TypeError: path must be str, not bytes"),
            ("/nowhere/at/all", b"", "FileNotFoundError"),
            (tempfile.gettempdir(), b"", "ValueError: not a regular file"),
            ("/dev/null", b"", "ValueError: not a regular file"),
            ("/a\0b", b"", "embedded null"),
            (path, b"4", "RuntimeError: the file has 5 bytes, but Content-Length says 4"),
            (path, b"6", "RuntimeError: the file has 5 bytes, but Content-Length says 6"),
        ):
            with self.subTest(wrong):
                self.ask_path(wrong, length)
                self.assertEqual(self.seat.outcome()["status"], 500)
                self.assertIn(error, self.seen())


class TrailersTest(ExtensionCase):
    def trailers(self, *messages, **more):
        self.seat.requests((1, asgi_head("/trailers", query_string=repr(list(messages)).encode(), **more), b""))

    def end(self):
        """Frame types, body, trailers"""
        kinds, body = [], b""
        while True:
            kind, _, payload = self.seat.receive()
            kinds.append(kind)
            if kind == RBODY:
                body += payload
            elif kind != HEAD:
                return kinds, body, marshal.loads(payload) if kind == REND and payload else payload

    def test_they_follow_the_body(self):
        body = {"type": "http.response.body", "body": b"abc"}
        last = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1"), (b"te", b"dropped")]}
        first = {"type": "http.response.trailers", "headers": [(b"x-first", b"0")], "more_trailers": True}
        expected = [HEAD, RBODY, REND], b"abc"
        self.trailers(body, last)
        self.assertEqual(self.end(), (*expected, [(b"x-sum", b"1")]))
        self.trailers(body, first, last)
        self.assertEqual(self.end(), (*expected, [(b"x-first", b"0"), (b"x-sum", b"1")]))
        self.trailers({**body, "more_body": True}, {"type": "http.response.body"}, {"type": "http.response.trailers"})
        self.assertEqual(self.end(), (*expected, b""))

    def test_missing_and_wrong_ones(self):
        body = {"type": "http.response.body", "body": b"abc"}
        self.trailers(body)
        self.assertEqual(self.end()[2], b"the app returned without completing its response")
        self.trailers(body, body)
        self.assertEqual(self.end()[2], b"the app raised RuntimeError")
        self.trailers(body, {"type": "http.response.trailers", "headers": [(b"content-length", b"3")]})
        self.assertEqual(self.end()[2], b"the app raised HeaderError")
        self.trailers({"type": "http.response.pathsend", "path": "/etc/passwd"})
        self.assertEqual(self.seat.outcome()["status"], 500)


class EarlyHintTest(ExtensionCase):
    def test_links_leave_before_the_response(self):
        self.seat.requests((1, asgi_head("/hint"), b""))
        kind, arg, payload = self.seat.receive()
        links = [(b"link", b"</a.css>; rel=preload"), (b"link", b"</b.js>; rel=preload")]
        self.assertEqual((kind, arg, marshal.loads(payload)), (INFORM, 1, (103, links)))
        self.assertEqual(self.seat.outcome()["body"], b"hinted")
        self.assertEqual(self.ask("latehint")["status"], 500)


class TlsTest(ExtensionCase):
    def test_it_is_an_extension(self):
        tls = {"server_cert": None, "tls_version": 772, "cipher_suite": None}
        text = self.ask("scope", tls=tls)["body"].decode()
        self.assertIn(f"'tls': {tls!r}}}", text)
        self.assertNotIn("tls", self.ask("scope")["body"].decode())


class SpooledTest(ExtensionCase):
    def test_a_body_in_a_file_is_read_in_pieces(self):
        path = self.file(b"x" * 600_000)
        descriptor = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        for name in (path, f"/proc/{os.getpid()}/fd/{descriptor}"):
            self.assertEqual(self.ask("pieces", name)["body"], b"[262144, 262144, 75712]")
        self.assertEqual(self.ask("pieces", self.file(b""))["body"], b"[0]")
        self.assertEqual(self.ask("ignore", path)["body"], b"ignored")
        self.assertEqual(self.front_.output(), "")
        # The task's end, which closes the file, may come after its response.
        deadline = time.monotonic() + PATIENCE
        while path in self.open_files() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertNotIn(path, self.open_files())

    def test_a_file_that_is_not_there_is_the_apps_error_when_it_reads(self):
        self.assertEqual(self.ask("pieces", "/nowhere/at/all")["status"], 500)
        self.assertIn("cannot open the request's body", self.front_.output())
