/**
 * The header section of an upstream's response, on its way to the client: without what speaks of the connection it came over (RFC 9110 section
 * 7.6.1), with locations as the client knows them. Pure. The upstream is believed no more than an app is: `responseFields` checks all of it.
 */
import { BadField, type ResponseFields, responseFields } from "../http/response-fields.ts";
import { connectionOptions } from "./request-fields.ts";

/** Turns a Location of the upstream's into the client's. */
export type Relocation = (location: string) => string;

/** `raw` is name, value, name, value ... as it was received. */
export function responseHead(raw: readonly Buffer[], relocate: Relocation): ResponseFields | BadField {
  const flat: string[] = [];
  const connection: string[] = [];
  let isChunked = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toString("latin1");
    const value = raw[i + 1]!.toString("latin1");
    switch (name.toLowerCase()) {
      case "connection":
        connection.push(value);
        continue;
      case "transfer-encoding":
        // We asked for no other coding (no TE), and would pass its bytes on as if they were the content.
        if (isChunked || value.trim().toLowerCase() !== "chunked")
          return new BadField(name, value, "the transfer coding is not chunked alone");
        isChunked = true;
        continue;
      case "location":
        flat.push(name, relocate(value));
        continue;
    }
    flat.push(name, value);
  }
  return responseFields(withoutHopByHop(flat, connectionOptions(connection), isChunked));
}

/** The trailer section of a response; what cannot be sent is left out with all the others. */
export function responseTrailers(raw: readonly Buffer[]): ResponseFields | null {
  if (raw.length === 0) return null;
  const fields = responseFields(raw.map((part) => part.toString("latin1")));
  return fields instanceof BadField || fields.text === "" ? null : fields;
}

// Private

function withoutHopByHop(flat: string[], named: ReadonlySet<string> | null, isChunked: boolean): string[] {
  if (named === null && !isChunked) return flat;
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const lower = flat[i]!.toLowerCase();
    // RFC 9112 section 6.3: Transfer-Encoding overrides Content-Length. A length that Connection names is still the length.
    if (lower === "content-length" ? isChunked : named?.has(lower)) continue;
    kept.push(flat[i]!, flat[i + 1]!);
  }
  return kept;
}
