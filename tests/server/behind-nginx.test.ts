/** A real nginx in front, configured as docs/behind-a-proxy.md says, and clients that try to be somebody else through it. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, suite, test } from "node:test";

import { startMaitred, type Maitred } from "../support/maitred.ts";
import { nginxPath, startNginx, type Nginx } from "../support/nginx.ts";
import { type Who, whoModels } from "../support/who.ts";

/** The client's own address: not the one that nginx has towards maitred. */
const CLIENT = "127.0.0.2";

for (const model of whoModels) {
  suite(`behind nginx, on ${model.name}`, { skip: nginxPath === null ? "no nginx is installed" : false }, () => {
    let server: Maitred;
    let nginx: Nginx;

    const ask = (headers: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> =>
      new Promise((resolve, reject) => {
        const options = { host: "127.0.0.1", port: nginx.port, localAddress: CLIENT, headers, agent: false };
        httpRequest(options, (response) => {
          let text = "";
          response.setEncoding("latin1").on("data", (data: string) => (text += data));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        })
          .on("error", reject)
          .end();
      });
    const asked = async (headers: Readonly<Record<string, string>> = {}): Promise<Who> =>
      JSON.parse((await ask(headers)).text) as Who;

    before(async () => {
      server = await startMaitred(["-b", "127.0.0.1:0", ...model.args]);
      nginx = await startNginx(`
        proxy_pass ${server.base};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;`);
    });

    after(async () => {
      await nginx.stop();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("the application sees nginx's client", async () => {
      const { address, scheme, fields } = await asked();
      assert.deepEqual([address, scheme, fields["x-forwarded-for"]], [CLIENT, "http", CLIENT]);
    });

    for (const forged of ["127.0.0.1", "6.6.6.6, 127.0.0.1", "unknown", '"', "127.0.0.1, ", "::1"]) {
      test(`a client that sends X-Forwarded-For: ${forged} is still itself`, async () =>
        assert.equal((await asked({ "x-forwarded-for": forged })).address, CLIENT));
    }

    test("a client cannot choose the scheme, the host or the path's prefix", async () => {
      const { scheme, mount, fields } = await asked({
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.example",
        "x-forwarded-prefix": "/evil",
        "x-forwarded-port": "1",
      });
      assert.deepEqual([scheme, mount, fields["host"]], ["http", "", "127.0.0.1"]);
    });

    for (const forged of [
      "for=127.0.0.1",
      "for=6.6.6.6;proto=https",
      `for=${CLIENT};proto=https`,
      'for="',
      "for=_hidden",
      "nonsense",
    ]) {
      test(`a client that sends Forwarded: ${forged} is refused`, async () =>
        assert.equal((await ask({ forwarded: forged })).status, 400));
    }

    test("a Forwarded that only agrees changes nothing", async () => {
      const { address, scheme, fields } = await asked({ forwarded: `for=${CLIENT};proto=http;host=evil.example` });
      assert.deepEqual([address, scheme, fields["host"]], [CLIENT, "http", "127.0.0.1"]);
    });
  });
}
