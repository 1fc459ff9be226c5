"""What is told about a preloaded app before it is forked, and what its workers do differently."""

import gc
import os
import socket
import sqlite3

from tests.front import APPS_DIR, FrontCase, wsgi_head


class PreloadTest(FrontCase):
    def setUp(self):
        self.upstream = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.upstream.close)
        self.port = self.upstream.getsockname()[1]
        self.front_ = self.front(
            "holds:application",
            preload=True,
            environ={"UPSTREAM": str(self.port)},
            pythonpath=[APPS_DIR, os.path.join(APPS_DIR, "fakes")],
        )
        self.loaded = self.front_.link.receive()

    def ask(self, worker, path="/"):
        worker.seats[0].requests((1, wsgi_head(path), b""))
        return eval(worker.seats[0].outcome()["body"].decode())

    def test_what_is_open_at_the_fork_is_told_with_who_holds_it(self):
        self.assertEqual(self.loaded["type"], "loaded", self.loaded)
        told = "\n".join(self.loaded["warnings"])
        connection = sqlite3.connect(":memory:")
        knows_sqlite = gc.is_tracked(connection)  # Since 3.10; nothing else tells of it.
        connection.close()
        if knows_sqlite:
            self.assertIn(
                "an open sqlite3.Connection while it was imported (held by holds.STORE): SQLite forbids", told
            )
        self.assertIn("AbstractEventLoop while it was imported (held by holds.LOOP): its descriptors are shared", told)
        self.assertIn(
            "a numpy.random.Generator while it was imported (held by holds.RNG): every worker would draw", told
        )
        self.assertIn(f"still open (to 127.0.0.1:{self.port}, at 127.0.0.1:", told)
        self.assertEqual(len(self.loaded["warnings"]), 3 + knows_sqlite, told)
        self.assertNotIn("woken", self.front_.output())

    def test_workers_draw_different_numbers_and_the_apps_own_fork_functions_run(self):
        workers = [self.front_.fork(number) for number in (1, 2)]
        answers = [self.ask(worker) for worker in workers]
        for worker, (forked, pid, _, _) in zip(workers, answers):
            self.assertEqual((forked, pid), ([worker.pid], worker.pid))
        for place in (2, 3):
            self.assertNotEqual(answers[0][place], answers[1][place])

    def test_the_signal_handlers_of_a_preloaded_app_are_its_workers(self):
        worker = self.front_.fork()
        self.assertEqual(self.ask(worker, "/term")[0], [worker.pid, "SIGTERM"])
        self.front_.process.terminate()  # The zygote itself does not end of it.
        self.assertEqual(self.ask(self.front_.fork(2))[0][0] > 0, True)
