/** A real browser: Chromium loads a page of many resources and opens WebSockets from it, in the clear and over TLS with HTTP/1.1 and HTTP/2. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import type { Page } from "playwright-core";

import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { newPage, withoutChromium } from "../support/chromium.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

const start = ["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, "browser_app:application"];

/** What tests/apps/browser-page.js tells of the page it runs in. */
interface Loaded {
  readonly script: string;
  readonly color: string;
  readonly images: number;
  readonly protocols: readonly string[];
}

/** What a WebSocket told the page. */
interface Told {
  readonly opened: string;
  readonly protocol: string;
  readonly extensions: string;
  readonly text: string;
  readonly bytes: readonly number[];
  readonly isWhole: boolean;
  readonly order: string;
  readonly closed: string;
}

const NUMBERS = Array.from({ length: 100 }, (_, number) => number).join(" ");

/** `left`: on HTTP/2 Chromium resets the stream of a page that is left, and says no 1001 before. */
const SITES = [
  { name: "plain HTTP", tls: false, more: [], protocol: "http/1.1", opened: "ws 1.1", left: 1001 },
  { name: "TLS with HTTP/2", tls: true, more: [], protocol: "h2", opened: "wss 2", left: 1006 },
  { name: "TLS with HTTP/1.1", tls: true, more: ["--no-http2"], protocol: "http/1.1", opened: "wss 1.1", left: 1001 },
] as const;

for (const { name, tls, more, protocol, opened, left } of SITES) {
  suite(`a browser and ${name}`, { skip: withoutChromium }, () => {
    let server: Maitred;
    let page: Page;

    before(async () => {
      const files = tls ? writeIdentity(temporaryFolder(), serverIdentity("localhost")) : [];
      server = await startMaitred([...files, ...more, ...start]);
      page = await newPage();
    });
    after(async () => {
      const { code } = await server.stop();
      await page.context().close();
      assert.equal(code, 0);
    });

    test(`a page, its style, its script and 24 images come over ${protocol}`, async () => {
      await page.goto(server.base, { waitUntil: "load" });
      const loaded: Loaded = await page.evaluate("loaded()");
      assert.equal(loaded.script, "ran");
      assert.equal(loaded.color, "rgb(1, 2, 3)");
      assert.equal(loaded.images, 24);
      assert.deepEqual(
        loaded.protocols,
        Array.from({ length: 27 }, () => protocol),
      );
    });

    for (const closer of ["page", "app"] as const) {
      test(`a WebSocket says what it has to say, and the ${closer} closes it`, async () => {
        await page.goto(server.base, { waitUntil: "load" });
        const told: Told = await page.evaluate(`talk(${JSON.stringify(closer)})`);
        // Our answer to a Close repeats its code alone.
        assert.equal(told.closed, closer === "page" ? "4001  true" : "4002 as asked: grüße true");
        assert.match(told.opened, new RegExp(`^${opened} permessage-deflate`));
        assert.equal(told.protocol, "chat");
        assert.match(told.extensions, /^permessage-deflate/);
        assert.equal(told.text, "grüße €");
        assert.deepEqual(told.bytes, [0, 1, 254, 255]);
        assert.ok(told.isWhole, "a megabyte came back changed");
        assert.equal(told.order, NUMBERS);
        if (closer === "page") await server.waitForLine(/disconnect 4001 'enough'/);
      });
    }

    test(`a page that is left takes its WebSocket with it, and the application hears ${left}`, async () => {
      await page.goto(server.base, { waitUntil: "load" });
      await page.evaluate("stay()");
      await page.goto("about:blank");
      await server.waitForLine(new RegExp(`disconnect ${left} ''`));
    });
  });
}
