/** A PURGE request from somebody who may: the path it asks for, or what has the tags that it names. */
import type { Exchange } from "../http/exchange.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { ownFields } from "../http/response-changes.ts";
import { pathMistake, type PurgeWish, splitTags } from "./purge.ts";
import type { ResponseCache } from "./response-cache.ts";

const PLAIN = ownFields(["Content-Type", "text/plain; charset=utf-8", "Cache-Control", "no-store"]);

/** @param shelfName of the request's own host. */
export function answerPurge(exchange: Exchange, shelfName: string, cache: ResponseCache): void {
  const { path, query, headers } = exchange.head;
  const tags = splitTags(`${headers.get("surrogate-key") ?? ""} ${headers.get("cache-tag") ?? ""}`);
  const target = query === "" ? path : `${path}?${query}`;
  const mistake = tags.length === 0 ? pathMistake(target) : null;
  if (mistake !== null) return exchange.complete(400, reasonPhrase(400), PLAIN, `${mistake}\n`);
  const wish: PurgeWish = {
    paths: tags.length === 0 ? [target] : [],
    tags,
    isEverything: false,
    host: hostOfShelf(shelfName),
    isSoft: headers.get("x-purge-soft") === "1" || headers.get("fastly-soft-purge") === "1",
  };
  exchange.state = "given";
  void cache.purge(wish).then((count) => exchange.complete(200, reasonPhrase(200), PLAIN, `purged ${count}\n`));
}

function hostOfShelf(name: string): string {
  const start = name.indexOf("//") + 2;
  const rest = name.slice(start);
  const end = rest.search(/[/\n]/);
  return end === -1 ? rest : rest.slice(0, end);
}
