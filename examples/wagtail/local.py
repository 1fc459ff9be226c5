"""bakery/settings/local.py of Wagtail's start project: what production needs, and who is told when a page changes."""

import os

from .base import BASE_DIR, INSTALLED_APPS

# An example that runs on your own machine: the key is public. It does not belong on the internet.
SECRET_KEY = "this-key-is-public-and-for-the-example-only"
ALLOWED_HOSTS = ["*"]
WAGTAILADMIN_BASE_URL = "http://localhost:8000"

# BAKERY_DATABASE lets each test have a file of its own.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("BAKERY_DATABASE", BASE_DIR / "db.sqlite3"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}

# When a page is published or taken back, Wagtail sends a PURGE request for each of its URLs.
INSTALLED_APPS = [*INSTALLED_APPS, "wagtail.contrib.frontend_cache"]
WAGTAILFRONTENDCACHE = {
    "maitred": {
        "BACKEND": "wagtail.contrib.frontend_cache.backends.HTTPBackend",
        "LOCATION": os.environ.get("BAKERY_FRONT", "http://127.0.0.1:8000"),
    },
}
