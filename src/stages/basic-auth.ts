/**
 * Name and password (`basic-auth` in the configuration; RFC 7617). Who gives the right ones is told to whoever answers: REMOTE_USER and AUTH_TYPE for
 * WSGI, the field Remote-User for all; nobody else can send that field. A wrong name costs as much time as a wrong password.
 */
import type { Clock } from "../clock.ts";
import type { BasicAuthPlan } from "../config/sites/basic-auth.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Handler, Stage } from "../http/handler.ts";
import { appended, dress, ownFields } from "../http/response-changes.ts";
import type { Log } from "../telemetry/log.ts";
import { hold, letGo } from "./holding.ts";
import type { Checked, PasswordChecker } from "./passwords/password-checker.ts";
import { giveHeaders, withRequestFields } from "./request-headers.ts";
import { ToldOften } from "./told-often.ts";
import type { Users } from "./users.ts";

interface Credentials {
  readonly name: string;
  readonly password: string;
}

export interface BasicAuthContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly passwords: PasswordChecker;
}

/** `where` names the route in the log. */
export function authenticating(plan: BasicAuthPlan, where: string, users: Users, context: BasicAuthContext): Stage {
  const { clock, log, passwords } = context;
  const failed = new ToldOften<string>(clock, (count, last) =>
    log.warning(`basic-auth of ${where}: ${count} failed login${count === 1 ? "" : "s"}, the last ${last}`),
  );
  const challenge = ownFields(["WWW-Authenticate", `Basic realm="${plan.realm}", charset="UTF-8"`]);
  const refuse = (exchange: Exchange): void => {
    dress(exchange, (_exchange, _status, fields) => appended(fields, challenge));
    answerError(exchange, 401);
  };
  return (next) => (exchange) => {
    const credentials = credentialsOf(exchange.head.headers.get("authorization"));
    if (credentials === null) return refuse(exchange);
    const waits = users.fresh();
    if (waits === null) return decide(exchange, credentials, next);
    let isGone = false;
    hold(exchange, () => (isGone = true));
    void waits.then(() => {
      if (isGone) return;
      letGo(exchange);
      decide(exchange, credentials, next);
    });
  };

  function decide(exchange: Exchange, { name, password }: Credentials, next: Handler): void {
    const hash = users.hashOf(name);
    if (hash !== undefined && passwords.isKnown(password, hash)) return admit(exchange, name, next, plan.header);
    const other = users.anyHash;
    // Nobody at all: there is no name to be found out.
    if (hash === undefined && other === undefined) return refuse(exchange);
    let isGone = false;
    hold(exchange, () => (isGone = true));
    const isSomebody = hash !== undefined;
    void passwords.check(password, hash ?? other!, isSomebody ? plan.rememberMs : 0).then((checked: Checked) => {
      if (isGone) return;
      letGo(exchange);
      if (checked === "busy") answerError(exchange, 503, 1);
      else if (checked === "right" && isSomebody) admit(exchange, name, next, plan.header);
      else {
        failed.happened(`as ${quoted(name)} from ${exchange.peer.address || "a Unix socket"}`);
        refuse(exchange);
      }
    });
  }
}

/** Null where there are none that could be right. */
export function credentialsOf(field: string | undefined): Credentials | null {
  const match = /^basic +([A-Za-z\d+/]{1,1024}={0,2}) *$/i.exec(field ?? "");
  if (match === null) return null;
  const text = Buffer.from(match[1]!, "base64").toString("utf8");
  const colon = text.indexOf(":");
  // RFC 7617 section 2: neither has control characters, and a name has no colon.
  return colon < 1 || /[\0-\x1f\x7f]/.test(text)
    ? null
    : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

// Private

function admit(exchange: Exchange, name: string, next: Handler, header: string): void {
  exchange.user = { name, scheme: "Basic" };
  // Field values are bytes: UTF-8, as latin-1 characters.
  const value = Buffer.from(name, "utf8").toString("latin1");
  giveHeaders(exchange, withRequestFields(exchange.head.headers, new Set([header.toLowerCase()]), [header, value]));
  next(exchange);
}

/** In one line of visible ASCII, whatever a client calls itself. */
function quoted(name: string): string {
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(name.slice(0, 64)).replace(/[^ -~]/g, escaped);
}
