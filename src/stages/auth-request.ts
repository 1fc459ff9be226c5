/**
 * Another route of the site decides who may come (`auth-request` in the configuration; nginx's auth_request). It is asked with a request of its own: GET,
 * the client's fields, no body. 2xx lets the request pass, 401 and 403 refuse it, anything else is an error of ours. The request's own body waits
 * meanwhile, and a client that leaves ends both.
 *
 * The question passes by the guards of its own route (protecting.ts), so that may lie below what it protects.
 */
import type { Clock } from "../clock.ts";
import type { AuthRequestPlan } from "../config/sites/auth-request.ts";
import { answerError } from "../http/error-response.ts";
import { Exchange, type ResponseSink } from "../http/exchange.ts";
import { valueOf } from "../http/field-lines.ts";
import type { Handler, Stage } from "../http/handler.ts";
import { headerName } from "../http/header-names.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import { appended, dress, ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";
import { BoundedTable } from "./bounded-table.ts";
import { digest } from "./digest.ts";
import { hold, letGo } from "./holding.ts";
import { giveHeaders, withRequestFields } from "./request-headers.ts";
import { ToldOften } from "./told-often.ts";

export interface AuthRequestContext {
  readonly clock: Clock;
  readonly log: Log;
  /** The site's own handler. */
  readonly subrequest: Handler;
}

/** What an answer that lets pass means for the request. */
interface Pass {
  /** Name, value, name, value ... for whoever answers. */
  readonly fields: readonly string[];
  readonly user: string | null;
  readonly until: number;
}

const MOST_REMEMBERED = 8192;
/** Of a refusal that goes to the client as it is. */
const MOST_BODY = 65_536;

/** What is the body's, the connection's, or would make the answer depend on what the client has already. */
const NOT_ASKED: readonly string[] = [
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-original-method",
  "x-original-uri",
];
const notAsked = new Set(NOT_ASKED);

export function askingFirst(plan: AuthRequestPlan, where: string, context: AuthRequestContext): Stage {
  const { clock, log, subrequest } = context;
  const known = new BoundedTable<Pass>(MOST_REMEMBERED);
  const given = new Set(plan.copy.map((name) => name.toLowerCase()));
  const strange = new ToldOften<number>(clock, (count, status) =>
    log.error(
      `auth-request of ${where}: ${plan.path} answered ${status}, which is neither yes (2xx) nor no (401, 403): ${count} request${count === 1 ? "" : "s"} answered 500`,
    ),
  );
  return (next) => (exchange) => {
    const key = plan.rememberMs === 0 ? null : credentialsKey(plan, exchange);
    const pass = key === null ? undefined : known.use(key);
    if (pass !== undefined && pass.until > clock.now()) return admit(exchange, pass, given, next);
    const question = new Question(plan, (status, fields, body) => {
      letGo(exchange);
      if (status >= 200 && status < 300) {
        const now = clock.now();
        const made = passOf(plan, fields, now + plan.rememberMs);
        if (key !== null) known.set(key, made, ({ until }) => until <= now);
        copyBack(exchange, fields, plan.copyBack);
        return admit(exchange, made, given, next);
      }
      if (status !== 401 && status !== 403 && !(plan.passesRefusals && status >= 300 && status < 500)) {
        strange.happened(status);
        return answerError(exchange, 500);
      }
      refuse(plan, exchange, status, fields, body);
    });
    const inner = new Exchange(headOf(plan, exchange.head), exchange.peer, question, clock.now());
    inner.requestId = exchange.requestId;
    inner.body = EMPTY_BODY;
    hold(exchange, () => inner.leave());
    subrequest(inner);
  };
}

// Private

/** Takes the answer. */
class Question implements ResponseSink {
  readonly #keepsBody: boolean;
  readonly #onAnswer: (status: number, fields: ResponseFields, body: Buffer) => void;
  #status = 0;
  #fields: ResponseFields = ownFields([]);
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(plan: AuthRequestPlan, onAnswer: (status: number, fields: ResponseFields, body: Buffer) => void) {
    this.#keepsBody = plan.passesRefusals;
    this.#onAnswer = onAnswer;
  }

  complete(_inner: Exchange, status: number, _reason: string, fields: ResponseFields, body: string | Buffer): void {
    this.#onAnswer(status, fields, typeof body === "string" ? Buffer.from(body, "latin1") : body);
  }

  start(_inner: Exchange, status: number, _reason: string, fields: ResponseFields): void {
    this.#status = status;
    this.#fields = fields;
  }

  inform(): void {}

  write(inner: Exchange, chunk: Buffer): void {
    // Thrown away or kept, it has gone on: that is the worker's credit.
    inner.sentBytes += chunk.length;
    inner.onSent?.(chunk.length);
    this.#bytes += chunk.length;
    if (this.#keepsBody && this.#bytes <= MOST_BODY) this.#pieces.push(Buffer.from(chunk));
  }

  end(): void {
    // Half a page is none.
    const body = this.#bytes <= MOST_BODY ? Buffer.concat(this.#pieces) : EMPTY_BODY;
    this.#onAnswer(this.#status, this.#fields, body);
  }

  cut(): void {
    this.#onAnswer(502, ownFields([]), EMPTY_BODY);
  }
}

function headOf(plan: AuthRequestPlan, head: RequestHead): RequestHead {
  const headers = withRequestFields(head.headers, notAsked, [
    "X-Original-Method",
    head.method,
    "X-Original-URI",
    head.target,
  ]);
  return {
    ...head,
    method: "GET",
    target: plan.query === "" ? plan.path : `${plan.path}?${plan.query}`,
    path: plan.path,
    query: plan.query,
    headers,
    framing: "none",
    contentLength: 0,
    expectsContinue: false,
    isSubrequest: true,
  };
}

/** Null where there are no credentials to remember a yes by. */
function credentialsKey({ rememberBy }: AuthRequestPlan, { head, peer }: Exchange): string | null {
  const values = rememberBy.map((name) => {
    const { names, values: all } = head.headers;
    return all.filter((_value, at) => names[at]!.lower === name).join("\n");
  });
  if (values.every((value) => value === "")) return null;
  // Another site may be served by the same route.
  return digest(head.headers.get("host") ?? "", peer.scheme, ...values);
}

function passOf(plan: AuthRequestPlan, fields: ResponseFields, until: number): Pass {
  const copied: string[] = [];
  for (const name of plan.copy) {
    const value = valueOf(fields.flat, name.toLowerCase());
    if (value !== undefined && headerName(name) !== undefined) copied.push(name, value);
  }
  const user = plan.user === null ? undefined : valueOf(fields.flat, plan.user);
  return { fields: copied, user: user === undefined || user === "" ? null : user, until };
}

function admit(exchange: Exchange, pass: Pass, given: ReadonlySet<string>, next: Handler): void {
  if (given.size > 0) giveHeaders(exchange, withRequestFields(exchange.head.headers, given, pass.fields));
  if (pass.user !== null)
    exchange.user = { name: Buffer.from(pass.user, "latin1").toString("utf8"), scheme: "auth-request" };
  next(exchange);
}

function copyBack(exchange: Exchange, fields: ResponseFields, names: readonly string[]): void {
  const flat: string[] = [];
  for (let i = 0; i < fields.flat.length; i += 2)
    if (names.includes(fields.flat[i]!.toLowerCase())) flat.push(fields.flat[i]!, fields.flat[i + 1]!);
  if (flat.length === 0) return;
  const more = ownFields(flat);
  dress(exchange, (_exchange, _status, own) => appended(own, more));
}

function refuse(plan: AuthRequestPlan, exchange: Exchange, status: number, fields: ResponseFields, body: Buffer): void {
  if (plan.passesRefusals) {
    const { flat } = fields;
    const kept = flat.filter((_text, at) => flat[at - (at % 2)]!.toLowerCase() !== "content-length");
    return exchange.complete(status, reasonPhrase(status), ownFields(kept), body);
  }
  copyBack(exchange, fields, [...plan.copyBack, "www-authenticate"]);
  answerError(exchange, status);
}
