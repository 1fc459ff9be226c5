"""An ASGI application for a real browser: a page of many resources, and a WebSocket that sends back what it gets and says over which HTTP it came."""

from pathlib import Path
from typing import Any

IMAGES = 24
PAGE = f"""<!doctype html><html lang=en><meta charset=utf-8><title>maitred</title>
<link rel=icon href="data:,"><link rel=stylesheet href=/style.css><script src=/script.js defer></script>
{"".join(f'<img alt="" src=/image/{number}.svg>' for number in range(IMAGES))}</html>"""
IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="green"/></svg>'
RESOURCES = {
    "/": ("text/html", PAGE),
    "/style.css": ("text/css", "body { color: rgb(1, 2, 3) }"),
    "/script.js": ("text/javascript", Path(__file__).with_name("browser-page.js").read_text("utf-8")),
}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "http":
        kind, text = RESOURCES.get(scope["path"], ("image/svg+xml", IMAGE))
        headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})
        return
    await receive()
    chosen = "chat" if "chat" in scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": chosen})
    extensions = dict(scope["headers"]).get(b"sec-websocket-extensions", b"").decode()
    await send({"type": "websocket.send", "text": f"{scope['scheme']} {scope['http_version']} {extensions}"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print(f"disconnect {message['code']} {message.get('reason', '')!r}", flush=True)
            return
        text = message.get("text")
        if text == "close":
            await send({"type": "websocket.close", "code": 4002, "reason": "as asked: grüße"})
            return
        if text is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
