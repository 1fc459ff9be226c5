import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, get } from "./house.test.ts";
import { httpsLocation, redirecting } from "./redirect.ts";

const cases: readonly (readonly [Parameters<typeof httpsLocation>, string | null])[] = [
  [["shop.test", 443, "/", ""], "https://shop.test/"],
  [["shop.test:80", 443, "/a", "b=c"], "https://shop.test/a?b=c"],
  [["shop.test:", 8443, "/", ""], "https://shop.test:8443/"],
  [["[::1]:80", 8443, "/", ""], "https://[::1]:8443/"],
  [["shop.test", 443, "*", ""], "https://shop.test/"],
  [["", 443, "/", ""], null],
  [[":80", 443, "/", ""], null],
];

for (const [asked, location] of cases) {
  test(`${asked.join(" ")} is at ${location}`, () => assert.equal(httpsLocation(...asked), location));
}

test("the redirecting door follows the house: its date, its end", () => {
  const client = new Client();
  const door = redirecting(client.context, () => 443);
  client.context.date = "later";
  client.context.isDraining = true;
  assert.deepEqual([door.date, door.isDraining], ["later", true]);
});

test("a client is sent to https and may go on asking", async () => {
  const outer = new Client();
  const client = new Client(redirecting(outer.context, () => 8443));
  await client.sends(get("/x"), get("/y"));
  const answer = await client.received();
  assert.match(answer, /^HTTP\/1\.1 301 Moved Permanently\r\nLocation: https:\/\/h:8443\/x\r\n/);
  assert.match(answer, /Location: https:\/\/h:8443\/y\r\n/);
});
