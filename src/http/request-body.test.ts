import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RequestBody } from "./request-body.ts";

test("whatever is pushed and however it is taken, the bytes come out in order", () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ maxLength: 9 }) }),
    fc.record({ take: fc.nat(12) }),
    fc.record({ putBack: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const body = new RequestBody();
      const pushed: number[] = [];
      const taken: number[] = [];
      let last: Buffer[] = [];
      for (const one of steps) {
        if ("push" in one) {
          body.push(Buffer.from(one.push));
          pushed.push(...one.push);
        } else if ("take" in one) {
          last = body.take(one.take);
          const bytes = Buffer.concat(last);
          assert.ok(bytes.length <= one.take);
          taken.push(...bytes);
        } else {
          body.putBack(last);
          taken.length -= Buffer.concat(last).length;
          last = [];
        }
        assert.equal(body.size, pushed.length - taken.length);
        assert.deepEqual(taken, pushed.slice(0, taken.length));
      }
      assert.deepEqual([...taken, ...Buffer.concat(body.take(body.size))], pushed);
      assert.equal(body.size, 0);
    }),
  );
});

test("the consumer hears of bytes and of the end, the producer of what was taken", () => {
  const body = new RequestBody();
  const heard: string[] = [];
  body.onReadable = () => heard.push(`readable ${body.size} ${body.isEnded}`);
  body.onTaken = () => heard.push(`taken, ${body.size} left`);
  body.push(Buffer.from("abcdef"));
  assert.deepEqual(body.take(4).map(String), ["abcd"]);
  body.end();
  assert.deepEqual(body.take(4).map(String), ["ef"]);
  assert.deepEqual(body.take(4), []);
  assert.deepEqual(heard, ["readable 6 false", "taken, 2 left", "readable 2 true", "taken, 0 left"]);
});

test("a chunk that is taken in parts is not copied", () => {
  const body = new RequestBody();
  const chunk = Buffer.from("abcdef");
  body.push(chunk);
  const parts = [...body.take(4), ...body.take(4)];
  assert.ok(parts.every((part) => part.buffer === chunk.buffer));
});
