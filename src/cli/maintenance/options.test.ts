import assert from "node:assert/strict";
import { test } from "node:test";
import { maintenanceWords } from "./options.ts";

const words = (line: string): ReturnType<typeof maintenanceWords> => maintenanceWords(line.split(" "));

test("maitred maintenance knows on and off, and what may be said of it", () => {
  const target = { bind: null, pid: null, controlSocket: null };
  const on = { type: "on", target, holdMs: null, page: null, retryAfterSeconds: 60, allow: [] };
  assert.deepEqual(words("on"), on);
  assert.deepEqual(words("on --hold 30 --retry-after=2m --page down.html"), {
    ...on,
    holdMs: 30_000,
    retryAfterSeconds: 120,
    page: "down.html",
  });
  assert.deepEqual(words("on --retry-after 0 --allow 10.0.0.0/8,unix --allow ::1 -p 7"), {
    ...on,
    retryAfterSeconds: null,
    allow: ["10.0.0.0/8", "unix", "::1"],
    target: { ...target, pid: "7" },
  });
  assert.deepEqual(words("off"), { type: "off", target });
  assert.equal(maintenanceWords([]).type, "help");
  assert.equal(words("on --help").type, "help");
});

test("maitred maintenance tells what is wrong", () => {
  for (const [line, wanted] of [
    ["pause", /has no pause: it is on or off/],
    ["on --hold", /--hold needs a value/],
    ["on --hold soon", /--hold soon is not a time span/],
    ["on --hold 2h", /from 1ms to 1h/],
    ["on --allow example.com", /neither an IP address/],
    ["off --hold 3", /--hold says how it is on/],
    ["on now", /takes options only, not now/],
    ["on --fast", /unknown option --fast/],
    ["on -p 1 -b :80", /give one of them/],
  ] as const) {
    const result = words(line);
    assert.ok(result.type === "mistake", line);
    assert.match(result.message, wanted);
  }
});
