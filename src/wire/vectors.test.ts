/** vectors.json, the examples that both languages' tests read: what we write is what stands there, what the worker writes means what stands there. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { CancelCause, creditFrame, frame, FrameReader, FromWorker, ToWorker, u32 } from "./frames.ts";
import { internedKey, MarshalWriter, plainKey } from "./marshal-writer.ts";
import { loadedByPython } from "./python.test.ts";
import { ResponseDecoder } from "./response-decoder.ts";

const CANCEL_CAUSES = [undefined, CancelCause.timeIsUp, CancelCause.halfClosed] as const;

/** In `meaning`, bytes are `{"bytes": hex}` and tuples are arrays. */
type Value =
  | string
  | number
  | boolean
  | null
  | { readonly bytes: string }
  | readonly Value[]
  | { readonly [key: string]: Value };

interface Request {
  readonly id: number;
  readonly head: Readonly<Record<string, Value>>;
  readonly body: Value;
}

interface Vector {
  readonly name: string;
  readonly direction: "front-to-worker" | "worker-to-front";
  readonly hex: string;
  readonly meaning: Readonly<Record<string, Value>> & { readonly type: string; readonly requests?: readonly Request[] };
}

const VECTORS = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as readonly Vector[];

function isBytes(value: Value): value is { readonly bytes: string } {
  return typeof value === "object" && value !== null && "bytes" in value && typeof value.bytes === "string";
}

/** bytes and str both as latin-1 strings, as the decoder gives them. */
const latin1 = (value: Value): string =>
  isBytes(value) ? Buffer.from(value.bytes, "hex").toString("latin1") : String(value as string);

function put(writer: MarshalWriter, value: Value, isList = false): void {
  if (typeof value === "string") writer.text(value);
  else if (typeof value === "number") writer.int(value);
  else if (typeof value === "boolean") writer.code(value ? 0x54 : 0x46);
  else if (value === null) writer.code(0x4e);
  else if (isBytes(value)) writer.bytesOf(Buffer.from(value.bytes, "hex"));
  else if (!Array.isArray(value)) putDict(writer, value as Readonly<Record<string, Value>>, plainKey);
  else {
    if (isList) writer.list(value.length);
    else writer.tuple(value.length);
    for (const item of value) put(writer, item);
  }
}

const LISTS = new Set(["headers", "subprotocols", "client_cert_chain"]);

function putDict(writer: MarshalWriter, dict: Readonly<Record<string, Value>>, key: (name: string) => Buffer): void {
  writer.code(0x7b);
  for (const [name, value] of Object.entries(dict)) {
    writer.raw(key(name));
    put(writer, value, LISTS.has(name));
  }
  writer.code(0x30);
}

/** A REQUESTS payload, with names interned or not. */
function requestsPayload(requests: readonly Request[], key: (name: string) => Buffer): Buffer {
  const writer = new MarshalWriter();
  writer.list(requests.length);
  for (const { id, head, body } of requests) {
    writer.tuple(3);
    writer.int(id);
    putDict(writer, head, key);
    put(writer, body);
  }
  return writer.since(0);
}

describe("the front writes", () => {
  const vectors = VECTORS.filter(({ direction }) => direction === "front-to-worker");
  const frames: Readonly<Record<string, (meaning: Vector["meaning"]) => Buffer>> = {
    BODY: ({ id, data }) => frame(ToWorker.body, Number(id), Buffer.from(latin1(data!), "latin1")),
    END: ({ id }) => frame(ToWorker.end, Number(id)),
    CANCEL: ({ id, cause }) => frame(ToWorker.cancel, Number(id), CANCEL_CAUSES[Number(cause ?? 0)]),
    CREDIT: ({ id, count }) => creditFrame(ToWorker.credit, Number(id), Number(count)),
    PING: ({ arg }) => frame(ToWorker.ping, Number(arg)),
    WS_TEXT: ({ id, data }) => frame(ToWorker.wsText, Number(id), Buffer.from(latin1(data!), "latin1")),
    WS_BINARY: ({ id, data }) => frame(ToWorker.wsBinary, Number(id), Buffer.from(latin1(data!), "latin1")),
    WS_PART: ({ id, data }) => frame(ToWorker.wsPart, Number(id), Buffer.from(latin1(data!), "latin1")),
    WS_CLOSED: ({ id, code, reason }) => {
      const number = Number(code);
      const payload = Buffer.concat([Buffer.from([number & 0xff, number >> 8]), Buffer.from(reason as string, "utf8")]);
      return frame(ToWorker.wsClosed, Number(id), payload);
    },
  };
  for (const { name, hex, meaning } of vectors.filter(({ meaning }) => meaning.requests === undefined)) {
    test(name, () => assert.equal(frames[meaning.type]!(meaning).toString("hex"), hex));
  }

  test("the first REQUESTS to the byte", () => {
    const { hex, meaning } = vectors[0]!;
    assert.equal(frame(ToWorker.requests, 0, requestsPayload(meaning.requests!, internedKey)).toString("hex"), hex);
  });

  test("every REQUESTS to the value, which is all that CPython sees of interning", () => {
    const withRequests = vectors.filter(({ meaning }) => meaning.requests !== undefined);
    assert.ok(withRequests.length >= 3);
    const theirs = loadedByPython(withRequests.map(({ hex }) => Buffer.from(hex, "hex").subarray(8)));
    const ours = loadedByPython(withRequests.map(({ meaning }) => requestsPayload(meaning.requests!, plainKey)));
    assert.deepEqual(ours, theirs);
  });
});

/** What reader and decoder tell of a frame, in the words of `meaning`. */
function understood(bytes: Buffer): Record<string, unknown> {
  let told: Record<string, unknown> = {};
  const responses: unknown[] = [];
  const decoder = new ResponseDecoder({
    onResponse: (id, status, reason, { flat }, body) =>
      responses.push({ id, status, reason, flat, body: body.toString("latin1") }),
    onHead: (id, status, reason, { flat }) => (told = { type: "HEAD", id, status, reason, flat }),
    onBadResponse: (id, reason) => assert.fail(`${id}: ${reason}`),
  });
  const reader = new FrameReader({
    onBody: (id, piece) => (told = { type: "BODY", id, data: piece.toString("latin1") }),
    onFrame(type, arg, payload) {
      const name = Object.entries(FromWorker).find(([, number]) => number === type)![0];
      if (name === "responses" || name === "responsesBusy") {
        decoder.responses(payload);
        told = { type: name === "responses" ? "RESPONSES" : "RESPONSES_BUSY", microseconds: arg, responses };
      } else if (name === "head") decoder.head(arg, payload);
      else if (name === "credit") told = { type: "CREDIT", id: arg, count: payload.readUInt32LE(0) };
      else if (name === "extend") told = { type: "EXTEND", id: arg, count: u32(payload, "EXTEND") };
      else if (name === "abort") told = { type: "ABORT", id: arg, reason: payload.toString("utf8") };
      else if (name === "end")
        told =
          payload.length === 0
            ? { type: "END", id: arg }
            : { type: "END", id: arg, trailers: decoder.trailers(payload).flat };
      else if (name === "inform") {
        const { status, fields } = decoder.inform(payload);
        told = { type: "INFORM", id: arg, status, reason: "", flat: fields.flat };
      } else if (name === "file") told = { type: "FILE", id: arg, path: payload.toString("utf8") };
      else if (name === "wsAccept") {
        const { subprotocol, fields } = decoder.accept(payload);
        told = { type: "WS_ACCEPT", id: arg, subprotocol, flat: fields.flat };
      } else if (name === "wsClose") {
        told = { type: "WS_CLOSE", id: arg, code: payload.readUInt16LE(0), reason: payload.toString("utf8", 2) };
      } else if (name.startsWith("ws")) {
        const type = name.replaceAll(/[A-Z]/g, "_$&").toUpperCase();
        told = { type, id: arg, data: payload.toString("latin1") };
      } else if (name === "pong") told = { type: "PONG", arg };
      else told = { type: name.toUpperCase() };
    },
  });
  reader.push(bytes);
  return told;
}

/** `(id, status, headers, body)` in the decoder's words: a status line is a number and a reason, headers are flat. */
function inOurWords(item: Readonly<Record<string, Value>>): Record<string, unknown> {
  const { status, headers, trailers, body, data, ...rest } = item;
  const words: Record<string, unknown> = { ...rest };
  if (data !== undefined) words["data"] = latin1(data);
  if (body !== undefined) words["body"] = latin1(body);
  const flat = (pairs: Value): string[] => (pairs as Value[][]).flat().map(latin1);
  if (trailers !== undefined) words["trailers"] = flat(trailers);
  if (status === undefined) return headers === undefined ? words : { ...words, flat: flat(headers) };
  const [number, ...reason] = String(status as string | number).split(" ");
  return {
    ...words,
    status: Number(number),
    reason: reason.join(" "),
    flat: flat(headers!),
  };
}

describe("the worker's", () => {
  for (const { name, hex, direction, meaning } of VECTORS) {
    if (direction === "front-to-worker") continue;
    test(`${name} means what it says`, () => {
      const { responses, ...rest } = meaning as unknown as Record<string, Value>;
      const expected = inOurWords(rest);
      if (responses !== undefined)
        expected["responses"] = (responses as never as Record<string, Value>[]).map(inOurWords);
      assert.deepEqual(understood(Buffer.from(hex, "hex")), expected);
    });
  }
});
