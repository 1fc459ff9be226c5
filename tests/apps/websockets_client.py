"""A client made of the websockets library: talks to /echo at the URL it is given, trusting the certificate it is given, and prints what it saw."""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect


async def main(url: str, certificate: str) -> None:
    tls = ssl.create_default_context(cafile=certificate) if certificate else None
    messages: list[str | bytes] = ["", "grüße €", "x" * 1_000_000, bytes(range(256)) * 8192, b""]
    async with connect(url, ssl=tls, subprotocols=["chat"], max_size=None) as socket:
        print(
            "subprotocol",
            socket.subprotocol,
            "extensions",
            *(extension.name for extension in socket.protocol.extensions),
        )
        for message in messages:
            await socket.send(message)
            assert await socket.recv() == message

        # In fragments, with a ping between them.
        async def fragments():
            yield "in "
            await (await socket.ping())
            yield "parts"

        await socket.send(fragments())
        print(await socket.recv())
        await socket.close(4003, "done")
    print("closed", socket.close_code)


asyncio.run(main(sys.argv[1], sys.argv[2]))
