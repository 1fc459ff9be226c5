import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestBody } from "../http/request-body.ts";
import { MAX_BODY_FRAME, REQUEST_CREDIT, ToWorker, WireError } from "../wire/frames.ts";
import { Uploads } from "./uploads.ts";

function uploadsWithLog(): { uploads: Uploads; sent: string[] } {
  const sent: string[] = [];
  const uploads = new Uploads((parts) => {
    const [type, id, length] = [parts[0]![4], parts[0]![5], parts[0]!.readUInt32LE(0)];
    assert.equal(
      length,
      parts.reduce((sum, part) => sum + part.length, -8),
    );
    sent.push(`${type === ToWorker.body ? "body" : type === ToWorker.end ? "end" : "?"} ${id} ${length}`);
  });
  return { uploads, sent };
}

function credit(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(bytes);
  return payload;
}

test("a body goes out as it comes, and ends once", () => {
  const { uploads, sent } = uploadsWithLog();
  const body = new RequestBody();
  body.push(Buffer.alloc(10));
  uploads.open(3, body, false);
  body.push(Buffer.alloc(5));
  body.end();
  uploads.grant(3, credit(9));
  assert.deepEqual(sent, ["body 3 10", "body 3 5", "end 3 0"]);
});

test("no more than the credit, and no frame beyond its limit", () => {
  const { uploads, sent } = uploadsWithLog();
  const body = new RequestBody();
  uploads.open(1, body, false);
  body.push(Buffer.alloc(REQUEST_CREDIT + 700_000));
  body.end();
  assert.deepEqual(sent, [`body 1 ${REQUEST_CREDIT}`]);
  uploads.grant(1, credit(100));
  uploads.grant(1, credit(600_000));
  assert.deepEqual(sent.slice(1), [
    "body 1 100",
    `body 1 ${MAX_BODY_FRAME}`,
    `body 1 ${MAX_BODY_FRAME}`,
    `body 1 ${600_000 - 2 * MAX_BODY_FRAME}`,
  ]);
  uploads.grant(1, credit(99_900));
  assert.deepEqual(sent.slice(5), ["body 1 99900", "end 1 0"]);
});

test("of a client that waits for 100 Continue nothing goes out before the app asks, which the client is told", () => {
  const { uploads, sent } = uploadsWithLog();
  const body = new RequestBody();
  let wanted = 0;
  body.onWanted = () => wanted++;
  uploads.open(2, body, true);
  body.push(Buffer.alloc(7));
  body.end();
  assert.deepEqual([sent, wanted], [[], 0]);
  uploads.grant(2, credit(0));
  uploads.grant(2, credit(0));
  assert.deepEqual([sent, wanted], [["body 2 7", "end 2 0"], 1]);
});

test("after the close nothing goes out, and credit for nobody is ignored", () => {
  const { uploads, sent } = uploadsWithLog();
  const body = new RequestBody();
  uploads.open(2, body, false);
  uploads.close(2);
  assert.equal(uploads.isEmpty, true);
  body.push(Buffer.alloc(7));
  uploads.grant(2, credit(5));
  uploads.close(2);
  assert.deepEqual(sent, []);
  assert.throws(() => uploads.grant(9, Buffer.alloc(3)), WireError);
});
