import os
import sys


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [repr((os.getcwd(), os.environ.get("MAITRED_TEST"), sys.path)).encode()]
