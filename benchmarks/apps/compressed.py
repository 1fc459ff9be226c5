"""WSGI answers that are worth compressing: 10 KB of JSON, a page of 40 KB. Made once: what is measured is the server."""

import json
import random

chosen = random.Random(6)
NAMES = ["Solaris", "Ubik", "Stalker", "Metropolis", "Brazil", "Gattaca", "Alphaville", "Primer", "Contact", "Moon"]
ITEMS = [
    {
        "id": number,
        "title": f"{chosen.choice(NAMES)} {chosen.randrange(1000)}",
        "price": round(chosen.random() * 50, 2),
        "tags": chosen.sample(["new", "classic", "short", "novel", "film"], 2),
        "available": chosen.random() < 0.5,
    }
    for number in range(300)
]
JSON = json.dumps({"message": "Hello, World!", "items": ITEMS[:96]}).encode()
ROWS = "".join(
    f"""<tr class="item" id="item-{one["id"]}"><td><a href="/items/{one["id"]}">{one["title"]}</a></td>
<td class="price">{one["price"]}</td><td class="tags">{", ".join(one["tags"])}</td></tr>"""
    for one in ITEMS
)
HTML = (
    f"<!doctype html><html><head><title>Hello, World!</title></head><body><table>{ROWS}</table></body></html>".encode()
)


def answering(kind, body):
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]

    def app(environ, start_response):
        start_response("200 OK", headers)
        return [body]

    return app


json = answering("application/json", JSON)
html = answering("text/html; charset=utf-8", HTML)
