import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import type { Log } from "./log.ts";
import { OperationalLog, timestamp } from "./operational-log.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-log-"));
after(() => rmSync(folder, { recursive: true }));

test("a line has time, pid and level, and is there at once", () => {
  const path = join(folder, "format");
  const log = new OperationalLog(path, "debug", new FakeClock());
  log.info("Listening at: http://127.0.0.1:8000");
  const [, stamp, rest] = /^\[([^\]]+)\] (.*\n)$/.exec(readFileSync(path, "utf8"))!;
  assert.match(stamp!, /^2026-11-2[01] \d\d:\d\d:28 [+-]\d{4}$/);
  assert.equal(rest, `[${process.pid}] [INFO] Listening at: http://127.0.0.1:8000\n`);
});

test("a stamp is local time with its offset", () => {
  const date = new Date(2026, 0, 2, 3, 4, 5);
  const minutes = -date.getTimezoneOffset();
  const zone = `${minutes < 0 ? "-" : "+"}${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, "0")}${String(Math.abs(minutes) % 60).padStart(2, "0")}`;
  assert.equal(timestamp(date), `2026-01-02 03:04:05 ${zone}`);
});

test("each level writes itself and what is worse", () => {
  const levels: readonly (keyof Log)[] = ["debug", "info", "warning", "error", "critical"];
  for (const [i, least] of levels.entries()) {
    const path = join(folder, least);
    const log = new OperationalLog(path, least, new FakeClock());
    for (const level of levels) log[level](`a ${level} line`);
    const written = readFileSync(path, "utf8").match(/(?<=a )\w+(?= line)/g);
    assert.deepEqual(written, levels.slice(i));
  }
});

test("reopened, the new file has the rest; where that is not possible the old one goes on", () => {
  const inner = mkdtempSync(join(folder, "inner-"));
  const path = join(inner, "log");
  const log = new OperationalLog(path, "info", new FakeClock());
  log.info("first");
  renameSync(path, `${path}.1`);
  log.reopen();
  log.info("second");
  assert.match(readFileSync(`${path}.1`, "utf8"), /first\n$/);
  assert.match(readFileSync(path, "utf8"), /second\n$/);
  const moved = `${inner}-moved`;
  renameSync(inner, moved);
  assert.throws(() => log.reopen(), { code: "ENOENT" });
  log.info("third");
  assert.match(readFileSync(join(moved, "log"), "utf8"), /second\n.*third\n$/);
});
