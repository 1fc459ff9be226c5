"""What applications do with processes and signals of their own, in workers that are not gevent's (those: test_gevent.py)."""

import ast

from tests.front import FrontCase, wsgi_head


class OwnProcessesTest(FrontCase):
    def answers(self, *paths, **settings):
        front = self.front("gevent_rules:application", **settings)
        if settings.get("preload"):
            self.assertEqual(front.link.receive()["warnings"], [])
        seat = front.fork().seats[0]
        found = []
        for path in paths:
            name, _, query = path.partition("?")
            seat.requests((1, wsgi_head("/" + name, QUERY_STRING=query), b""))
            outcome = seat.outcome(1)
            self.assertEqual(outcome["status"], "200 OK", front.output())
            found.append(ast.literal_eval(outcome["body"].decode()))
        for one in front.workers[1].seats.values():
            one.close()
        self.assertEqual(front.exit()["code"], 0)
        return found

    def test_subprocess_and_every_way_of_multiprocessing_work(self):
        ways = [f"multiprocessing?{way}" for way in ("fork", "spawn", "forkserver")]
        for settings in ({}, {"preload": True}, {"threads": 2}):
            with self.subTest(**settings):
                self.assertEqual(self.answers("subprocess", *ways, **settings), [42, [0, 42], [0, 42], [0, 42]])

    def test_a_handler_for_sigterm_is_the_apps_own(self):
        for preload in (False, True):
            with self.subTest(preload=preload):
                self.assertEqual(self.answers("term", "ok", preload=preload), [["SIGTERM"], "ok"])
