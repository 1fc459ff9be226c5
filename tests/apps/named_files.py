"""Names files in its responses: the query says by which header and which file."""

import os
from urllib.parse import parse_qs


def application(environ, start_response):
    asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    headers = [("Content-Disposition", 'attachment; filename="named"'), ("Set-Cookie", "seen=1")]
    if "type" in asked:
        headers.append(("Content-Type", asked["type"]))
    if "etag" in asked:
        headers.append(("ETag", asked["etag"]))
    if "accel" in asked:
        headers += [("X-Accel-Redirect", asked["accel"]), ("X-Accel-Buffering", "no")]
    if "sendfile" in asked:
        headers.append(("X-Sendfile", asked["sendfile"]))
    if "plain" in asked:
        headers += [("X-Accel-Limit-Rate", "100"), ("X-Plain", "1")]
    if "wrap" in asked:
        headers.append(("Content-Length", str(os.path.getsize(asked["wrap"]))))
    start_response(asked.get("status", "200 OK"), headers)
    if "wrap" in asked:
        return environ["wsgi.file_wrapper"](open(asked["wrap"], "rb"))
    body = b"the app's own body, " + environ["PATH_INFO"].encode("latin-1") + b" " + environ["REQUEST_METHOD"].encode()
    return [body, b"!"] if "streamed" in asked else [body]
