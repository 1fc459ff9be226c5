import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameParser } from "../../src/http/websocket/frame-parser.ts";
import { webSocketFrame } from "../../src/http/websocket/frame-writer.ts";
import { echoFrames } from "./web-socket-echo.ts";

for (const bytes of [0, 32, 125, 126, 4096]) {
  test(`the echo load's message of ${bytes} bytes is a masked text, and its answer what a server writes`, () => {
    const { question, answer } = echoFrames(bytes);
    const messages: Buffer[] = [];
    const unexpected = (): void => assert.fail("not a message");
    const parser = new FrameParser(
      {
        onMessage: (isText, piece, isLast) => {
          assert.ok(isText && isLast);
          messages.push(Buffer.from(piece));
        },
        onCompressed: unexpected,
        onPing: unexpected,
        onPong: unexpected,
        onClose: unexpected,
        onViolation: unexpected,
      },
      0,
      false,
    );
    parser.push(Buffer.from(question));
    assert.equal(messages.length, 1);
    assert.equal(messages[0]!.length, bytes);
    assert.deepEqual(webSocketFrame(1, true, false, messages[0]!), answer);
  });
}
