/**
 * The caches of the two servers of an upgrade, while both answer: what one is told to be untrue it tells the other, which says when it has obeyed. A
 * purge is answered then, so that nobody gets from either what its sender knows to be purged. Pure.
 *
 * What is under way is bounded: to another server that does not answer, `MOST` messages are sent, and then that nothing is true any more.
 */
import type { ResponseCache } from "../cache/response-cache.ts";
import { ALL_UNTRUE, type CacheTwin, type Untruth, untruthOf } from "../cache/untruth.ts";
import type { Clock } from "../clock.ts";
import type { Message } from "../workers/json-lines.ts";

/** A purge is not answered later because the other server is busy starting: it obeys before it answers anybody. */
const PATIENCE_MS = 1000;
const MOST = 10_000;

/** The other server. */
export interface OtherServer {
  send(message: Message): void;
  onMessage: (message: Message) => void;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
}

export function shareCache(cache: ResponseCache, other: OtherServer, clock: Clock): void {
  const twin = new LinkedCache(other, clock);
  other.onMessage = (message) => {
    if (message.type === "obeyed") return twin.obeyed(message);
    if (message.type !== "untrue") return;
    const untruth = untruthOf(message["untruth"]);
    const count = untruth === null ? 0 : cache.hear(untruth, twin);
    other.send({ type: "obeyed", id: message["id"], count });
  };
  cache.share(twin);
  void other.gone.then(() => {
    twin.gone();
    cache.shareNoMore(twin);
  });
}

class LinkedCache implements CacheTwin {
  readonly #other: OtherServer;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (count: number) => void>();
  #last = 0;
  /** Of the messages that are not answered yet, the number; and that one of them says that nothing is true. */
  #open = 0;
  #sweep = 0;
  #isSweptAgain = false;

  constructor(other: OtherServer, clock: Clock) {
    this.#other = other;
    this.#clock = clock;
  }

  tell(untruth: Untruth): Promise<number> {
    if (this.#sweep !== 0) {
      this.#isSweptAgain = true;
      return Promise.resolve(0);
    }
    if (this.#open >= MOST) {
      this.#sweep = this.#send(ALL_UNTRUE);
      return Promise.resolve(0);
    }
    const id = this.#send(untruth);
    return new Promise((resolve) => {
      const timer = this.#clock.after(PATIENCE_MS, () => this.#answer(id, 0));
      this.#waiting.set(id, (count) => {
        timer.cancel();
        resolve(count);
      });
    });
  }

  obeyed({ id, count }: Message): void {
    this.#open--;
    if (typeof id !== "number" || typeof count !== "number") return;
    this.#answer(id, count);
    if (id !== this.#sweep) return;
    // What was not told meanwhile may have been stored anew before it was swept.
    this.#sweep = this.#isSweptAgain ? this.#send(ALL_UNTRUE) : 0;
    this.#isSweptAgain = false;
  }

  gone(): void {
    for (const id of this.#waiting.keys()) this.#answer(id, 0);
  }

  #send(untruth: Untruth): number {
    this.#open++;
    const id = ++this.#last;
    this.#other.send({ type: "untrue", id, untruth });
    return id;
  }

  #answer(id: number, count: number): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    answer?.(count);
  }
}
