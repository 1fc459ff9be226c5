"""Says what was there before it was imported."""

import sys

WAS_THERE = "colorsys" in sys.modules


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [str(WAS_THERE).encode()]
