import assert from "node:assert/strict";
import { test } from "node:test";
import { headerName } from "./header-names.ts";

test("a name that is no token is none", () => {
  for (const raw of ["", "a b", "a:", "\xe9", "a\r\n", "a\0", "(a)"])
    assert.equal(headerName(raw), undefined, JSON.stringify(raw));
});

test("every spelling knows its lower-case form and what it is to the codec", () => {
  const name = headerName("CONTENT-length")!;
  assert.deepEqual(
    [name.raw, name.lower, name.kind, name.hasUnderscore],
    ["CONTENT-length", "content-length", "content-length", false],
  );
  assert.equal(headerName("X_Y")!.hasUnderscore, true);
  assert.equal(headerName("X-Anything")!.kind, "other");
});

test("a flood of invented names leaves the well-known ones interned and the table bounded", () => {
  for (let i = 0; i < 3000; i++) headerName(`X-Invented-${i}`);
  assert.equal(headerName("Sec-Fetch-Mode"), headerName("Sec-Fetch-Mode"));
  assert.equal(headerName("x-request-id"), headerName("x-request-id"));
  assert.equal(headerName("X-Never-Seen")!.index, -1);
  assert.equal(
    headerName("transfer-ENCODING")!.kind,
    "transfer-encoding",
    "a spelling beyond the bound still means what it means",
  );
});
