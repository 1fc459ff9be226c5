/** Why a handshake failed, in words for the operator's log. */
import type { TlsPlan } from "../../config/plan.ts";
import { reasonOf } from "./key-pair.ts";

export interface HandshakeFailure {
  readonly reason: string;
  /** False for what happens all day and means nothing. */
  readonly isNews: boolean;
}

/** `authorization`: what Node found wrong with the client's certificate. */
export function handshakeFailure(
  error: Error & { readonly code?: string },
  authorization: unknown,
  { leastVersion, ciphers }: TlsPlan,
): HandshakeFailure {
  const reason = reasonOf(error);
  if (authorization !== null && authorization !== undefined) {
    return news(`the client's certificate is not believed (${codeOf(authorization)}; --cert-reqs required)`);
  }
  switch (error.code) {
    case "ECONNRESET":
    case "EPIPE":
      return { reason: "the client left", isNews: false };
    case "ERR_SSL_UNSUPPORTED_PROTOCOL":
    case "ERR_SSL_VERSION_TOO_LOW":
      return news(`the client speaks no version from ${leastVersion} on (--ssl-version)`);
    case "ERR_SSL_NO_SHARED_CIPHER":
      return news(
        `the client speaks no cipher suite that is allowed (${ciphers === null ? "the default list" : "--ciphers"})`,
      );
    case "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE":
      return news("the client sent no certificate (--cert-reqs required)");
    case "ERR_SSL_NO_APPLICATION_PROTOCOL":
      return news("the client speaks no protocol that is offered (ALPN)");
    default:
      return news(reason.includes("alert") ? `the client refused it (${reason})` : reason);
  }
}

function news(reason: string): HandshakeFailure {
  return { reason, isNews: true };
}

/** Node gives a code as a string, whatever its types say. */
function codeOf(authorization: unknown): string {
  return authorization instanceof Error
    ? ((authorization as NodeJS.ErrnoException).code ?? authorization.message)
    : String(authorization);
}
