import assert from "node:assert/strict";
import { test } from "node:test";
import { Exchange, Peer, type ResponseSink } from "../http/exchange.ts";
import { HeaderBlock } from "../http/header-block.ts";
import { headerName } from "../http/header-names.ts";
import { answerBroken } from "./broken-page.ts";

function answer(accept: string): { status: number; type: string | undefined; body: string } {
  const got = { status: 0, type: undefined as string | undefined, body: "" };
  const sink = {
    complete: (_exchange, status, _reason, fields, body) =>
      Object.assign(got, { status, type: fields.flat[1], body: String(body) }),
  } as Partial<ResponseSink> as ResponseSink;
  const headers = new HeaderBlock([headerName("Accept")!], [accept], true, false, false);
  const head = { method: "GET", target: "/", path: "/", query: "", version: "1.1", headers } as Exchange["head"];
  const exchange = new Exchange(head, new Peer("127.0.0.1", 1, "x", 80, "http"), sink, 0);
  answerBroken(exchange, "<main>:app", 'a "message"', "Traceback\n  <script>alert('é')</script>\n");
  return got;
}

test("browsers get a page in which nothing of the traceback is markup", () => {
  const { status, type, body } = answer("text/html,*/*;q=0.8");
  assert.deepEqual([status, type], [500, "text/html; charset=utf-8"]);
  assert.ok(body.includes("&#60;script&#62;alert(&#39;é&#39;)&#60;/script&#62;"));
  assert.ok(body.includes("<title>&#60;main&#62;:app cannot start</title>"));
  assert.doesNotMatch(body, /<script|<main/);
});

test("others get the traceback as text", () => {
  const { status, type, body } = answer("application/json");
  assert.deepEqual([status, type], [500, "text/plain; charset=utf-8"]);
  assert.equal(body, "<main>:app cannot start: a \"message\"\n\nTraceback\n  <script>alert('é')</script>\n");
});
