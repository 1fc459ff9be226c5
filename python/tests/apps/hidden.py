"""Applications whose signature does not tell what they are."""


def _wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


async def _asgi(scope, receive, send):
    raise RuntimeError("reached")


def hidden_wsgi(*args):
    return _wsgi(*args)


def hidden_asgi(*args):
    return _asgi(*args)
