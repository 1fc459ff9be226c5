import sys
import unittest
from typing import Any

from maitred.worker.importing import LoadError, load
from maitred.worker.interface import choose, detect, mistaken

from tests.front import APPS_DIR, FrontCase, wsgi_head


class Application:
    def wsgi(self, environ, start_response):
        return []


class LoadCase(unittest.TestCase):
    def setUp(self):
        sys.path.insert(0, APPS_DIR)
        self.addCleanup(sys.path.remove, APPS_DIR)

    def refused(self, target, kind, *texts, factory=False):
        with self.assertRaises(LoadError) as caught:
            load(target, factory)
        error = caught.exception
        self.assertEqual(error.kind, kind, error.message)
        for text in texts:
            self.assertIn(text, error.message)
        self.assertNotIn("maitred/worker/", error.traceback)
        return error


class TargetTest(LoadCase):
    def test_every_form_of_a_target(self):
        import only_app  # type: ignore[import-not-found]
        import targets  # type: ignore[import-not-found]

        for target, factory, expected in (
            ("targets", False, targets.application),
            ("only_app", False, only_app.app),
            ("targets:wsgi", False, targets.wsgi),
            ("targets:nested.application", False, targets.wsgi_object),
            ("targets:factory()", False, targets.wsgi),
            ('targets:factory("asgi")', False, targets.asgi),
            ("targets:factory(kind='asgi')", False, targets.asgi),
            ("targets:factory", True, targets.wsgi),
            ("targets:factory('asgi')", True, targets.asgi),
        ):
            with self.subTest(target=target):
                self.assertIs(load(target, factory), expected)

    def test_mistakes_in_the_target_are_the_operators(self):
        self.refused("no_app", "app", "neither 'application' nor 'app'")
        self.refused("targets:wsgy", "app", "'targets' has no attribute 'wsgy'", "did you mean 'wsgi'")
        self.refused("targets:zzzz", "app", "callables there: wsgi, asgi")
        self.refused("targets:nested.app", "app", "'targets.nested' has no attribute 'app'")
        self.refused("targets:number", "app", "not callable: it is a int")
        self.refused("targets:nothing", "app", "is None")
        self.refused("targets:", "app", "nothing follows the colon")
        self.refused("targets:a b", "app", "neither an attribute nor a call")
        self.refused("targets:a[0]", "app", "neither an attribute nor a call")
        self.refused("targets:factory(name)", "app", "must be literals")
        self.refused("targets:factory(**{})", "app", "must be literals")
        self.refused("targets:factory(1, 2)", "app", "does not take these arguments")
        self.refused("targets:number()", "app", "the factory in 'targets:number()' is not callable")
        self.refused("", "app", "write MODULE:ATTR")
        self.refused("my-app:app", "app", "write MODULE:ATTR")
        self.refused("app.py", "app", "write 'app:app'")
        self.refused("./src/site/main.py:web", "app", "write 'src.site.main:web'")
        self.refused("site/main:web", "app", "write 'site.main:web'")

    def test_what_raises_is_a_failed_boot(self):
        self.refused("nowhere_to_be_found:app", "boot", "module 'nowhere_to_be_found' not found; looked in", APPS_DIR)
        self.refused("targets.sub:app", "boot", "'targets.sub' not found")
        error = self.refused(
            "missing_import:app", "boot", "'missing_import' was found, but it imports 'not_there_at_all'"
        )
        self.assertIn("import not_there_at_all", error.traceback)
        self.assertIn("syntax_error.py", self.refused("syntax_error:app", "boot", "SyntaxError").traceback)
        self.refused("exits:app", "boot", "called sys.exit('no config')")
        self.assertIn("factory broke", self.refused("targets:bad_factory()", "boot", "RuntimeError").traceback)
        self.refused("targets:type_error_inside()", "boot", "TypeError")


class InterfaceTest(LoadCase):
    def test_detection(self):
        import targets

        for name, expected in (
            ("wsgi", "wsgi"),
            ("asgi", "asgi"),
            ("sync_asgi", "asgi"),
            ("wsgi_object", "wsgi"),
            ("asgi_object", "asgi"),
            ("WsgiClass", "wsgi"),
            ("Asgi2Class", "asgi2"),
            ("asgi2_function", "asgi2"),
            ("bound_asgi", "asgi"),
            ("bound_wsgi", "wsgi"),
            ("partial_asgi", "asgi"),
            ("partial_object", "asgi"),
            ("anything", None),
        ):
            with self.subTest(name=name):
                self.assertEqual(detect(getattr(targets, name)), expected)

    def test_a_contradiction_says_what_to_write(self):
        import targets

        self.assertEqual(choose("t", targets.anything, "auto"), "wsgi")
        self.assertEqual(choose("t", targets.anything, "asgi"), "asgi")
        with self.assertRaisesRegex(LoadError, "'t' is WSGI, .* write --interface wsgi"):
            choose("t", targets.wsgi, "asgi")
        with self.assertRaisesRegex(
            LoadError, "'t' is WSGI, but -k asgi is for ASGI applications: .* write -k sync, gthread or gevent"
        ):
            choose("t", targets.wsgi, "asgi", "-k asgi")
        with self.assertRaisesRegex(LoadError, "'t' is ASGI, .* write --interface asgi"):
            choose("t", targets.asgi_object, "wsgi")
        with self.assertRaisesRegex(LoadError, "guarantee_single_callable"):
            choose("t", targets.Asgi2Class, "auto")

    def test_a_wrapper_that_takes_anything_is_what_it_wraps(self):
        import targets

        for name in ("asgi", "wsgi"):
            self.assertEqual(detect(targets.wrapped(getattr(targets, name))), name)
            self.assertEqual(detect(targets.Proxy(getattr(targets, name))), name)

    def test_the_first_call_shows_what_an_object_has_hidden(self):
        async def asgi(scope, receive, send):
            pass

        def wsgi(environ, start_response):
            return []

        calls: list[tuple[Any, str, int, str]] = [
            (asgi, "wsgi", 2, "asgi"),
            (wsgi, "asgi", 3, "wsgi"),
            (Application().wsgi, "asgi", 3, "wsgi"),
        ]
        for app, served_as, count, other in calls:
            with self.assertRaises(TypeError) as caught:
                app(*range(count))
            self.assertIn(f"write --interface {other}", mistaken(caught.exception, served_as))
        self.assertEqual(mistaken(TypeError("unhashable type: 'list'"), "wsgi"), "")
        self.assertEqual(mistaken(None, "asgi"), "")

    def test_frameworks(self):
        for module, make, expected in (
            ("flask", lambda m: m.Flask("x"), "wsgi"),
            ("django.core.handlers.wsgi", lambda m: m.WSGIHandler.__new__(m.WSGIHandler), "wsgi"),
            ("django.core.handlers.asgi", lambda m: m.ASGIHandler.__new__(m.ASGIHandler), "asgi"),
            ("starlette.applications", lambda m: m.Starlette(), "asgi"),
            ("fastapi", lambda m: m.FastAPI(), "asgi"),
            ("quart", lambda m: m.Quart("x"), "asgi"),
        ):
            try:
                made = make(__import__(module, fromlist=["x"]))
            except ImportError:
                continue
            with self.subTest(module=module):
                self.assertEqual(detect(made), expected)


class FailedTest(FrontCase):
    def test_a_worker_tells_and_exits_with_gunicorns_codes(self):
        for app, kind, code in (
            ("targets:number", "app", 4),
            ("missing_import:app", "boot", 3),
            ("exits:app", "boot", 3),
        ):
            front = self.front(app)
            failed = front.fork()
            self.assertEqual((failed["type"], failed["kind"]), ("failed", kind))
            self.assertEqual(front.exit()["code"], code)

    def test_a_zygote_that_preloads_tells_and_exits_likewise(self):
        for app, kind, code in (("targets:number", "app", 4), ("missing_import:app", "boot", 3)):
            front = self.front(app, preload=True)
            self.assertEqual(front.link.receive()["kind"], kind)
            self.assertEqual(front.process.wait(10), code)


if __name__ == "__main__":
    unittest.main()


class HiddenTest(FrontCase):
    def test_an_asgi_app_in_disguise_is_told_at_its_first_request(self):
        front, _, seat = self.worker("hidden:hidden_asgi")
        seat.requests((1, wsgi_head(), b""))
        self.assertEqual(seat.outcome()["status"], "500 Internal Server Error")
        self.assertIn("called as WSGI and looks like ASGI: write --interface asgi", front.output())

    def test_a_wsgi_app_in_disguise_does_not_start_as_asgi(self):
        failed = self.front("hidden:hidden_wsgi", interface="asgi").fork()
        self.assertEqual(failed["type"], "failed")
        self.assertIn("called as ASGI and looks like WSGI: write --interface wsgi", failed["message"])
