/**
 * The header fields of an app's response, checked and made ready to send. The app may be anyone's code, so this is where response splitting
 * ends (RFC 9110 section 5.5), whatever the worker says it checked.
 *
 * How the message is framed and whether the connection persists are the server's business (RFC 9110 section 7.6.1): the fields that would
 * say so are taken out of `text`, and what they asked for is kept beside it.
 */
import { headerName } from "./header-names.ts";

export class ResponseFields {
  /** Name, value, name, value ... as the app gave them, nothing taken out. Latin-1 strings. */
  readonly flat: readonly string[];
  /** Ready "Name: value\r\n" lines, without those of the framing and the connection. */
  readonly text: string;
  /** What Content-Length says, -1 where there is none. */
  readonly contentLength: number;
  readonly hasDate: boolean;
  readonly hasServer: boolean;
  /** The app sent `Connection: close`. */
  readonly wantsClose: boolean;
  /** The codec's last head with these fields, kept here by the codec; undefined before their first use. */
  lastHead: object | null | undefined = undefined;
  /** The app has failed and has no words for it (Maitred-Error, from the worker): the answer is to be maitred's own. */
  isWordless = false;
  /** What compression makes of these fields, kept here by it; null before it has looked. */
  variants: object | null = null;

  constructor(
    flat: readonly string[],
    text: string,
    contentLength: number,
    hasDate: boolean,
    hasServer: boolean,
    wantsClose: boolean,
  ) {
    this.flat = flat;
    this.text = text;
    this.contentLength = contentLength;
    this.hasDate = hasDate;
    this.hasServer = hasServer;
    this.wantsClose = wantsClose;
  }
}

/** A field that cannot be sent: the app is at fault. */
export class BadField {
  readonly name: string;
  readonly value: string;
  readonly reason: string;

  constructor(name: string, value: string, reason: string) {
    this.name = name;
    this.value = value;
    this.reason = reason;
  }
}

/** Anything but HTAB, SP, visible ASCII and obs-text (RFC 9110 section 5.5). */
const BAD_VALUE = /[^\t -~\x80-\xff]/;
const DIGITS = /^[0-9]+$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

/** Checks the fields an app gave. `flat` is name, value, name, value ...; it is kept, not copied. */
export function responseFields(flat: readonly string[]): ResponseFields | BadField {
  if (flat.length % 2 !== 0) return new BadField(flat[flat.length - 1]!, "", "the last name has no value");
  let text = "";
  let contentLength = -1;
  let hasDate = false;
  let hasServer = false;
  let wantsClose = false;
  let isWordless = false;
  for (let i = 0; i < flat.length; i += 2) {
    const raw = flat[i]!;
    const value = flat[i + 1]!;
    const name = headerName(raw);
    if (name === undefined) return new BadField(raw, value, "the name is not a token");
    if (BAD_VALUE.test(value))
      return new BadField(raw, value, "the value has a control character or one beyond latin-1");
    switch (name.kind) {
      case "content-length": {
        const length = DIGITS.test(value) ? Number(value) : -1;
        if (length < 0 || length > Number.MAX_SAFE_INTEGER)
          return new BadField(raw, value, "the length is not a decimal number below 2^53");
        if (contentLength !== -1 && contentLength !== length)
          return new BadField(raw, value, "two lengths contradict each other");
        contentLength = length;
        continue;
      }
      case "connection":
        if (CLOSE.test(value)) wantsClose = true;
        continue;
      case "maitred-error":
        isWordless = true;
        continue;
      case "transfer-encoding":
      case "keep-alive":
      case "proxy-connection":
      case "upgrade":
      case "te":
      case "trailer":
        continue;
      case "date":
        hasDate = true;
        break;
      case "server":
        hasServer = true;
        break;
      default:
        // Proxy-Authenticate and its kin speak to the next hop (RFC 9110 section 11.7), which is not the app's.
        if (name.lower.startsWith("proxy-")) continue;
    }
    text += `${raw}: ${value}\r\n`;
  }
  const fields = new ResponseFields(flat, text, contentLength, hasDate, hasServer, wantsClose);
  fields.isWordless = isWordless;
  return fields;
}
