"""Where Django keeps files that need no application to be served (PROTOCOL.md, `folders` of `ready`)."""

from __future__ import annotations

import os
import sys
from typing import Any

_SETTINGS = (("STATIC_URL", "STATIC_ROOT"), ("MEDIA_URL", "MEDIA_ROOT"))


def told_folders() -> dict[str, Any]:
    """A part of the message: empty where the application is not Django's, or where it serves its files by itself."""
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    if settings is None or not getattr(settings, "configured", False):
        return {}
    try:
        if any("whitenoise" in str(name) for name in settings.MIDDLEWARE):
            return {}
        found = [
            (root_name, _url(settings, url_name), _absolute(getattr(settings, root_name)))
            for url_name, root_name in _SETTINGS
            if getattr(settings._wrapped, url_name, None)
        ]
    except Exception:
        # Settings are the application's code, and those that are wrong have said so elsewhere.
        return {}
    # A URL of another host is served there; "/", Django's default for media, would be everything.
    local = [
        {"setting": setting, "url": url, "root": root}
        for setting, url, root in found
        if "//" not in url and url.strip("/")
    ]
    return {"folders": local} if local else {}


def _url(settings: Any, name: str) -> str:
    """
    As it is written: a relative one lies below the application's root. Asked of `settings` itself, Django would remember it with the root of
    this moment, which is that of no request.
    """
    url = str(getattr(settings._wrapped, name))
    prefix = getattr(settings, "FORCE_SCRIPT_NAME", None)
    return url if url.startswith("/") or prefix is None else f"{str(prefix).rstrip('/')}/{url}"


def _absolute(root: Any) -> str | None:
    return os.path.abspath(os.fspath(root)) if root else None
