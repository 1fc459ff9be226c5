/**
 * The question that a new worker must answer before it gets requests (--ready-url): a GET that takes the same way as any request, but straight to that
 * worker. Pure: the seat carries it.
 */
import type { ReadyUrl } from "../config/settings/reload.ts";
import { Exchange, Peer, type ResponseSink } from "../http/exchange.ts";
import { HeaderBlock } from "../http/header-block.ts";
import { headerName } from "../http/header-names.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";

const NAMES = ["Host", "User-Agent"].map((name) => headerName(name)!);

/** The exchange to give to a seat. `onAnswer` hears once: null after a 2xx, else what came instead. */
export function readyProbe(url: ReadyUrl, now: number, onAnswer: (problem: string | null) => void): Exchange {
  const answered = (status: number): void =>
    onAnswer(status >= 200 && status <= 299 ? null : `GET ${url.target} was answered ${status} (--ready-url)`);
  const sink: ResponseSink = {
    complete: (_exchange, status) => answered(status),
    // What follows the head of a streamed response is taken and forgotten.
    start: (_exchange, status) => answered(status),
    write: (exchange, chunk) => exchange.onSent?.(chunk.length),
    end: () => {},
    inform: () => {},
    cut: () => {},
  };
  const peer = new Peer("127.0.0.1", 0, url.host.replace(/:\d+$/, ""), url.scheme === "https" ? 443 : 80, url.scheme);
  const exchange = new Exchange(headOf(url), peer, sink, now);
  exchange.body = EMPTY_BODY;
  exchange.state = "given";
  return exchange;
}

// Private

function headOf({ host, target }: ReadyUrl): RequestHead {
  const question = target.indexOf("?");
  return {
    method: "GET",
    target,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? "" : target.slice(question + 1),
    version: "1.1",
    headers: new HeaderBlock(NAMES, [host, "maitred (--ready-url)"], true, false, false),
    framing: "none",
    contentLength: 0,
    keepAlive: true,
    expectsContinue: false,
  };
}
