"""What a worker tells about Django's folders."""

import os
import sys
import types
import unittest
from pathlib import Path

from maitred.worker.folders import told_folders


class Settings:
    configured = True
    MIDDLEWARE = ()
    STATIC_URL = "/static/"
    STATIC_ROOT = Path("/srv/static")
    MEDIA_URL = "/"
    MEDIA_ROOT = ""


class TestFolders(unittest.TestCase):
    def told(self, **differences):
        settings = type("Other", (Settings,), differences)()
        settings._wrapped = settings
        module = types.ModuleType("django.conf")
        setattr(module, "settings", settings)  # noqa: B010
        before = sys.modules.get("django.conf")
        sys.modules["django.conf"] = module
        try:
            return told_folders()
        finally:
            if before is None:
                del sys.modules["django.conf"]
            else:
                sys.modules["django.conf"] = before

    def test_static_and_media_where_they_are_of_this_host(self):
        static = {"setting": "STATIC_ROOT", "url": "/static/", "root": "/srv/static"}
        self.assertEqual(self.told(), {"folders": [static]})
        media = {"setting": "MEDIA_ROOT", "url": "/media/", "root": os.path.abspath("media")}
        self.assertEqual(self.told(MEDIA_URL="/media/", MEDIA_ROOT="media"), {"folders": [static, media]})
        self.assertEqual(self.told(STATIC_ROOT=None), {"folders": [{**static, "root": None}]})
        self.assertEqual(self.told(STATIC_URL="https://cdn.example/static/"), {})
        self.assertEqual(self.told(STATIC_URL="//cdn.example/static/"), {})
        self.assertEqual(self.told(STATIC_URL=None), {})

    def test_relative_urls_lie_below_the_root_of_the_application(self):
        told = self.told(STATIC_URL="static/")["folders"][0]
        self.assertEqual(told["url"], "static/")
        told = self.told(STATIC_URL="static/", FORCE_SCRIPT_NAME="/app/")["folders"][0]
        self.assertEqual(told["url"], "/app/static/")

    def test_nothing_without_django_or_where_it_serves_them_itself(self):
        self.assertEqual(told_folders(), {})
        self.assertEqual(self.told(configured=False), {})
        self.assertEqual(self.told(MIDDLEWARE=["whitenoise.middleware.WhiteNoiseMiddleware"]), {})

    def test_settings_that_raise_are_no_reason_to_fail(self):
        def broken(_self):
            raise ValueError("broken")

        self.assertEqual(self.told(STATIC_ROOT=property(broken)), {})
        self.assertEqual(self.told(STATIC_ROOT=object()), {})
