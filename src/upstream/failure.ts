/** Why an upstream has not answered, in words for the log, and what the client gets for it. Pure: errors come with a code each. */

export interface Failure {
  /** 502 where it failed, 504 where it took too long (RFC 9110 sections 15.6.3 and 15.6.5). */
  readonly status: number;
  readonly reason: string;
  /** The connection was lost, and nothing says that the upstream had the request. */
  readonly isLoss: boolean;
}

const LOST: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "it reset the connection",
  EPIPE: "it closed the connection",
  UND_ERR_SOCKET: "it closed the connection",
  EHOSTUNREACH: "no route to its host",
  ENETUNREACH: "no route to its network",
  EACCES: "its socket may not be opened",
  ENOENT: "its socket does not exist",
  ENOTFOUND: "its name has no address",
  EAI_AGAIN: "its name could not be resolved",
  UND_ERR_HEADERS_OVERFLOW: "its header section is too large (max-head-size)",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "its body is not as long as its Content-Length",
};

const LATE: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: "no connection within connect-timeout",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_HEADERS_TIMEOUT: "no response within response-timeout",
  UND_ERR_BODY_TIMEOUT: "nothing more of its response within idle-timeout",
};

/** What went wrong, from the error that the client library or the system gave. */
export function failureOf(error: Error): Failure {
  const code = codeOf(error);
  if ("syscall" in error && error.syscall === "open")
    return { status: 500, reason: `the file with the request's body cannot be read (${code})`, isLoss: false };
  const late = LATE[code];
  if (late !== undefined) return { status: 504, reason: late, isLoss: false };
  const reason = REASONS[code];
  if (reason !== undefined) return { status: 502, reason, isLoss: LOST.has(code) };
  if (error.name === "HTTPParserError") {
    // What the parser stumbled over stands in brackets.
    const detail = /\((.+)\)/.exec(error.message)?.[1] ?? error.message;
    return { status: 502, reason: `its response is not HTTP/1.1: ${detail}`, isLoss: false };
  }
  return { status: 502, reason: `${error.message}${code === "" ? "" : ` (${code})`}`, isLoss: false };
}

function codeOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
