"""Things a target may name."""

import functools


def wsgi(environ, start_response):
    pass


async def asgi(scope, receive, send):
    pass


def sync_asgi(scope, receive, send):
    return asgi(scope, receive, send)


class WsgiObject:
    def __call__(self, environ, start_response):
        pass


class AsgiObject:
    async def __call__(self, scope, receive, send):
        pass


class WsgiClass:
    """PEP 3333's own example: the class is the application."""

    def __init__(self, environ, start_response):
        pass

    def __iter__(self):
        yield b""


class Asgi2Class:
    def __init__(self, scope):
        pass

    async def __call__(self, receive, send):
        pass


def asgi2_function(scope):
    pass


class Methods:
    async def asgi(self, scope, receive, send):
        pass

    def wsgi(self, environ, start_response):
        pass


class Anything:
    def __call__(self, *args):
        pass


wsgi_object = WsgiObject()
asgi_object = AsgiObject()
anything = Anything()
bound_asgi = Methods().asgi
bound_wsgi = Methods().wsgi


async def _more(extra, scope, receive, send):
    pass


partial_asgi = functools.partial(_more, 1)
partial_object = functools.partial(asgi_object)
number = 5
nothing = None


class nested:
    application = wsgi_object


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Proxy:
    """As wrapt's ObjectProxy."""

    def __init__(self, wrapped):
        self.__wrapped__ = wrapped

    def __call__(self, *args, **kwargs):
        return self.__wrapped__(*args, **kwargs)


def factory(name="wsgi", *, kind=None):
    return {"wsgi": wsgi, "asgi": asgi}[kind or name]


def bad_factory():
    raise RuntimeError("factory broke")


def type_error_inside():
    return len(5)


application = wsgi
