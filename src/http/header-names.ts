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
  | "proxy-connection";

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
]);

/** RFC 9110 section 5.6.2: token = 1*tchar. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

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
  /** Dense index of a name in the table, -1 for one beyond the bound: lets others keep a plain array per name. */
  readonly index: number;
  /** Scratch mark used to find duplicates within one header block; see HeaderBlock. */
  mark = 0;

  constructor(raw: string, index: number) {
    this.raw = raw;
    this.lower = raw.toLowerCase();
    this.kind = KINDS.has(this.lower) ? (this.lower as HeaderKind) : "other";
    this.hasUnderscore = raw.includes("_");
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
  const name = new HeaderName(raw, table.size);
  table.set(raw, name);
  return name;
}
