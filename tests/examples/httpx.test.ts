/** httpx over HTTP/2 (its own stack: h2 and hpack), which the examples' environment has. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { authority, serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred } from "../support/maitred.ts";
import { examplesPython, temporaryFolder, testApps } from "../support/places.ts";

const CLIENT = `
import asyncio, httpx, os, ssl, sys
base, authority = sys.argv[1:]
async def main():
    context = ssl.create_default_context(cafile=authority)
    async with httpx.AsyncClient(http1=False, http2=True, verify=context, base_url=base, timeout=20) as client:
        answers = await asyncio.gather(*(client.get("/", params={"n": n}) for n in range(60)))
        assert {(a.http_version, a.status_code, a.text) for a in answers} == {("HTTP/2", 200, "hello")}, answers
        content = os.urandom(3_000_000)
        async def pieces():
            for at in range(0, len(content), 50_000):
                yield content[at:at + 50_000]
        whole, streamed = await asyncio.gather(client.post("/echo", content=content), client.post("/echo", content=pieces()))
        assert whole.content == content and streamed.content == content
        async with client.stream("GET", "/large", params={"bytes": 8_000_000}) as left_early:
            async for _ in left_early.aiter_raw():
                break
        assert (await client.head("/")).headers["content-length"] == "5"
        assert (await client.get("/", headers={"x-long": "x" * 20_000})).status_code == 431
        assert (await client.get("/")).text == "hello"
asyncio.run(main())
print("all well")
`;

test("httpx multiplexes, uploads, leaves a response early and goes on, over one HTTP/2 connection", async () => {
  const folder = temporaryFolder();
  const authorityFile = join(folder, "authority.pem");
  writeFileSync(authorityFile, authority.cert);
  const identity = writeIdentity(folder, serverIdentity("localhost"));
  const app = ["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, "-k", "sync", "wsgi_app:application"];
  const server = await startMaitred([...identity, ...app]);
  const args = ["-c", CLIENT, `https://127.0.0.1:${server.port}`, authorityFile];
  const { stdout } = await promisify(execFile)(examplesPython(), args, { timeout: 40_000 });
  assert.equal(stdout, "all well\n");
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
