import marshal
import os
import signal
import sys
import time

from tests.front import APPS_DIR, FrontCase, Worker, asgi_head, wait_gone, wsgi_head


class HelloMessageTest(FrontCase):
    def test_hello_describes_the_interpreter(self):
        front = self.front("hello:wsgi")
        hello = front.hello
        self.assertEqual(hello["python"], ".".join(map(str, sys.version_info[:3])))
        self.assertEqual(
            (hello["type"], hello["protocol"], hello["implementation"], hello["pid"]),
            ("hello", 1, "cpython", front.process.pid),
        )
        self.assertEqual(marshal.loads(bytes.fromhex(hello["marshal"])), [1, "a", b"b", None, True, ("x",)])
        self.assertIs(hello["gil"], True)

    def test_environ_chdir_and_pythonpath_are_applied(self):
        front = self.front(
            "where:wsgi",
            pythonpath=[os.path.join(APPS_DIR, "other"), APPS_DIR],
            chdir="/",
            environ={"MAITRED_TEST": "x"},
        )
        seat = front.fork().seats[0]
        seat.requests((1, wsgi_head(), b""))
        cwd, environ, path = eval(seat.outcome()["body"].decode())
        self.assertEqual((cwd, environ), ("/", "x"))
        self.assertEqual(path[:2], [os.path.join(APPS_DIR, "other"), APPS_DIR])
        self.assertNotIn("", path)
        self.assertFalse([entry for entry in path if entry.endswith("/python/python")], path)


class ForkTest(FrontCase):
    def test_many_workers_from_one_zygote(self):
        front = self.front("wsgi_rules:application", preload=True)
        self.assertEqual(front.link.receive()["type"], "loaded")
        workers = [front.fork(number) for number in range(1, 5)]
        answers = set()
        for worker in workers:
            worker.seats[0].requests((1, wsgi_head("/random"), b""))
            answers.add(worker.seats[0].outcome()["body"])
        self.assertEqual(len(answers), 4, "the random generators of the workers are the same")
        self.assertEqual(len({worker.pid for worker in workers}), 4)

    def test_threads_at_import_are_a_warning(self):
        front = self.front("threaded_import:wsgi", preload=True)
        loaded = front.link.receive()
        self.assertEqual(len(loaded["warnings"]), 1)
        self.assertIn("poller", loaded["warnings"][0])

    def test_a_worker_inherits_neither_descriptors_nor_signal_settings(self):
        for preload in (False, True):
            front = self.front("wsgi_rules:application", preload=preload)
            if preload:
                front.link.receive()
            front.fork(1)
            seat = front.fork(2).seats[0]
            seat.requests((1, wsgi_head("/signals"), b""), (2, wsgi_head("/fds"), b""))
            found = seat.responses(2)
            text = found[1][2].decode()
            self.assertRegex(text, r"^-1 .*SIG_DFL|^-1 <Handlers")
            self.assertIn("default_int_handler", text)
            # 0, 1, 2, the worker link, the stacks link, the seat, and the folder that is being listed.
            self.assertEqual(len(found[2][2].split()), 7, found[2][2])

    def test_ctrl_c_and_sigterm_are_left_to_the_front(self):
        front, worker, seat = self.worker("wsgi_rules:application")
        seat.requests((1, wsgi_head("/sleep", QUERY_STRING="0.3"), b""))
        time.sleep(0.1)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(front.process.pid, number)
            os.kill(worker.pid, number)
        self.assertEqual(seat.outcome()["body"], b"slept")
        worker.close()
        self.assertEqual(front.exit()["code"], 0)

    def test_atexit_runs_and_output_is_flushed(self):
        for preload in (False, True):
            front = self.front("at_exit:wsgi", preload=preload)
            if preload:
                front.link.receive()
            front.fork(1).close()
            self.assertEqual(front.exit()["code"], 0)
            self.assertEqual(front.output(), "atexit ran\n")


class DeathTest(FrontCase):
    def test_the_board_survives_sigkill(self):
        front, worker, seat = self.worker("wsgi_rules:application")
        seat.requests((1, wsgi_head("/ok"), b""), (2, wsgi_head("/kill"), b""), (3, wsgi_head("/ok"), b""))
        exited = front.exit()
        self.assertEqual(
            exited, {"type": "exit", "worker": 1, "pid": worker.pid, "code": None, "signal": 9, "started": [2]}
        )

    def test_kill_by_number_and_the_stacks_at_sigabrt(self):
        front, worker, seat = self.worker("wsgi_rules:application")
        seat.requests((1, wsgi_head("/sleep", QUERY_STRING="5"), b""))
        time.sleep(0.2)
        front.link.send(type="kill", worker=99, signal=9)
        front.link.send(type="kill", worker=1, signal=int(signal.SIGABRT))
        exited = front.exit()
        self.assertEqual((exited["signal"], exited["code"], exited["started"]), (signal.SIGABRT, None, [1]))
        stacks = b""
        while piece := worker.stacks.recv(65536):  # To its end: the worker is gone.
            stacks += piece
        self.assertIn(b"Fatal Python error: Aborted", stacks)
        self.assertIn(b"in do_sleep", stacks)
        replacement = front.fork(2)
        self.assertIsInstance(replacement, Worker)

    def test_the_board_of_threads(self):
        front, worker, _ = self.worker("wsgi_rules:application", threads=2)
        worker.seats[1].requests((1, wsgi_head("/ok"), b""), (2, wsgi_head("/ok"), b""))
        worker.seats[1].responses(2)
        front.link.send(type="kill", worker=1, signal=9)
        self.assertEqual(front.exit()["started"], [0, 2])

    def test_when_the_front_is_gone_everything_goes(self):
        front = self.front("wsgi_rules:application")
        workers = [front.fork(1), front.fork(2)]
        workers[0].seats[0].requests((1, wsgi_head("/sleep", QUERY_STRING="30"), b""))
        time.sleep(0.1)
        front.link.close()
        self.assertEqual(front.process.wait(5), 0)
        for worker in workers:
            self.assertTrue(wait_gone(worker.pid))

    def test_when_the_zygote_is_killed_its_workers_go(self):
        for app in ("wsgi_rules:application", "asgi_rules:application"):
            front = self.front(app)
            worker = front.fork(1)
            head = (
                wsgi_head("/sleep", QUERY_STRING="30")
                if app.startswith("wsgi")
                else asgi_head("/sleep", query_string=b"30")
            )
            worker.seats[0].requests((1, head, b""))
            time.sleep(0.1)
            front.process.kill()
            self.assertTrue(wait_gone(worker.pid))
