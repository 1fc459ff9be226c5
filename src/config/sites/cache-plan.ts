/** The response cache of a route: whose rules say how long, which requests pass by it, what tells responses apart. */

export interface CachePlan {
  /** Only visitors without a session are answered from it and fill it; their other cookies do not reach the app while they do. */
  readonly anonymous: boolean;
  /** Cookies that make a visitor somebody; `*` stands for any characters. */
  readonly sessionCookies: readonly string[];
  /** For responses that do not say how long they may be kept; 0 = those are not kept. */
  readonly ttlMs: number;
  /** Most that is guessed from Last-Modified; 0 = nothing is guessed. */
  readonly heuristicMs: number;
  /** For responses that do not say it themselves. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** While no worker can be had, whatever the response says but must-revalidate and its kin. */
  readonly staleIfDownMs: number;
  readonly maxObjectBytes: number;
  /** Requests that pass by: names, or `name=value`; `*` stands for any characters. */
  readonly bypassCookies: readonly string[];
  readonly bypassHeaders: readonly string[];
  readonly bypassQuery: readonly string[];
  /** Cookies and fields that are part of the key. */
  readonly keyCookies: readonly string[];
  readonly keyHeaders: readonly string[];
  /** Query parameters that are not part of the key; `*` alone: none is. */
  readonly ignoreQuery: readonly string[];
  readonly sortQuery: boolean;
  readonly setCookie: "pass" | "store" | "strip";
  /** What a request's Cache-Control asks for is done. */
  readonly requestDirectives: boolean;
  /** Requests for the same response wait for one. */
  readonly coalesce: boolean;
  readonly statusHeader: boolean;
  /** Surrogate-Key and Cache-Tag go on to the client. */
  readonly keepTags: boolean;
  /** Addresses whose PURGE is obeyed; `unix` are all Unix sockets. */
  readonly purgeFrom: readonly string[];
}

const SESSION_COOKIES = ["*sess*", "*auth*", "*csrf*", "*xsrf*", "*token*", "*login*", "remember*", "*user*"];

/** The app's own rules, and nothing else. */
export const cacheDefaults: CachePlan = {
  anonymous: false,
  sessionCookies: SESSION_COOKIES,
  ttlMs: 0,
  heuristicMs: 300_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  staleIfDownMs: 300_000,
  maxObjectBytes: 8_388_608,
  bypassCookies: [],
  bypassHeaders: [],
  bypassQuery: [],
  keyCookies: [],
  keyHeaders: [],
  ignoreQuery: [],
  sortQuery: false,
  setCookie: "pass",
  requestDirectives: true,
  coalesce: true,
  statusHeader: true,
  keepTags: false,
  purgeFrom: [],
};
