/** Answers a request with a file: one that is in memory, or one that is open. */
import { randomBytes } from "node:crypto";
import { close } from "node:fs";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { type FileSegment, sendSegments } from "../spool/file-sender.ts";
import type { Representation } from "./representation.ts";
import { isSelecting, partial, select, type Selection } from "./selection.ts";

/** A file in memory; a string is latin-1, one character per byte. */
export function answerKept(exchange: Exchange, representation: Representation, body: string | Buffer): void {
  const { head } = exchange;
  const selection = isSelecting(head) ? select(head, representation) : WHOLE;
  if (selection.type === "whole") {
    // HEAD has to hear of a length of 0 too, which no body tells.
    const fields = head.method === "HEAD" ? representation.sized : representation.fields;
    return exchange.complete(200, "OK", fields, body);
  }
  if (selection.type !== "ranges") return answerWithout(exchange, representation, selection);
  const { fields, segments } = partial(representation, selection.ranges, boundary);
  const [only] = segments;
  if (segments.length === 1 && typeof only === "object")
    return exchange.complete(206, "Partial Content", fields, cut(body, only));
  const parts = segments.map((segment) =>
    typeof segment === "string" ? Buffer.from(segment, "latin1") : bytes(cut(body, segment)),
  );
  exchange.complete(206, "Partial Content", fields, Buffer.concat(parts));
}

/**
 * An open file, which is closed when all is sent or the client has left.
 * @param failed hears why it could not be sent whole; the client's connection has been cut then.
 * @param instead another status than 200, with which conditions and ranges mean nothing.
 */
export function answerOpen(
  exchange: Exchange,
  representation: Representation,
  descriptor: number,
  failed: (reason: string) => void,
  instead: { readonly status: number; readonly reason: string } | null = null,
): void {
  const closed = (): void => close(descriptor, () => {});
  const selection = instead === null ? select(exchange.head, representation) : WHOLE;
  if (selection.type !== "whole" && selection.type !== "ranges") {
    closed();
    return answerWithout(exchange, representation, selection);
  }
  if (selection.type === "whole") {
    exchange.start(instead?.status ?? 200, instead?.reason ?? "OK", representation.sized);
    if (exchange.head.method === "HEAD") {
      closed();
      return exchange.end();
    }
    return sendSegments(exchange, descriptor, [{ start: 0, length: representation.size }], failed);
  }
  const { fields, segments } = partial(representation, selection.ranges, boundary);
  exchange.start(206, "Partial Content", fields);
  sendSegments(exchange, descriptor, segments, failed);
}

// Private

const WHOLE: Selection = { type: "whole" };

function answerWithout(
  exchange: Exchange,
  representation: Representation,
  selection: Exclude<Selection, { type: "whole" | "ranges" }>,
): void {
  switch (selection.type) {
    case "unmodified":
      return exchange.complete(304, "Not Modified", representation.unmodified, "");
    case "failed":
      return answerError(exchange, 412);
    case "unsatisfiable":
      exchange.isOwnError = true;
      return exchange.complete(416, "", representation.unsatisfiable, "416 Range Not Satisfiable\n");
  }
}

function boundary(): string {
  return randomBytes(16).toString("hex");
}

function cut(body: string | Buffer, segment: Exclude<FileSegment, string>): string | Buffer {
  const { start, length } = segment;
  return typeof body === "string" ? body.slice(start, start + length) : body.subarray(start, start + length);
}

function bytes(body: string | Buffer): Buffer {
  return typeof body === "string" ? Buffer.from(body, "latin1") : body;
}
