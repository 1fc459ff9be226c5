"""The thread that hands back requests which wait behind a slow one (PROTOCOL.md, `recall`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from maitred.worker.link import JsonLink
from maitred.worker.seat import Seat


def answer_recalls(link: JsonLink, seats: Sequence[Seat]) -> None:
    """Start the thread. A seat that is not in `seats`, an asyncio one, has always started everything."""
    threading.Thread(target=_answer, args=(link, seats), name="maitred-recall", daemon=True).start()


def _answer(link: JsonLink, seats: Sequence[Seat]) -> None:
    try:
        while True:
            messages = link.receive()
            if messages is None:
                return
            for message in messages:
                if message.get("type") == "recall":
                    number = message["seat"]
                    ids = seats[number].give_back() if number < len(seats) else []
                    link.send({"type": "returned", "seat": number, "ids": ids})
    except OSError:
        return  # The front is gone; the seats see it too.
