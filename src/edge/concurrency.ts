/** --limit-concurrency: requests waiting or at work, over all connections; one more gets 503. Only made where the limit is set. */
import type { Clock } from "../clock.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";

const TELL_EVERY_MS = 1000;

export class Concurrency {
  readonly #most: number;
  readonly #submit: (exchange: Exchange) => void;
  readonly #clock: Clock;
  readonly #onRefused: (count: number) => void;
  #refused = 0;
  #toldAt = -Infinity;
  readonly #running = new Set<Exchange>();

  /** `onRefused` is called at most once a second, with the number of requests since. */
  constructor(most: number, submit: (exchange: Exchange) => void, clock: Clock, onRefused: (count: number) => void) {
    this.#clock = clock;
    this.#most = most;
    this.#submit = submit;
    this.#onRefused = onRefused;
  }

  /** In place of the dispatcher's `submit`. */
  submit(exchange: Exchange): void {
    if (this.#running.size >= this.#most) {
      this.#refuse(exchange);
      return;
    }
    this.#running.add(exchange);
    this.#submit(exchange);
  }

  #refuse(exchange: Exchange): void {
    answerError(exchange, 503, 1);
    this.#refused++;
    const now = this.#clock.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#onRefused(this.#refused);
    this.#refused = 0;
  }

  /** The response has left, or the client. */
  done(exchange: Exchange): void {
    this.#running.delete(exchange);
  }
}
