/** What a client sees under --reload while the code cannot start: the traceback, as HTML for browsers and as text for everybody else. Pure. */
import type { Exchange } from "../http/exchange.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";

const STATUS = 500;
const ALWAYS = ["Cache-Control", "no-store", "X-Content-Type-Options", "nosniff"];

/** Answers with what is wrong with the app. */
export function answerBroken(exchange: Exchange, app: string, message: string, traceback: string): void {
  const isBrowser = /\btext\/html\b/i.test(exchange.head.headers.get("accept") ?? "");
  const text = `${app} cannot start: ${message}\n\n${traceback}${traceback.endsWith("\n") || traceback === "" ? "" : "\n"}`;
  const body = Buffer.from(isBrowser ? page(app, message, traceback) : text);
  const type = isBrowser ? "text/html" : "text/plain";
  const contentType = ["Content-Type", `${type}; charset=utf-8`];
  const fields = responseFields([...contentType, "Content-Length", String(body.length), ...ALWAYS]);
  if (!(fields instanceof ResponseFields)) throw new Error(`own header ${fields.name}: ${fields.reason}`);
  exchange.complete(STATUS, reasonPhrase(STATUS), fields, body);
}

// Private

function page(app: string, message: string, traceback: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(app)} cannot start</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:60rem;padding:0 1rem}
h1{font-size:1.4rem}pre{background:#f4f4f4;color:#222;overflow:auto;padding:1rem}</style></head>
<body><h1>${escaped(app)} cannot start</h1>
<p>${escaped(message)}</p>
${traceback === "" ? "" : `<pre>${escaped(traceback)}</pre>\n`}<p>The next save starts it again. (maitred --reload)</p></body></html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
