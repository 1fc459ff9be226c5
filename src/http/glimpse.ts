/**
 * What can be told of a request's head that was refused: its method, host and Accept, where they are plain to see. It serves to choose the form of the
 * refusal and nothing else: nobody routes by it, logs it, or gives it to an app. Pure; never throws.
 */
import { HeaderBlock, NO_HEADERS } from "./header-block.ts";
import { headerName, type HeaderName } from "./header-names.ts";
import type { RequestHead } from "./request-head.ts";

/** Bytes of a head that are looked at: browsers say Host and Accept before their cookies. */
export const GLIMPSED_BYTES = 4096;

/** Nothing is known of it. It also stands in the access log for a request that could not be read. */
export const UNREADABLE: RequestHead = {
  method: "-",
  target: "-",
  path: "-",
  query: "",
  version: "1.1",
  headers: NO_HEADERS,
  framing: "none",
  contentLength: 0,
  keepAlive: false,
  expectsContinue: false,
};

/** Of HTTP/1.1: the beginning of a head, as latin-1. */
export function glimpseOfText(begun: string): RequestHead {
  if (begun === "") return UNREADABLE;
  const [line = "", ...lines] = begun.slice(0, GLIMPSED_BYTES).split("\r\n");
  // What follows the last line end may be half a line.
  const fields = lines.slice(0, -1).flatMap((one) => {
    const match = /^(host|accept):[\t ]*([!-~](?:[\t -~]*[!-~])?)[\t ]*$/i.exec(one);
    return match === null ? [] : [[match[1]!.toLowerCase(), match[2]!] as const];
  });
  return glimpse(line.startsWith("HEAD ") ? "HEAD" : "-", fields);
}

/** Of HTTP/2: names and values in turn. */
export function glimpseOfList(flat: readonly string[]): RequestHead {
  const fields: (readonly [string, string])[] = [];
  let method = "-";
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const value = flat[i + 1]!;
    if (flat[i] === ":method" && value === "HEAD") method = value;
    if (flat[i] === ":authority" || flat[i] === "host") fields.push(["host", value]);
    if (flat[i] === "accept") fields.push(["accept", value]);
  }
  return glimpse(method, fields);
}

// Private

const NAMES: readonly HeaderName[] = [headerName("host")!, headerName("accept")!];

function glimpse(method: string, fields: readonly (readonly [string, string])[]): RequestHead {
  // Who says a thing twice has said nothing.
  const known = NAMES.flatMap((name) => {
    const values = fields.filter(([lower]) => lower === name.lower);
    return values.length === 1 && values[0]![1].length <= 512 ? [[name, values[0]![1]] as const] : [];
  });
  const names = known.map(([name]) => name);
  const values = known.map(([, value]) => value);
  return { ...UNREADABLE, method, headers: new HeaderBlock(names, values, false, false, false) };
}
