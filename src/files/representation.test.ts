/** Versions of files: what their validators may promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { versionOf } from "./representation.ts";

const NOW = Date.UTC(2026, 5, 1);
const AN_HOUR = 3_600_000;

test("the tag is of the content where that is known, else of time and size", () => {
  const facts = { size: 5, mtimeMs: NOW - AN_HOUR, ctimeMs: NOW - AN_HOUR };
  assert.equal(versionOf(facts, "abc", null, NOW).etag, '"abc"');
  const plain = versionOf(facts, null, null, NOW);
  assert.match(plain.etag, /^"[a-z0-9]+-5"$/);
  assert.equal(plain.modifiedAt, NOW - AN_HOUR);
  assert.notEqual(versionOf(facts, null, "br", NOW).etag, plain.etag);
  assert.notEqual(versionOf({ ...facts, mtimeMs: NOW - AN_HOUR - 1 }, null, null, NOW).etag, plain.etag);
});

test("what may change again unseen promises less", () => {
  const fresh = { size: 5, mtimeMs: NOW - 100, ctimeMs: NOW - 100 };
  assert.match(versionOf(fresh, null, null, NOW).etag, /^W\//);
  assert.equal(versionOf(fresh, null, null, NOW).isDateStrong, false);
  assert.equal(versionOf(fresh, "abc", null, NOW).etag, '"abc"');
  // Moved here just now, with an old date.
  assert.equal(versionOf({ ...fresh, mtimeMs: NOW - AN_HOUR }, null, null, NOW).isDateStrong, false);
});

test("a date that says nothing is not sent: one of a reproducible build, one of the future", () => {
  const built = { size: 5, mtimeMs: 1000, ctimeMs: NOW - AN_HOUR };
  const version = versionOf(built, null, null, NOW);
  assert.equal(version.modifiedAt, -1);
  assert.notEqual(version.etag, versionOf({ ...built, ctimeMs: NOW - AN_HOUR + 60_000 }, null, null, NOW).etag);
  assert.equal(versionOf({ ...built, mtimeMs: NOW + AN_HOUR }, null, null, NOW).modifiedAt, -1);
});
