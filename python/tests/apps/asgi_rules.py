"""One ASGI app per rule; the path chooses."""

import asyncio
import contextvars
import sys
import time

SEEN = []
VAR = contextvars.ContextVar("var", default="unset")


class Text(bytes):
    pass


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.0"}
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                scope["state"]["from"] = "lifespan"
                await send({"type": "lifespan.startup.complete"})
            else:
                print("shutdown ran")
                await send({"type": "lifespan.shutdown.complete"})
                return
    await globals()["do_" + scope["path"].rsplit("/", 1)[1]](scope, receive, send)


async def say(send, text):
    body = text if isinstance(text, bytes) else text.encode()
    await start(send, len(body))
    await send({"type": "http.response.body", "body": body})


async def start(send, length=None, status=200):
    headers = [(b"content-type", b"text/plain")]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def do_ok(scope, receive, send):
    await say(send, "ok")


async def do_spoil(scope, receive, send):
    """Tell the scope, then spoil all of it."""
    await say(send, repr({key: scope[key] for key in sorted(scope)}))
    scope["headers"].append((b"x-spoilt", b"1"))
    scope["state"]["spoilt"] = scope["extensions"]["spoilt"] = scope["query_string"] = scope["client"] = None


async def do_scope(scope, receive, send):
    await say(send, repr({key: scope[key] for key in sorted(scope)}))


async def do_state(scope, receive, send):
    before = repr(scope["state"])
    scope["state"]["mine"] = 1
    await say(send, before)


async def do_task(scope, receive, send):
    task = asyncio.current_task()
    first = VAR.get()
    VAR.set("set")
    async_timeout = getattr(asyncio, "timeout", None)
    if async_timeout:
        try:
            async with async_timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            pass
    await asyncio.sleep(0)
    await say(send, f"{isinstance(task, asyncio.Task)} {task is asyncio.current_task()} {first}")


async def do_sleep(scope, receive, send):
    await asyncio.sleep(float(scope["query_string"] or b"0.2"))
    await say(send, "slept")


async def do_hold_loop(scope, receive, send):
    SEEN.append("held")
    time.sleep(0.5)
    await say(send, "held")


async def do_note(scope, receive, send):
    SEEN.append("noted " + scope["query_string"].decode())
    await say(send, "noted")


async def do_echo(scope, receive, send):
    messages = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] == "http.disconnect" or not message["more_body"]:
            break
    await say(send, b"".join(message.get("body", b"") for message in messages))


async def do_count(scope, receive, send):
    total, more = 0, True
    while more:
        message = await receive()
        total, more = total + len(message["body"]), message["more_body"]
    await say(send, str(total))


async def do_ignore(scope, receive, send):
    await say(send, "ignored")


async def do_stream(scope, receive, send):
    await start(send)
    for chunk in (b"a", b"", b"b"):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})


async def do_gated(scope, receive, send):
    await start(send)
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await asyncio.sleep(0.3)
    await send({"type": "http.response.body", "body": b"second"})


async def do_big(scope, receive, send):
    body = bytes(range(256)) * 12_000
    await start(send, len(body))
    await send({"type": "http.response.body", "body": body})


async def do_bigstream(scope, receive, send):
    await start(send)
    try:
        while True:
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    except OSError as error:
        SEEN.append(type(error).__name__)
        raise


async def do_seen(scope, receive, send):
    text = " ".join(SEEN)
    SEEN.clear()
    await say(send, text)


async def do_disconnect(scope, receive, send):
    await receive()
    message = await receive()
    SEEN.append(message["type"])
    try:
        await start(send)
    except OSError as error:
        SEEN.append(type(error).__name__)
    SEEN.append((await receive())["type"])


async def do_after(scope, receive, send):
    """Waits for the disconnect while another task answers, as Starlette's StreamingResponse does."""
    await receive()
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    await say(send, "answered")
    SEEN.append((await waiting)["type"])
    SEEN.append((await receive())["type"])
    try:
        await send({"type": "http.response.body", "body": b"more"})
    except RuntimeError as error:
        SEEN.append(str(error))


async def do_background(scope, receive, send):
    await say(send, "first")
    await asyncio.sleep(0.2)
    SEEN.append("background")


async def do_raise(scope, receive, send):
    raise LookupError("before the head")


async def do_raisestarted(scope, receive, send):
    await start(send)
    raise LookupError("after start, before the head has left")


async def do_raiselate(scope, receive, send):
    await start(send)
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    raise LookupError("after the head")


async def do_raisedone(scope, receive, send):
    await say(send, "fine")
    raise LookupError("after the response")


async def do_exit(scope, receive, send):
    sys.exit(5)


async def do_interrupt(scope, receive, send):
    await asyncio.sleep(0)
    raise KeyboardInterrupt


async def do_cancel(scope, receive, send):
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


async def do_return(scope, receive, send):
    return


async def do_returnstarted(scope, receive, send):
    await start(send)


async def do_returnlate(scope, receive, send):
    await start(send)
    await send({"type": "http.response.body", "body": b"a", "more_body": True})


async def do_bodyfirst(scope, receive, send):
    await send({"type": "http.response.body", "body": b"a"})


async def do_starttwice(scope, receive, send):
    await start(send)
    await start(send)


async def do_unknown(scope, receive, send):
    await start(send)
    await send({"type": "http.response.debug", "info": {}})


async def do_str(scope, receive, send):
    await start(send)
    await send({"type": "http.response.body", "body": "text"})


async def do_long(scope, receive, send):
    await start(send, 3)
    await send({"type": "http.response.body", "body": b"12345"})


async def do_short(scope, receive, send):
    await start(send, 10)
    await send({"type": "http.response.body", "body": b"12345"})


async def do_notmodified(scope, receive, send):
    await start(send, 10, 304)
    await send({"type": "http.response.body"})


async def do_header(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": eval(scope["query_string"].decode())})
    await send({"type": "http.response.body", "body": b"accepted"})


async def do_status(scope, receive, send):
    await send({"type": "http.response.start", "status": eval(scope["query_string"].decode())})
    await send({"type": "http.response.body", "body": b"accepted"})


async def do_subclass(scope, receive, send):
    from http import HTTPStatus

    await send({"type": "http.response.start", "status": HTTPStatus.CREATED, "headers": iter([[Text(b"x-a"), Text(b"b")]])})
    await send({"type": "http.response.body", "body": bytearray(b"array")})


async def do_block(scope, receive, send):
    time.sleep(0.3)
    await say(send, "blocked")

# Extensions


async def do_path(scope, receive, send):
    headers = [(b"content-length", scope["query_string"])] if scope["query_string"] else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    path = dict(scope["headers"])[b"x-path"].decode()
    try:
        await send({"type": "http.response.pathsend", "path": eval(path)})
    except Exception as error:
        SEEN.append(f"{type(error).__name__}: {error}")
        raise


async def do_trailers(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
    for part in eval(scope["query_string"].decode()):
        await send(part)


async def do_hint(scope, receive, send):
    await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.js>; rel=preload"]})
    await send({"type": "http.response.early_hint", "links": []})
    await say(send, "hinted")


async def do_latehint(scope, receive, send):
    await start(send)
    await send({"type": "http.response.early_hint", "links": []})


async def do_pieces(scope, receive, send):
    """The lengths of the body's pieces, and what follows them."""
    lengths, more = [], True
    while more:
        message = await receive()
        lengths.append(len(message["body"]))
        more = message["more_body"]
    await say(send, repr(lengths))


# WebSockets


async def do_ws(scope, receive, send):
    """Echo; what else it should do stands in the query."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        SEEN.append(repr(message)[:200])
        if message["type"] == "websocket.disconnect":
            return
        await send({**message, "type": "websocket.send"})


async def do_wswait(scope, receive, send):
    """Waits for the client to leave before it answers."""
    await receive()
    SEEN.append(repr(await receive()))
    try:
        await send({"type": "websocket.accept"})
    except OSError as error:
        SEEN.append(type(error).__name__)
        raise


async def do_wsscope(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "b", "headers": [(b"x-a", b"1"), (b"connection", b"upgrade")]})
    await send({"type": "websocket.send", "text": repr({key: scope[key] for key in sorted(scope)})})


async def do_wsreject(scope, receive, send):
    await receive()
    await send({"type": "websocket.close", "code": 4000, "reason": "no"})
    SEEN.append(repr(await receive()))
    try:
        await send({"type": "websocket.accept"})
    except RuntimeError as error:
        SEEN.append(str(error))


async def do_wsdeny(scope, receive, send):
    await receive()
    await send({"type": "websocket.http.response.start", "status": 401, "headers": [(b"x-why", b"secret")]})
    await send({"type": "websocket.http.response.body", "body": b"who are ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"you?"})
    SEEN.append(repr(await receive()))


async def do_wsdenyhalf(scope, receive, send):
    await receive()
    await send({"type": "websocket.http.response.start", "status": 401})
    await send({"type": "websocket.http.response.body", "body": b"who", "more_body": True})


async def do_wsclose(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    await send({"type": "websocket.send", "bytes": bytearray(b"last words")})
    await send({"type": "websocket.close", "code": 4001, "reason": "\xe9" * 100})
    SEEN.append(repr(await waiting))
    try:
        await send({"type": "websocket.send", "text": "more"})
    except RuntimeError as error:
        SEEN.append(str(error))


async def do_wsraise(scope, receive, send):
    await receive()
    if scope["query_string"] == b"after":
        await send({"type": "websocket.accept"})
    raise LookupError("in a WebSocket")


async def do_wsreturn(scope, receive, send):
    if scope["query_string"] == b"after":
        await send({"type": "websocket.accept"})


async def do_wswrong(scope, receive, send):
    """Sends what the query says, after accept if it begins with '!'."""
    await receive()
    text = scope["query_string"].decode()
    if text.startswith("!"):
        await send({"type": "websocket.accept"})
    try:
        await send(eval(text.lstrip("!")))
    except Exception as error:
        SEEN.append(f"{type(error).__name__}: {error}")
        raise


async def do_wsgone(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    messages = [await receive(), await receive(), await receive()]
    SEEN.append(repr(messages))
    try:
        await send({"type": "websocket.send", "text": "hello?"})
    except OSError as error:
        SEEN.append(type(error).__name__)
        raise


async def do_wsbig(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "bytes": bytes(range(256)) * 12_000})
    await send({"type": "websocket.send", "text": "done"})
    await receive()


async def do_wstimeout(scope, receive, send):
    """A send that is given up in the middle of its message, and one that is before its first byte."""
    await receive()
    await send({"type": "websocket.accept"})
    big = asyncio.ensure_future(send({"type": "websocket.send", "bytes": b"x" * 2_000_000}))
    small = asyncio.ensure_future(send({"type": "websocket.send", "text": "never"}))
    await receive()
    big.cancel()
    small.cancel()
    await asyncio.gather(big, small, return_exceptions=True)
    SEEN.append("given up")
    await send({"type": "websocket.send", "text": "after"})
    await receive()


async def do_wssleep(scope, receive, send):
    """Does not read until it is told to; ends when the client does."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.sleep(float(scope["query_string"]))
    count = 0
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            print("drained", message["code"], count)
            return
        count += 1


async def do_wsflood(scope, receive, send):
    """Sends and never waits for anything: others must have their turn all the same."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": ""})


# Lifespans


async def unsupported(scope, receive, send):
    assert scope["type"] == "http"
    await say(send, repr(scope["state"]))


async def failing(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def exiting(scope, receive, send):
    await receive()
    raise ValueError("broken startup")


async def bad_shutdown(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ValueError("broken shutdown")
    await say(send, "ok")


async def failed_shutdown(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "will not close"})
