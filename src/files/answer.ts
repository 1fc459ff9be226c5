/** Answers a request with a file: one that is in memory, or one that is open. */
import { close } from "node:fs";
import { boundary } from "../http/boundary.ts";
import type { ByteRange } from "../http/byte-ranges.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { gathered, type PartialContent, partialContent } from "../http/partial-content.ts";
import { appended, dress, ownFields } from "../http/response-changes.ts";
import { sendSegments } from "../spool/file-sender.ts";
import type { Representation } from "./representation.ts";
import { isSelecting, select, type Selection } from "./selection.ts";

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
  const { fields, segments } = partial(representation, selection.ranges);
  exchange.complete(206, "Partial Content", fields, gathered(body, segments));
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
  const { fields, segments } = partial(representation, selection.ranges);
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
      // RFC 9110 section 15.5.17.
      dress(exchange, (_exchange, _status, fields) =>
        appended(fields, ownFields(["Content-Range", `bytes */${representation.size}`])),
      );
      return answerError(exchange, 416);
  }
}

function partial({ fields, size }: Representation, ranges: readonly ByteRange[]): PartialContent {
  return partialContent(fields.flat, size, ranges, boundary);
}
