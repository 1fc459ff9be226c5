/** HTTP/2: whether it is spoken, and what a client may have under way on one connection. */
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { value, wholeNumber, wrong, type ValueType } from "../value-types.ts";

const cleartextModes: ValueType<boolean> = (text) => {
  switch (text.toLowerCase()) {
    case "off":
      return value(false);
    case "prior-knowledge":
      return value(true);
    case "upgrade":
    case "both":
      return wrong("asks for Upgrade: h2c, which RFC 9113 has withdrawn: give off or prior-knowledge");
    default:
      return wrong("is not one of off, prior-knowledge");
  }
};

export const http2: Setting<boolean> = toggle({
  key: "http2",
  flags: ["--http2"],
  offFlags: ["--no-http2"],
  env: ["UVICORN_HTTP2"],
  fallback: true,
  help: "Speak HTTP/2 with clients that ask for it",
  doc: `Over TLS by ALPN; without TLS with clients that begin with HTTP/2's preface ("prior knowledge"), such as load balancers and gRPC
proxies. HTTP/1.1 clients notice nothing. gunicorn and uvicorn have it off by default.`,
});

export const http2Cleartext: Setting<boolean> = single({
  key: "http2-cleartext",
  flags: ["--http2-cleartext"],
  metavar: "MODE",
  type: cleartextModes,
  fallback: true,
  fallbackText: "prior-knowledge",
  help: "HTTP/2 without TLS: off or prior-knowledge",
  doc: "gunicorn's `upgrade` and `both` are refused: `Upgrade: h2c` was withdrawn by RFC 9113, and is a way past proxies.",
});

export const http2MaxConcurrentStreams: Setting<number> = single({
  key: "http2-max-concurrent-streams",
  flags: ["--http2-max-concurrent-streams"],
  metavar: "N",
  type: wholeNumber(1, 65_536),
  fallback: 100,
  help: "Requests that may be under way on one HTTP/2 connection",
  doc: "A stream beyond it is refused and may be tried again by the client (RFC 9113 section 5.1.2).",
});

export const http2InitialWindowSize: Setting<number> = single({
  key: "http2-initial-window-size",
  flags: ["--http2-initial-window-size"],
  metavar: "BYTES",
  type: wholeNumber(0, 2_147_483_647),
  fallback: 262_144,
  help: "Bytes of an HTTP/2 request's body that may come before the app takes any",
  doc: `Bounds the memory of a slow app, and the speed of an upload over a long line: one window a round trip. Of a body that the app
does not read this and half a MiB is taken, so of a whole connection 75 MiB by default (\`--http2-max-concurrent-streams\`). gunicorn's default is the protocol's, 65535.`,
});

export const http2MaxFrameSize: Setting<number> = single({
  key: "http2-max-frame-size",
  flags: ["--http2-max-frame-size"],
  metavar: "BYTES",
  type: wholeNumber(16_384, 16_777_215),
  fallback: 16_384,
  help: "Longest HTTP/2 frame that a client may send",
  doc: "",
});

export const http2MaxHeaderListSize: Setting<number> = single({
  key: "http2-max-header-list-size",
  flags: ["--http2-max-header-list-size"],
  metavar: "BYTES",
  type: wholeNumber(1024, 1_048_576),
  fallback: 65_536,
  help: "Bytes of an HTTP/2 request's head after decompression",
  doc: `Counted as RFC 9113 section 6.5.2 does, 32 bytes more for each field. Above it the request's stream is reset. The limits of HTTP/1.1
(\`--limit-request-line\` and its kin) hold too, and are answered with 414 and 431.`,
});

export const http2Section: Section = {
  title: "HTTP/2",
  settings: [
    http2,
    http2Cleartext,
    http2MaxConcurrentStreams,
    http2InitialWindowSize,
    http2MaxFrameSize,
    http2MaxHeaderListSize,
  ],
};
