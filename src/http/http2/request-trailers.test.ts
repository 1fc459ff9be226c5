import assert from "node:assert/strict";
import { test } from "node:test";

import { isTrailerSection } from "./request-trailers.ts";

test("fields are trailers, whatever they are called", () => {
  for (const flat of [[], ["x-sum", "abc"], ["grpc-status", "0", "grpc-message", ""], ["x", "caf\xc3\xa9"]])
    assert.ok(isTrailerSection(flat), flat.join());
});

test("what is malformed in a head is malformed in trailers, and what frames or routes has no place in them", () => {
  for (const flat of [
    [":path", "/"],
    ["X-Sum", "abc"],
    ["", "abc"],
    ["a b", "c"],
    ["a:", "c"],
    ["a\r\nb", "c"],
    ["a", "b\r\nc"],
    ["a", "b\nc"],
    ["a", "b\0c"],
    ["a", " b"],
    ["a", "b "],
    ["host", "x"],
    ["content-length", "5"],
    ["transfer-encoding", "chunked"],
    ["connection", "close"],
    ["upgrade", "websocket"],
  ])
    assert.ok(!isTrailerSection(["x-good", "1", ...flat]), JSON.stringify(flat));
});
