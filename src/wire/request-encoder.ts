/**
 * Requests as the worker gets them (PROTOCOL.md, REQUESTS): `(id, head, body)` with head a WSGI environ (PEP 3333, "environ Variables"; RFC 3875) or an
 * ASGI scope (ASGI HTTP specification, "Connection Scope"), written as marshal straight from the parsed head.
 *
 * Hot path. What repeats is encoded once: a name's key by its table index, a peer's part on the Peer, a whole header section on its HeaderBlock
 * from its second use on.
 */
import type { Exchange, Peer } from "../http/exchange.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import type { HeaderName } from "../http/header-names.ts";
import { PROTOCOL } from "../http/request-head.ts";
import { decodePathLatin1, decodePathUtf8 } from "../http/target.ts";
import type { Templates } from "./templates.ts";
import { belowMount } from "./mount.ts";
import { bytesKey, internedKey, MarshalWriter, plainKey } from "./marshal-writer.ts";
import { putTlsEnviron, putTlsScope } from "./tls-encoding.ts";

export interface RequestEncoder {
  /** Appends one item. `templates`: what the worker remembers; null where it does not. */
  encode(writer: MarshalWriter, id: number, exchange: Exchange, templates: Templates | null): void;
}

/** The listener whose name and port stand in the worker's constant part; requests through another one carry their own. */
export interface BaseListener {
  readonly serverName: string;
  readonly serverPort: number;
  /** SCRIPT_NAME: removed from the head of the path, as gunicorn does. */
  readonly rootPath: string;
  /** Where the front has mounted the app: removed from every path, and part of rootPath; empty where it is not. */
  readonly mount: string;
}

const DICT = 0x7b;
const DICT_END = 0x30;
const NONE = 0x4e;
const TRUE = 0x54;
const FALSE = 0x46;

/** Field names that may be interned: the registered ones that real clients send. A fixed set, so nothing a client invents becomes immortal. */
const WELL_KNOWN: ReadonlySet<string> = new Set(
  (
    "accept accept-charset accept-encoding accept-language authorization cache-control connection content-encoding content-length content-type cookie date dnt " +
    "expect forwarded from host if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive origin pragma priority range referer " +
    "sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user te trailer traceparent transfer-encoding upgrade " +
    "upgrade-insecure-requests user-agent via x-csrftoken x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip x-request-id x-requested-with"
  ).split(" "),
);

function putBody(writer: MarshalWriter, exchange: Exchange): void {
  if (exchange.webSocket !== null) writer.code(FALSE);
  else if (exchange.body !== null) writer.bytesOf(exchange.body);
  else if (exchange.bodyFile !== null) writer.text(exchange.bodyFile);
  else writer.code(exchange.head.expectsContinue ? TRUE : NONE);
}

/** CGI name of a field (RFC 3875 section 4.1.18): Content-Type and Content-Length have no HTTP_ prefix. */
export function environName(lower: string): string {
  const upper = lower.toUpperCase().replaceAll("-", "_");
  return upper === "CONTENT_TYPE" || upper === "CONTENT_LENGTH" ? upper : `HTTP_${upper}`;
}

/** Remembers an encoded key per table index. */
function keyTable(make: (name: HeaderName) => Buffer): (name: HeaderName) => Buffer {
  const keys: (Buffer | undefined)[] = [];
  return (name) => {
    if (name.index < 0) return make(name);
    return (keys[name.index] ??= make(name));
  };
}

const environKey = keyTable((name) => (WELL_KNOWN.has(name.lower) ? internedKey : plainKey)(environName(name.lower)));

/** Keeps a section's encoded form from its second use on: a section seen twice on a connection will be seen again. */
function remember(encoder: RequestEncoder, block: HeaderBlock, writer: MarshalWriter, from: number): void {
  if (block.encodedFor === encoder) block.encoded = writer.since(from);
  else {
    block.encodedFor = encoder;
    block.encoded = null;
  }
}

const METHOD_NAMES = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Key and value of the method, ready to copy, for the methods that nearly all requests have. */
function methodTable(key: Buffer): Map<string, Buffer> {
  return new Map(METHOD_NAMES.map((method) => [method, Buffer.concat([key, plainKey(method)])]));
}

/** The number of the template to encode a request with, or negative: the one to define with it; 0 for neither. */
function templateFor(encoder: RequestEncoder, exchange: Exchange, templates: Templates | null): number {
  const { head, peer } = exchange;
  if (templates === null || exchange.body === null || head.framing === "chunked") return 0;
  // Its scope or environ has what a template has not.
  if (exchange.webSocket !== null || exchange.user !== null) return 0;
  const number = templates.find(head, peer);
  if (number !== 0) return number;
  const { headers } = head;
  // A section seen three times will be seen again.
  return headers.encodedFor === encoder && headers.encoded !== null ? -templates.define(head, peer) : 0;
}

/** A request like one that the worker remembers; what differs follows. */
function openRemembered(writer: MarshalWriter, id: number, template: number, body: Buffer): void {
  writer.tuple(6);
  writer.int(id);
  writer.int(template);
  writer.bytesOf(body);
}

/** Opens an item: its tuple, id and head, with the method as the head's first entry. */
function openItem(
  writer: MarshalWriter,
  id: number,
  method: string,
  methods: Map<string, Buffer>,
  key: Buffer,
  isDefinition: boolean,
): void {
  writer.tuple(isDefinition ? 4 : 3);
  writer.int(id);
  writer.code(DICT);
  const encoded = methods.get(method);
  if (encoded !== undefined) return writer.raw(encoded);
  writer.raw(key);
  writer.ascii(method);
}

const WSGI = {
  method: internedKey("REQUEST_METHOD"),
  path: internedKey("PATH_INFO"),
  query: internedKey("QUERY_STRING"),
  rawUri: internedKey("RAW_URI"),
  remoteAddress: internedKey("REMOTE_ADDR"),
  remotePort: internedKey("REMOTE_PORT"),
  scriptName: internedKey("SCRIPT_NAME"),
  serverName: internedKey("SERVER_NAME"),
  serverPort: internedKey("SERVER_PORT"),
  http10: Buffer.concat([internedKey("SERVER_PROTOCOL"), plainKey(PROTOCOL["1.0"])]),
  http2: Buffer.concat([internedKey("SERVER_PROTOCOL"), plainKey(PROTOCOL["2"])]),
  https: Buffer.concat([internedKey("wsgi.url_scheme"), plainKey("https")]),
  contentLength: internedKey("CONTENT_LENGTH"),
  remoteUser: internedKey("REMOTE_USER"),
  authType: internedKey("AUTH_TYPE"),
} as const;

/** Encoder for WSGI workers. */
export class EnvironEncoder implements RequestEncoder {
  readonly #base: BaseListener;
  readonly #methods: Map<string, Buffer> = methodTable(WSGI.method);

  constructor(base: BaseListener) {
    this.#base = base;
  }

  encode(writer: MarshalWriter, id: number, exchange: Exchange, templates: Templates | null): void {
    const { head, peer } = exchange;
    const template = templateFor(this, exchange, templates);
    if (template > 0) return this.#byTemplate(writer, id, exchange, template);
    openItem(writer, id, head.method, this.#methods, WSGI.method, template < 0);
    writer.raw(WSGI.path);
    this.#path(writer, head.path);
    if (head.query !== "") {
      writer.raw(WSGI.query);
      writer.ascii(head.query);
    }
    writer.raw(WSGI.rawUri);
    writer.ascii(head.target);
    if (peer.encodedFor !== this) this.#peer(peer);
    writer.raw(peer.encoded!);
    if (head.version !== "1.1") writer.raw(head.version === "2" ? WSGI.http2 : WSGI.http10);
    if (head.framing === "chunked") this.#chunkedHeaders(writer, exchange);
    else this.#headers(writer, head.headers);
    if (exchange.user !== null) {
      writer.raw(WSGI.remoteUser);
      // PEP 3333, "Unicode Issues": a native string with a character per byte.
      writer.text(Buffer.from(exchange.user.name, "utf8").toString("latin1"));
      writer.raw(WSGI.authType);
      writer.ascii(exchange.user.scheme);
    }
    writer.code(DICT_END);
    putBody(writer, exchange);
    if (template < 0) writer.int(-template);
  }

  #byTemplate(writer: MarshalWriter, id: number, { head, body }: Exchange, template: number): void {
    openRemembered(writer, id, template, body!);
    this.#path(writer, head.path);
    writer.ascii(head.query);
    writer.ascii(head.target);
  }

  #path(writer: MarshalWriter, path: string): void {
    let decoded = path;
    if (path.includes("%")) decoded = decodePathLatin1(path);
    const { rootPath, mount } = this.#base;
    if (mount !== "") decoded = belowMount(decoded, mount);
    // gunicorn/http/wsgi.py: a path outside SCRIPT_NAME is passed on whole.
    else if (rootPath !== "" && decoded.startsWith(rootPath)) {
      const rest = decoded.charCodeAt(rootPath.length);
      if (rest === 0x2f || Number.isNaN(rest)) decoded = decoded.slice(rootPath.length);
    }
    if (decoded === path) writer.ascii(decoded);
    else writer.text(decoded);
  }

  #peer(peer: Peer): void {
    const writer = new MarshalWriter(256);
    writer.raw(WSGI.remoteAddress);
    writer.ascii(peer.address);
    if (peer.address !== "") {
      writer.raw(WSGI.remotePort);
      writer.ascii(String(peer.port));
    }
    if (peer.serverName !== this.#base.serverName || peer.serverPort !== this.#base.serverPort) {
      writer.raw(WSGI.serverName);
      writer.text(peer.serverName);
      writer.raw(WSGI.serverPort);
      writer.ascii(String(peer.serverPort));
    }
    if (peer.prefix !== "") {
      writer.raw(WSGI.scriptName);
      writer.ascii(peer.prefix + this.#base.rootPath);
    }
    if (peer.scheme === "https") writer.raw(WSGI.https);
    if (peer.tls !== null) putTlsEnviron(writer, peer.tls);
    peer.encoded = writer.since(0);
    peer.encodedFor = this;
  }

  #headers(writer: MarshalWriter, block: HeaderBlock): void {
    if (block.encodedFor === this && block.encoded !== null) return writer.raw(block.encoded);
    const from = writer.at;
    if (block.hasDuplicates) this.#joined(writer, block, "");
    else {
      const { names, values } = block;
      for (let i = 0; i < names.length; i++) {
        writer.raw(environKey(names[i]!));
        if (block.isAscii) writer.ascii(values[i]!);
        else writer.text(values[i]!);
      }
    }
    remember(this, block, writer, from);
  }

  /** A chunked body that is complete has a length after all; saying both would contradict. */
  #chunkedHeaders(writer: MarshalWriter, exchange: Exchange): void {
    const { headers } = exchange.head;
    if (exchange.body === null && exchange.bodyFile === null) return this.#joined(writer, headers, "");
    this.#joined(writer, headers, "transfer-encoding");
    writer.raw(WSGI.contentLength);
    writer.ascii(String(exchange.body?.length ?? exchange.bodyFileBytes));
  }

  /** Fields of one name become one value (RFC 9110 section 5.3; Cookie by RFC 9113 section 8.2.3). */
  #joined(writer: MarshalWriter, block: HeaderBlock, without: string): void {
    const joined = new Map<string, { name: HeaderName; value: string }>();
    for (let i = 0; i < block.names.length; i++) {
      const name = block.names[i]!;
      if (name.lower === without) continue;
      const first = joined.get(name.lower);
      if (first === undefined) joined.set(name.lower, { name, value: block.values[i]! });
      else first.value += (name.kind === "cookie" ? "; " : ",") + block.values[i]!;
    }
    for (const { name, value } of joined.values()) {
      writer.raw(environKey(name));
      writer.text(value);
    }
  }
}

const ASGI = {
  method: internedKey("method"),
  path: internedKey("path"),
  rawPath: internedKey("raw_path"),
  query: internedKey("query_string"),
  client: internedKey("client"),
  server: internedKey("server"),
  rootPath: internedKey("root_path"),
  headers: internedKey("headers"),
  http10: Buffer.concat([internedKey("http_version"), plainKey("1.0")]),
  http2: Buffer.concat([internedKey("http_version"), plainKey("2")]),
  https: Buffer.concat([internedKey("scheme"), plainKey("https")]),
  ws: Buffer.concat([internedKey("type"), plainKey("websocket"), internedKey("scheme"), plainKey("ws")]),
  wss: Buffer.concat([internedKey("type"), plainKey("websocket"), internedKey("scheme"), plainKey("wss")]),
  subprotocols: internedKey("subprotocols"),
} as const;

const scopeKey = keyTable((name) => Buffer.concat([Buffer.from([0x29, 2]), bytesKey(name.lower)]));

function putPath(writer: MarshalWriter, path: string): void {
  if (path.includes("%")) writer.text(decodePathUtf8(path));
  else writer.ascii(path);
}

/** Encoder for ASGI workers. */
export class ScopeEncoder implements RequestEncoder {
  readonly #base: BaseListener;
  readonly #methods: Map<string, Buffer> = methodTable(ASGI.method);

  constructor(base: BaseListener) {
    this.#base = base;
  }

  encode(writer: MarshalWriter, id: number, exchange: Exchange, templates: Templates | null): void {
    const { head, peer } = exchange;
    const template = templateFor(this, exchange, templates);
    if (template > 0) return this.#byTemplate(writer, id, exchange, template);
    openItem(writer, id, head.method, this.#methods, ASGI.method, template < 0);
    writer.raw(ASGI.path);
    const path = this.#below(head.path);
    putPath(writer, path);
    writer.raw(ASGI.rawPath);
    writer.latin1Bytes(path);
    writer.raw(ASGI.query);
    writer.latin1Bytes(head.query);
    if (peer.encodedFor !== this) this.#peer(peer);
    writer.raw(peer.encoded!);
    if (head.version !== "1.1") writer.raw(head.version === "2" ? ASGI.http2 : ASGI.http10);
    this.#headers(writer, head.headers);
    if (exchange.webSocket !== null) this.#webSocket(writer, peer, exchange.webSocket.subprotocols);
    writer.code(DICT_END);
    putBody(writer, exchange);
    if (template < 0) writer.int(-template);
  }

  #byTemplate(writer: MarshalWriter, id: number, { head, body }: Exchange, template: number): void {
    openRemembered(writer, id, template, body!);
    const path = this.#below(head.path);
    putPath(writer, path);
    writer.latin1Bytes(head.query);
    writer.latin1Bytes(path);
  }

  #below(path: string): string {
    const { mount } = this.#base;
    return mount === "" ? path : belowMount(path, mount);
  }

  /** What a WebSocket's scope has beyond, or in place of, a request's (ASGI HTTP specification, "WebSocket Connection Scope"). */
  #webSocket(writer: MarshalWriter, peer: Peer, subprotocols: readonly string[]): void {
    writer.raw(peer.scheme === "https" ? ASGI.wss : ASGI.ws);
    writer.raw(ASGI.subprotocols);
    writer.list(subprotocols.length);
    for (const name of subprotocols) writer.ascii(name);
  }

  #peer(peer: Peer): void {
    const writer = new MarshalWriter(256);
    writer.raw(ASGI.client);
    if (peer.address === "") writer.code(NONE);
    else {
      writer.tuple(2);
      writer.ascii(peer.address);
      writer.int(peer.port);
    }
    if (peer.serverName !== this.#base.serverName || peer.serverPort !== this.#base.serverPort) {
      writer.raw(ASGI.server);
      writer.tuple(2);
      writer.text(peer.serverName);
      if (peer.serverPort === 0) writer.code(NONE);
      else writer.int(peer.serverPort);
    }
    if (peer.prefix !== "") {
      writer.raw(ASGI.rootPath);
      writer.text(peer.prefix + this.#base.rootPath);
    }
    if (peer.scheme === "https") writer.raw(ASGI.https);
    if (peer.tls !== null) putTlsScope(writer, peer.tls);
    peer.encoded = writer.since(0);
    peer.encodedFor = this;
  }

  #headers(writer: MarshalWriter, block: HeaderBlock): void {
    if (block.encodedFor === this && block.encoded !== null) return writer.raw(block.encoded);
    const from = writer.at;
    const { names, values } = block;
    writer.raw(ASGI.headers);
    writer.list(names.length);
    for (let i = 0; i < names.length; i++) {
      writer.raw(scopeKey(names[i]!));
      writer.latin1Bytes(values[i]!);
    }
    remember(this, block, writer, from);
  }
}
