"""What a worker tells of its modules for --reload, and modules imported ahead of it."""

import os
import tempfile

from tests.front import FrontCase, wsgi_head


class ModulesTest(FrontCase):
    def folder(self, **files):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        for name, text in files.items():
            with open(os.path.join(made.name, f"{name}.py"), "w") as file:
                file.write(text)
        return made.name

    def told(self, app, folder):
        """A worker that has told of its modules."""
        front = self.front(app, modules=True, pythonpath=[folder], chdir=folder)
        return front.fork()

    def test_files_of_the_app_and_modules_of_the_standard_library(self):
        folder = self.folder(
            site_main="import colorsys, site_part\ndef app(environ, start_response):\n    pass\n", site_part="x = 1\n"
        )
        worker = self.told("site_main:app", folder)
        message = worker.modules
        self.assertEqual(
            [os.path.basename(path) for path in message["files"]], ["site_main.py", "site_part.py"], message["files"]
        )
        self.assertIn("colorsys", message["standard"])
        self.assertFalse([name for name in message["standard"] if name.startswith("maitred")])

    def test_asked_again_it_tells_only_what_is_new(self):
        folder = self.folder(
            site_main="def app(environ, start_response):\n    import late_part\n    start_response('200 OK', [])\n    return [b'']\n",
            late_part="",
        )
        worker = self.told("site_main:app", folder)
        worker.seats[0].requests((1, wsgi_head(), b""))
        worker.seats[0].outcome()
        worker.link.send(type="modules")
        message = worker.link.receive()
        self.assertEqual([os.path.basename(path) for path in message["files"]], ["late_part.py"])

    def test_of_a_failed_import_the_files_where_it_failed(self):
        for broken, line in (("def (:\n", "SyntaxError"), ("1 / 0\n", "ZeroDivisionError")):
            folder = self.folder(site_main="import site_part\n", site_part=broken)
            front = self.front("site_main:app", modules=True, pythonpath=[folder], chdir=folder)
            failed = front.fork()
            self.assertIn(line, failed["traceback"])
            names = {os.path.basename(path) for path in front.workers[1].modules["files"]}
            self.assertEqual(names, {"site_main.py", "site_part.py"})

    def test_without_the_setting_nothing_is_told(self):
        front = self.front("wsgi_rules:application")
        self.assertIsNone(front.fork().modules)


class WarmTest(FrontCase):
    def test_what_is_imported_ahead_is_there_and_what_cannot_be_is_not_told(self):
        front = self.front("warmth:wsgi")
        front.link.send(type="warm", modules=["colorsys", "no_such_module_at_all"])
        worker = front.fork()
        worker.seats[0].requests((1, wsgi_head(), b""))
        self.assertEqual(worker.seats[0].outcome()["body"], b"True")
