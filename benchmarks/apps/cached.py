"""A page of 1 KB that may be kept: what is measured is the cache before it."""

BODY = b"<h1>Hello, World!</h1>".ljust(1024, b".")


def wsgi(environ, start_response):
    headers = [
        ("Content-Type", "text/html"),
        ("Content-Length", str(len(BODY))),
        ("Cache-Control", "max-age=3600"),
        ("ETag", '"1"'),
    ]
    start_response("200 OK", headers)
    return [BODY]
