/**
 * Where a redirect leads, as an operator writes it, and the Location that a request gets. Pure.
 *
 *     /new                        a path of the same site
 *     https://example.com{path}{query}
 *     https://{host}{path}        {path} as the client sent it, {query} with its question mark, {host} without port
 *
 * A client chooses its path: it must not choose the site it is sent to with it (`//evil.example`), nor add a field to the response.
 */

export interface RedirectTemplate {
  /** As written. */
  readonly text: string;
  /** What stands for itself, and between two of those what stands for a part of the request. */
  readonly parts: readonly TemplatePart[];
}

type Placeholder = "path" | "query" | "host";
export type TemplatePart = { readonly literal: string } | { readonly placeholder: Placeholder };

/** The template, or what is wrong with it, as the end of a sentence. */
export function parseTemplate(text: string): RedirectTemplate | { readonly why: string } {
  if (!/^(?:https?:\/\/[^/?#]|\/(?![/\\])|\{path\}|\{query\})/i.test(text))
    return { why: "leads nowhere: write a path (/new) or a URL (https://example.com{path}{query})" };
  if (/[^!-~]|[\\"<>^`|]/.test(text)) return { why: "has a character that no URL has: percent-encode it" };
  const parts: TemplatePart[] = [];
  let rest = text;
  while (rest !== "") {
    const brace = rest.search(/[{}]/);
    if (brace !== 0) {
      const literal = brace < 0 ? rest : rest.slice(0, brace);
      parts.push({ literal });
      rest = rest.slice(literal.length);
      continue;
    }
    const name = /^\{(path|query|host)\}/.exec(rest)?.[1] as Placeholder | undefined;
    if (name === undefined) return { why: "has a brace that begins none of {path}, {query} and {host}" };
    parts.push({ placeholder: name });
    rest = rest.slice(name.length + 2);
  }
  // https://{path} or https://a.example{query}: the authority must be over before anything that a client chooses freely.
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? "";
  if (/^\{(?:path|query)\}/.test(authority)) return { why: "has no host before its path" };
  return { text, parts };
}

/** What a request says of itself: its path with percent signs, its query without the question mark, its Host field. */
export interface Requested {
  readonly path: string;
  readonly query: string;
  readonly host: string;
}

/** The value of Location, or null where the request's host is wanted and is none. */
export function locationOf({ parts }: RedirectTemplate, request: Requested): string | null {
  let location = "";
  for (const part of parts) {
    if ("literal" in part) location += part.literal;
    else if (part.placeholder === "query") location += request.query === "" ? "" : `?${escaped(request.query)}`;
    else if (part.placeholder === "path") location += request.path === "*" ? "/" : escaped(request.path);
    else {
      const name = hostName(request.host);
      if (name === null) return null;
      location += name;
    }
  }
  // "//evil.example" and "/\evil.example" name another host (RFC 3986 section 4.2, and what browsers make of it).
  return location.startsWith("/") ? location.replace(/^\/(?:[/\\]|%5c)+/i, "/") : location;
}

// Private

/** Whatever no URL may have, and what browsers take for a slash. */
function escaped(text: string): string {
  return text.replace(/[^!-~]|[\\"<>^`{|}]/g, (character) =>
    [...Buffer.from(character, "latin1")]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

function hostName(host: string): string | null {
  return /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d*)?$/i.exec(host)?.[1] ?? null;
}
