import assert from "node:assert/strict";
import { test } from "node:test";
import { suites } from "./certificate-set.ts";
import { distinguishedName } from "./details.ts";

test("a subject is told last to first, as RFC 4514 demands", () => {
  assert.equal(distinguishedName("C=DE\nO=A\\, B & C\nCN=client"), "CN=client,O=A\\, B & C,C=DE");
  assert.equal(distinguishedName(""), "");
});

test("a list of TLS 1.2's suites leaves those of TLS 1.3 as they are, and the other way round", () => {
  assert.match(suites("ECDHE+AESGCM"), /^TLS_AES_128_GCM_SHA256:.*:ECDHE\+AESGCM$/);
  assert.match(suites("TLS_CHACHA20_POLY1305_SHA256"), /^TLS_CHACHA20_POLY1305_SHA256:ECDHE-/);
  assert.equal(suites("TLS_AES_128_GCM_SHA256:AES128-SHA"), "TLS_AES_128_GCM_SHA256:AES128-SHA");
});
