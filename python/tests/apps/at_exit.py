import atexit
from hello import wsgi

atexit.register(print, "atexit ran")
