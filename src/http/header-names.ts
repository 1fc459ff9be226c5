/**
 * Header field names, interned: one object per spelling, so that everything a name implies (its lower-case form, whether the codec must look
 * at it, its encoded key on the wire) is found with one Map lookup instead of being worked out per request.
 *
 * Invariant: the table is bounded. A client can invent names without end; those beyond the bound get a fresh object each time.
 */

/** What the codec itself must know about a field. Anything else is `other`. */
export type HeaderKind =
  | "other"
  | "host"
  | "content-length"
  | "transfer-encoding"
  | "connection"
  | "expect"
  | "upgrade"
  | "content-type"
  | "cookie"
  | "date"
  | "server"
  | "trailer"
  | "te"
  | "keep-alive"
  | "proxy-connection"
  | "maitred-error";

const KINDS: ReadonlySet<string> = new Set<HeaderKind>([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "expect",
  "upgrade",
  "content-type",
  "cookie",
  "date",
  "server",
  "trailer",
  "te",
  "keep-alive",
  "proxy-connection",
  "maitred-error",
]);

/** RFC 9110 section 5.6.2: token = 1*tchar. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110 sections 13.1 and 14.2. */
const SELECTING = /^(?:if-.*|range)$/;

const FORWARDING = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

const TABLE_LIMIT = 1024;

/** One spelling of a field name. Compare by `lower`, never by identity: names beyond the table's bound are not unique objects. */
export class HeaderName {
  /** As received. */
  readonly raw: string;
  /** Lower-case form: the name's identity (RFC 9110 section 5.1). */
  readonly lower: string;
  readonly kind: HeaderKind;
  /** An underscore makes the name collide with its dashed twin in CGI-style variables. */
  readonly hasUnderscore: boolean;
  /** Tells who the client behind a proxy is: nobody but a trusted proxy may send it. */
  readonly isForwarding: boolean;
  /** The client has the representation already, or wants only some of it: If-None-Match, Range and their kin. */
  readonly isSelecting: boolean;
  /** Dense index of a name in the table, -1 for one beyond the bound: lets others keep a plain array per name. */
  readonly index: number;
  /** Scratch mark used to find duplicates within one header block; see HeaderBlock. */
  mark = 0;

  constructor(raw: string, index: number) {
    this.raw = raw;
    this.lower = raw.toLowerCase();
    this.kind = KINDS.has(this.lower) ? (this.lower as HeaderKind) : "other";
    this.hasUnderscore = raw.includes("_");
    this.isForwarding = FORWARDING.test(this.lower);
    this.isSelecting = SELECTING.test(this.lower);
    this.index = index;
  }
}

const table = new Map<string, HeaderName>();

/**
 * The name object for a spelling, or undefined where it is not a token (RFC 9110 section 5.6.2), which makes the message malformed.
 */
export function headerName(raw: string): HeaderName | undefined {
  const known = table.get(raw);
  if (known !== undefined) return known;
  if (!TOKEN.test(raw)) return undefined;
  if (table.size >= TABLE_LIMIT) return new HeaderName(raw, -1);
  // A substring keeps the whole text it was cut from alive, and the table is for ever: without this copy each of its names may hold a head of
  // 64 KiB.
  const own = Buffer.from(raw, "latin1").toString("latin1");
  const name = new HeaderName(own, table.size);
  table.set(own, name);
  return name;
}

/**
 * Names that are in the table before the first client is, in the three spellings in use: one who sends 1024 invented names first must not
 * make everyone else's requests slow.
 */
const WELL_KNOWN =
  "Accept Accept-Encoding Accept-Language Accept-Ranges Access-Control-Request-Headers Access-Control-Request-Method Age Allow Authorization " +
  "Cache-Control CF-Connecting-IP Connection Content-Disposition Content-Encoding Content-Language Content-Length Content-Range " +
  "Content-Security-Policy Content-Type Cookie Cross-Origin-Opener-Policy Date DNT ETag Expect Expires Forwarded From Host If-Match " +
  "If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Modified Location Origin Pragma Priority " +
  "Proxy-Authorization Proxy-Connection Range Referer Referrer-Policy Retry-After Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform " +
  "Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key " +
  "Sec-WebSocket-Protocol Sec-WebSocket-Version Server Set-Cookie Strict-Transport-Security TE Traceparent Tracestate Trailer " +
  "Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via WWW-Authenticate X-Content-Type-Options X-Forwarded-For " +
  "X-Forwarded-Host X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-Proto X-Frame-Options X-Real-IP X-Request-ID X-Requested-With";

for (const name of WELL_KNOWN.split(" ")) {
  headerName(name);
  headerName(name.toLowerCase());
  // As clients write them that capitalise every word the same way (Go's net/http, Python's http.client users).
  headerName(name.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase()));
}
