import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { headersSettings, requestHeadersSettings } from "../config/sites/headers.ts";
import { methodsSettings } from "../config/sites/methods.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { answerWith, asked, Destination, through } from "./house.test.ts";
import { allowingMethods } from "./methods.ts";
import { settingRequestHeaders } from "./request-headers.ts";
import { settingHeaders } from "./response-headers.ts";

const answering = (...flat: string[]): Destination => new Destination(answerWith(200, ...flat));

suite("header fields of responses", () => {
  test("are removed, set, added, and given where there are none", () => {
    const stage = settingHeaders(
      headersSettings.parse({
        remove: ["X-Powered-By"],
        set: { "X-One": "ours" },
        add: { Link: ["</a>", "</b>"] },
        default: { "Cache-Control": "no-cache", "X-Two": "ours" },
      }),
    );
    const app = answering("X-Powered-By", "PHP", "x-one", "app", "Link", "</app>", "x-two", "app");
    assert.deepEqual(through(stage, {}, app).answer?.fields, {
      link: "</app>, </a>, </b>",
      "x-two": "app",
      "x-one": "ours",
      "cache-control": "no-cache",
    });
  });

  test("errors that are made here have them too", () => {
    const stage = settingHeaders(headersSettings.parse({ set: { "X-One": "1" } }));
    const limited = allowingMethods(methodsSettings.parse(["GET"]));
    const { answer } = through((next) => stage(limited(next)), { method: "DELETE" });
    assert.deepEqual([answer?.status, answer?.fields["x-one"], answer?.fields["allow"]], [405, "1", "GET, HEAD"]);
  });

  test("fields that an app repeats are changed once, so that codecs can keep what they made of them", () => {
    const stage = settingHeaders(headersSettings.parse({ preset: "secure" }));
    const seen: ResponseFields[] = [];
    const fields = ownFields(["Content-Type", "text/html"]);
    const destination = new Destination((exchange) => exchange.complete(200, "OK", fields, ""));
    for (let count = 0; count < 2; count++) {
      const { exchange } = asked();
      stage(destination.handler)(exchange);
      seen.push(exchange.responseFields!);
    }
    assert.equal(seen[0], seen[1]);
  });

  test("what frames the message cannot be set", () => {
    for (const name of ["Content-Length", "transfer-encoding", "Connection", "a b", ""])
      assert.equal(headersSettings.safeParse({ set: { [name]: "1" } }).success, false, name);
    for (const value of ["a\r\nb", "a\0", "\u2028"])
      assert.equal(headersSettings.safeParse({ set: { "X-A": value } }).success, false, JSON.stringify(value));
  });
});

suite("the secure preset", () => {
  const stage = settingHeaders(headersSettings.parse({ preset: "secure" }));

  test("says what a careful site says", () => {
    assert.deepEqual(through(stage, { scheme: "https" }).answer?.fields, {
      "x-content-type-options": "nosniff",
      "referrer-policy": "strict-origin-when-cross-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
      "x-frame-options": "SAMEORIGIN",
      "content-security-policy": "frame-ancestors 'self'",
      "cross-origin-opener-policy": "same-origin",
    });
    assert.equal(through(stage).answer?.fields["cross-origin-opener-policy"], undefined, "means nothing over http");
  });

  test("never says again what the app has said", () => {
    const flat = ["X-Content-Type-Options", "", "referrer-policy", "no-referrer", "Permissions-Policy", "camera=*"];
    const { answer } = through(stage, {}, answering(...flat));
    assert.equal(answer?.fields["referrer-policy"], "no-referrer");
    assert.equal(answer.fields["permissions-policy"], "camera=*");
    assert.equal(answer.fields["x-content-type-options"], "");
  });

  test("overrules nothing that the app says about frames, in either way of saying it", () => {
    const frames = (...flat: string[]): (string | undefined)[] => {
      const { answer } = through(stage, {}, answering(...flat));
      return [answer?.fields["x-frame-options"], answer?.fields["content-security-policy"]];
    };
    assert.deepEqual(frames("X-Frame-Options", "DENY"), ["DENY", undefined]);
    const policy = "default-src 'self'; Frame-Ancestors https://a.example";
    assert.deepEqual(frames("Content-Security-Policy", policy), [undefined, policy]);
    assert.deepEqual(frames("Content-Security-Policy", "default-src 'self'"), ["SAMEORIGIN", "default-src 'self'"]);
  });

  test("does not bring back what the configuration takes away", () => {
    const without = settingHeaders(headersSettings.parse({ preset: "secure", remove: ["Permissions-Policy"] }));
    assert.equal(through(without).answer?.fields["permissions-policy"], undefined);
  });
});

suite("header fields of requests", () => {
  test("are set and removed for whoever answers, with their twins that have underscores", () => {
    const stage = settingRequestHeaders(
      requestHeadersSettings.parse({ set: { "X-Tenant": "a" }, remove: ["X-Debug"] }),
    );
    const destination = new Destination();
    const fields = ["x-tenant: forged", "X_Tenant: forged", "x-debug: 1", "X-Debug: 2", "Accept: */*"];
    through(stage, { fields }, destination);
    const { headers } = destination.got[0]!.head;
    assert.deepEqual(
      headers.names.map(({ raw }, at) => `${raw}: ${headers.values[at]}`),
      ["Host: example.com", "Accept: */*", "X-Tenant: a"],
    );
  });
});

suite("methods", () => {
  const stage = allowingMethods(methodsSettings.parse(["GET", "post"]));
  test("others get 405 with Allow", () => {
    const { answer } = through(stage, { method: "PUT" });
    assert.deepEqual([answer?.status, answer?.fields["allow"]], [405, "GET, HEAD, POST"]);
    for (const method of ["GET", "HEAD", "POST"]) assert.equal(through(stage, { method }).status, 200);
  });
});
