/**
 * What an error that maitred makes itself looks like: short text, a sober page for browsers, problem details (RFC 9457) for programs that ask for
 * JSON. No internals: why it was made is for the log; the request's id joins the two.
 */
import { chooseMediaType } from "./negotiation.ts";

export type ErrorFormat = "text/plain" | "text/html" | "application/problem+json" | "application/json";

/** Who says nothing, or that anything will do, gets text: a browser always asks for HTML. */
const FORMATS: readonly ErrorFormat[] = ["text/plain", "text/html", "application/problem+json", "application/json"];

/** Accept values seen and what they came to; bounded, since clients choose them. */
const chosen = new Map<string, ErrorFormat>();

export function errorFormat(accept: string | undefined): ErrorFormat {
  if (accept === undefined || accept === "*/*") return "text/plain";
  let format = chosen.get(accept);
  if (format === undefined) {
    format = chooseMediaType(accept, FORMATS) ?? "text/plain";
    if (chosen.size >= 64) chosen.clear();
    chosen.set(accept, format);
  }
  return format;
}

/** The body, in ASCII. `requestId` may be empty. */
export function errorBody(format: ErrorFormat, status: number, reason: string, requestId: string): string {
  switch (format) {
    case "text/plain":
      return `${status} ${reason}\n${requestId === "" ? "" : `Request ${requestId}\n`}`;
    case "text/html":
      return page(status, reason, requestId);
    case "application/problem+json":
    case "application/json": {
      const detail = DETAILS.get(status);
      const members = { type: "about:blank", title: reason, status };
      return `${JSON.stringify({ ...members, ...(detail && { detail }), ...(requestId !== "" && { requestId }) })}\n`;
    }
  }
}

// Private

const DETAILS: ReadonlyMap<number, string> = new Map([
  [400, "The server did not understand the request."],
  [401, "This page is only for those who have signed in."],
  [403, "You may not see this page."],
  [404, "There is nothing at this address."],
  [405, "That cannot be done with this page."],
  [408, "The request took too long to arrive."],
  [413, "What was sent is too large."],
  [414, "The address is too long."],
  [421, "This server does not serve that host."],
  [429, "Too many requests came in a short time. Please wait a little."],
  [500, "Something went wrong on the server."],
  [502, "The application did not give a valid answer."],
  [503, "The server cannot answer just now. Please try again in a moment."],
  [504, "The application took too long to answer."],
]);

const STYLE =
  "body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif;color:#222;background:#fff}" +
  "main{padding:2rem;max-width:32rem}h1{margin:0;font-size:1.5rem;font-weight:600}p{margin:.5rem 0}code,small{color:#666}" +
  "@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}code,small{color:#999}}";

function page(status: number, reason: string, requestId: string): string {
  const title = `${status} ${escaped(reason)}`;
  const detail = DETAILS.get(status);
  return (
    `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${title}</title><style>${STYLE}</style></head>\n<body><main><h1>${title}</h1>\n` +
    `${detail === undefined ? "" : `<p>${detail}</p>\n`}` +
    `${requestId === "" ? "" : `<p><small>Request <code>${escaped(requestId)}</code></small></p>\n`}</main></body>\n</html>\n`
  );
}

function escaped(text: string): string {
  return text.replace(/[^ -~]/g, "?").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
