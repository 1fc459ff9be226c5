"""A visitors' book in Flask: a form, a session cookie, a streaming generator, an upload."""

import hashlib
import time
from collections.abc import Iterator

from flask import Flask, Response, abort, flash, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

app = Flask(__name__)
# Signs the session cookie. Public, hence for this example only.
app.secret_key = "this-key-is-public-and-for-the-example-only"

PAUSE_SECONDS = 0.1
MOST_LINES = 1_000


@app.get("/")
def index() -> str:
    session["visits"] = session.get("visits", 0) + 1
    return render_template(
        "index.html", visits=session["visits"], name=session.get("name"), notes=session.get("notes", [])
    )


@app.post("/name")
def name() -> AnyResponse:
    given = request.form.get("name", "").strip()
    if not given:
        abort(400, "a name, please")
    session["name"] = given[:80]
    flash(f"Welcome, {session['name']}!")
    return redirect(url_for("index"))


@app.post("/notes")
def add_note() -> AnyResponse:
    # The notes live in the visitor's own cookie: nothing to share between workers, and 4 KB is the limit.
    session["notes"] = [*session.get("notes", []), request.form["note"].strip()[:200]][-10:]
    return redirect(url_for("index"))


@app.post("/leave")
def leave() -> AnyResponse:
    session.clear()
    return redirect(url_for("index"))


@app.route("/upload", methods=["GET", "POST"])
def upload() -> str | AnyResponse:
    if request.method == "GET":
        return render_template("upload.html")
    file = request.files["file"]
    digest = hashlib.sha256()
    size = 0
    while chunk := file.stream.read(65_536):
        digest.update(chunk)
        size += len(chunk)
    return jsonify(name=file.filename, size=size, sha256=digest.hexdigest())


@app.get("/stream")
def stream() -> Response:
    count = min(request.args.get("lines", 20, type=int), MOST_LINES)
    return Response(lines(count), mimetype="text/plain")


def lines(count: int) -> Iterator[str]:
    sent = 0
    try:
        for number in range(1, count + 1):
            yield f"line {number} of {count}\n"
            sent = number
            time.sleep(PAUSE_SECONDS)
    finally:
        app.logger.warning("stream over after %d of %d lines", sent, count)


@app.get("/error")
def error() -> str:
    raise RuntimeError("an error on purpose")
