"""What slow, idle and large clients ask for: a small answer, a large one of `bytes`, and the length of a body that is read to its end."""

BODY = b"Hello, World!"
PIECE = 65536


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/large":
        body = b"x" * int(environ["QUERY_STRING"].partition("=")[2])
    elif path == "/length":
        length = 0
        while piece := environ["wsgi.input"].read(PIECE):
            length += len(piece)
        body = str(length).encode()
    else:
        body = BODY
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
