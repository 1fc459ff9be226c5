"""The kitchen's side of a single-page app: a menu and orders as JSON. The pages themselves are web/, built by Vite into web/dist."""

import itertools
from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI(title="Menu", docs_url="/api/docs", openapi_url="/api/openapi.json")

MENU = {"soup": "Onion soup", "stew": "Lentil stew", "tart": "Lemon tart"}
numbers = itertools.count(1)


class Dish(BaseModel):
    key: str
    name: str


class Order(BaseModel):
    dish: str
    portions: Annotated[int, Field(ge=1, le=20)] = 1


class Ticket(BaseModel):
    number: int
    name: str
    portions: int


@app.get("/api/dishes")
async def dishes() -> list[Dish]:
    return [Dish(key=key, name=name) for key, name in MENU.items()]


@app.post("/api/orders", status_code=201)
async def order(wanted: Order) -> Ticket:
    if wanted.dish not in MENU:
        raise HTTPException(404, "There is no such dish.")
    return Ticket(number=next(numbers), name=MENU[wanted.dish], portions=wanted.portions)
