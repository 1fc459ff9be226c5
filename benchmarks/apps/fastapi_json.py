"""A FastAPI endpoint that answers with a small JSON object."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def item() -> dict[str, object]:
    return {"message": "Hello, World!", "items": [1, 2, 3], "ok": True}
