/**
 * Two parsers that disagree are how requests are smuggled, so ours is held against the one of node:http (llhttp, its strict mode): what that
 * one refuses with 400, ours must refuse too. The other way round it may, and does, refuse more.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { DEFAULT_HEAD_LIMITS } from "./head-limits.ts";
import { REQUEST_CASES } from "./request-cases.test.ts";
import { RequestParser } from "./request-parser.ts";

const MUTANTS = 1500;

/** Why node:http refuses the bytes, or null. The connection stays open: an incomplete request is no error. */
async function nodeRefusal(bytes: Buffer): Promise<string | null> {
  let refusal: string | null = null;
  const server = createServer(
    { insecureHTTPParser: false, requireHostHeader: true, maxHeaderSize: 128 * 1024 },
    (request, response) => {
      request.resume();
      request.on("end", () => response.end());
    },
  );
  server.maxHeadersCount = 0;
  server.on("clientError", (error: NodeJS.ErrnoException) => (refusal ??= error.code ?? "unknown"));
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (chunk.toString("latin1").startsWith("HTTP/1.1 400")) refusal ??= "400";
      done();
    },
  });
  server.emit("connection", socket);
  socket.push(bytes);
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
  socket.destroy();
  server.close();
  return refusal;
}

/** Our verdict: `undecided` is an incomplete head or line, which may yet be refused. */
function ourVerdict(bytes: Buffer): "refused" | "taken" | "undecided" {
  let isRefused = false;
  let persists = true;
  const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
    onHead: (head) => (persists = head.keepAlive),
    onBody: () => {},
    onEnd: () => persists && parser.next(),
    onError: () => (isRefused = true),
  });
  parser.push(bytes);
  if (isRefused) return "refused";
  // After a last request the rest is nobody's: we leave it unread, node calls it an error.
  return parser.buffered === 0 || !persists ? "taken" : "undecided";
}

async function assertNotLaxer(bytes: Buffer): Promise<"refused" | "taken" | "undecided"> {
  const refusal = await nodeRefusal(bytes);
  const verdict = ourVerdict(bytes);
  if (refusal !== null && refusal !== "HPE_CLOSED_CONNECTION") {
    assert.notEqual(verdict, "taken", `node refuses with ${refusal}: ${JSON.stringify(bytes.toString("latin1"))}`);
  }
  return verdict;
}

test("each case of the table that node refuses, we refuse", async () => {
  for (const { bytes } of REQUEST_CASES) await assertNotLaxer(Buffer.from(bytes, "latin1"));
});

test("each mutant of a valid request that node refuses, we refuse", async () => {
  const valid = REQUEST_CASES.filter((each) => each.verdict === "ok" && each.bytes.length < 300).map(
    (each) => each.bytes,
  );
  const seed = Number(process.env["MAITRED_TEST_SEED"] ?? 1);
  const random = mulberry32(seed);
  const pick = <T>(from: ArrayLike<T>): T => from[Math.floor(random() * from.length)]!;
  let taken = 0;
  for (let i = 0; i < MUTANTS; i++) {
    let text = pick(valid);
    for (let edits = 1 + Math.floor(random() * 2); edits > 0; edits--) {
      const at = Math.floor(random() * (text.length + 1));
      const char = pick('\0\x01\t\n\x0b\r !"#%(),/09:;=@AZ[\\]_az{|}\x7f\x80\xff');
      const kind = pick(["set", "insert", "remove", "repeat"]);
      if (kind === "set") text = text.slice(0, at) + char + text.slice(at + 1);
      else if (kind === "insert") text = text.slice(0, at) + char + text.slice(at);
      else if (kind === "remove") text = text.slice(0, at) + text.slice(at + 1);
      else text = text.slice(0, at) + text.slice(Math.max(0, at - 1 - Math.floor(random() * 20)));
    }
    if ((await assertNotLaxer(Buffer.from(text, "latin1"))) === "taken") taken++;
  }
  // The mutants are of use only where some are still requests.
  assert.ok(taken > MUTANTS / 20 && taken < MUTANTS / 1.5, `${taken} of ${MUTANTS} were taken`);
});

function mulberry32(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
