"""As much of psycopg2 as gevent concerns."""
_callback = None


class connection:
    closed = 0


def set_wait_callback(callback):
    global _callback
    _callback = callback


def get_wait_callback():
    return _callback
