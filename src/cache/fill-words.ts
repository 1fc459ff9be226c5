/** What a fill is told: whose house it is in, and what is asked for. */
import type { Forwarded } from "./cache-status.ts";
import type { Fill } from "./fill.ts";
import type { ResponseCache } from "./response-cache.ts";
import type { StoredResponse } from "./stored-response.ts";
import type { Waiting } from "./waiting.ts";

/** What the fill needs from the route that began it. */
export interface FillHouse {
  readonly cache: ResponseCache;
  /** Goes to the app by itself. */
  alone(waiting: Waiting, why: Forwarded): void;
  /** Looks again what can be done for it. */
  again(waiting: Waiting): void;
  /** Asks the app once more, without conditions. */
  anew(fill: Fill): void;
}

export interface FillWords {
  /** Null: it is not known to others, and nobody joins it. */
  readonly key: string | null;
  readonly base: string;
  readonly shelfName: string;
  readonly target: string;
  readonly forwarded: Forwarded;
  /** The stored response that is asked about. */
  readonly stale: StoredResponse | null;
  /** The app sees less of the request than its client said: an answer that may not be stored is no answer for it. */
  readonly isReduced: boolean;
}
