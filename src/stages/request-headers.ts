/** Header fields of requests as whoever answers gets them (`request-headers` in the configuration). */
import type { RequestHeadersPlan } from "../config/sites/headers.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Stage } from "../http/handler.ts";
import { HeaderBlock } from "../http/header-block.ts";
import { headerName } from "../http/header-names.ts";

export function settingRequestHeaders(plan: RequestHeadersPlan): Stage {
  const gone = new Set([
    ...plan.remove,
    ...plan.set.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase()),
  ]);
  // A connection that repeats a section gives the same object, and the workers know what was made of it.
  const known = new WeakMap<HeaderBlock, HeaderBlock>();
  return (next) => (exchange) => {
    const { headers } = exchange.head;
    let changed = known.get(headers);
    if (changed === undefined) known.set(headers, (changed = withRequestFields(headers, gone, plan.set)));
    giveHeaders(exchange, changed);
    next(exchange);
  };
}

/** The exchange goes on with these fields. */
export function giveHeaders(exchange: Exchange, headers: HeaderBlock): void {
  if (headers !== exchange.head.headers) exchange.head = { ...exchange.head, headers };
}

/**
 * A section without some fields (lower-case names) and with others: name, value, name, value ... Their twins with underscores go as well: for a CGI-style
 * variable they are the same.
 */
export function withRequestFields(
  block: HeaderBlock,
  without: ReadonlySet<string>,
  more: readonly string[],
): HeaderBlock {
  const names = [];
  const values: string[] = [];
  for (let i = 0; i < block.names.length; i++) {
    const { lower, hasUnderscore } = block.names[i]!;
    if (without.has(lower) || (hasUnderscore && without.has(lower.replaceAll("_", "-")))) continue;
    names.push(block.names[i]!);
    values.push(block.values[i]!);
  }
  // The same object again: the wire has its encoded form.
  if (more.length === 0 && names.length === block.names.length) return block;
  for (let i = 0; i < more.length; i += 2) {
    const name = headerName(more[i]!);
    if (name === undefined) continue;
    names.push(name);
    values.push(more[i + 1]!);
  }
  const lowers = new Set(names.map(({ lower }) => lower));
  return new HeaderBlock(
    names,
    values,
    block.isAscii && values.every((text) => !BEYOND_ASCII.test(text)),
    lowers.size < names.length,
    names.some(({ hasUnderscore }) => hasUnderscore),
    block.hasUpgrade,
  );
}

const BEYOND_ASCII = /[^\0-\x7f]/;
