"""A kitchen in FastAPI: JSON orders, server-sent events, background work, lifespan state, uploads, a plain `def`.

The state lives in this process, so with several workers each has a kitchen of its own.
"""

import asyncio
import hashlib
import itertools
import json
import logging
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

from fastapi import BackgroundTasks, FastAPI, HTTPException, Query, Request, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

log = logging.getLogger("kitchen")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


@dataclass
class Kitchen:
    opened: float
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    cooking: set[int] = field(default_factory=set)
    served: dict[int, str] = field(default_factory=dict)


class State(TypedDict):
    kitchen: Kitchen


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[State]:
    log.info("the kitchen opens")
    yield {"kitchen": Kitchen(opened=time.time())}
    log.info("the kitchen closes")


app = FastAPI(title="Kitchen", lifespan=lifespan)


class Order(BaseModel):
    dish: str = Field(min_length=1, max_length=80)
    portions: int = Field(default=1, ge=1, le=20)


class Ticket(BaseModel):
    number: int
    dish: str
    portions: int


class Report(BaseModel):
    name: str | None
    size: int
    sha256: str


def kitchen_of(request: Request) -> Kitchen:
    kitchen: Kitchen = request.state.kitchen
    return kitchen


@app.get("/")
async def index(request: Request) -> dict[str, float | int]:
    kitchen = kitchen_of(request)
    return {
        "opened": kitchen.opened,
        "cooking": len(kitchen.cooking),
        "served": len(kitchen.served),
        "pid": os.getpid(),
    }


@app.post("/orders", status_code=201)
async def order(order: Order, tasks: BackgroundTasks, request: Request) -> Ticket:
    """Answers at once; the dish is cooked after the response has left."""
    kitchen = kitchen_of(request)
    number = next(kitchen.numbers)
    kitchen.cooking.add(number)
    tasks.add_task(cook, kitchen, number, order.dish)
    return Ticket(number=number, dish=order.dish, portions=order.portions)


async def cook(kitchen: Kitchen, number: int, dish: str) -> None:
    await asyncio.sleep(0.2)
    kitchen.cooking.discard(number)
    kitchen.served[number] = dish
    log.info("order %d is served: %s", number, dish)


@app.get("/orders/{number}")
async def order_status(number: int, request: Request) -> dict[str, str]:
    kitchen = kitchen_of(request)
    if number in kitchen.cooking:
        return {"status": "cooking"}
    if number in kitchen.served:
        return {"status": "served", "dish": kitchen.served[number]}
    raise HTTPException(404, f"no order {number}")


@app.get("/events")
async def events(count: Annotated[int, Query(ge=1, le=1_000)] = 10) -> StreamingResponse:
    """Server-sent events: try `curl -N`, or `new EventSource("/events")` in a browser."""
    return StreamingResponse(event_stream(count), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def event_stream(count: int) -> AsyncIterator[str]:
    sent = 0
    try:
        for number in range(1, count + 1):
            yield f"id: {number}\nevent: tick\ndata: {json.dumps({'number': number, 'of': count})}\n\n"
            sent = number
            await asyncio.sleep(0.1)
    finally:
        log.info("events over after %d of %d", sent, count)


@app.post("/upload")
async def upload(file: UploadFile) -> Report:
    digest = hashlib.sha256()
    size = 0
    while chunk := await file.read(65_536):
        digest.update(chunk)
        size += len(chunk)
    return Report(name=file.filename, size=size, sha256=digest.hexdigest())


@app.get("/slow")
async def slow(seconds: Annotated[float, Query(ge=0, le=10)] = 0.5) -> dict[str, float]:
    await asyncio.sleep(seconds)
    return {"waited": seconds}


@app.get("/sync")
def sync(seconds: Annotated[float, Query(ge=0, le=10)] = 0.0) -> dict[str, str]:
    """A plain `def`: FastAPI runs it in its thread pool, so it may block."""
    time.sleep(seconds)
    return {"thread": threading.current_thread().name}


@app.get("/error")
async def error() -> None:
    raise RuntimeError("an error on purpose")
