/**
 * What one seat's worker remembers of requests it has had (PROTOCOL.md, "Templates"): clients send the same header section again and again over
 * one connection, and building the environ or scope anew is most of what a fast request costs the worker.
 *
 * The front numbers what the worker is to remember and knows by the numbers what it still does: the last KEPT of them.
 */
import type { Peer } from "../http/exchange.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import type { RequestHead } from "../http/request-head.ts";

/** Requests may name this many of the last templates; the worker keeps as many again, for requests that wait in it. */
export const KEPT = 256;
/** Many connections in turn would only push each other's templates out: each hit pays for the next definitions. */
const MOST_CREDIT = 512;
const COST = 2;
/** Seats take places on a HeaderBlock by their index; two that share one only forget earlier. */
const PLACES = 8;
const LAST_NUMBER = 0x3fffffff;

/** What a HeaderBlock knows of a template made with it. */
interface Template {
  readonly owner: Templates;
  readonly number: number;
  readonly peer: Peer;
  readonly method: string;
  readonly version: string;
}

export class Templates {
  readonly #place: number;
  #last = 0;
  #credit = MOST_CREDIT;

  constructor(seatIndex: number) {
    this.#place = seatIndex % PLACES;
  }

  /** The number of a template for this request, 0 where the worker has none. */
  find(head: RequestHead, peer: Peer): number {
    const places = head.headers.templates;
    if (places === null) return 0;
    const template = places[this.#place] as Template | undefined;
    if (
      template === undefined ||
      template.owner !== this ||
      template.peer !== peer ||
      template.method !== head.method ||
      template.version !== head.version ||
      template.number <= this.#last - KEPT
    )
      return 0;
    if (this.#credit < MOST_CREDIT) this.#credit++;
    return template.number;
  }

  /** A number under which the worker is to remember this request, 0 where it is not worth it. */
  define(head: RequestHead, peer: Peer): number {
    if (this.#credit < COST || this.#last === LAST_NUMBER) return 0;
    this.#credit -= COST;
    const number = ++this.#last;
    const block: HeaderBlock = head.headers;
    block.templates ??= [];
    block.templates[this.#place] = { owner: this, number, peer, method: head.method, version: head.version };
    return number;
  }
}
