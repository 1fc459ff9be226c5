/** What maitred keeps of requests and responses so that a slow client does not hold a worker, and where. */
import { single, type Section, type Setting } from "../setting.ts";
import { bytes, choice, text } from "../value-types.ts";

export type RequestBuffering = "auto" | "on" | "off";

export const requestBuffering: Setting<RequestBuffering> = single<RequestBuffering>({
  key: "request-buffering",
  flags: ["--request-buffering"],
  metavar: "MODE",
  type: choice(["auto", "on", "off"]),
  fallback: "auto",
  help: "Whether a request waits for its whole body: on, off, or auto (on for WSGI, off for ASGI)",
  doc: `With \`on\` a request is given to a worker when its body is complete, so that a slow upload holds none; with \`off\` the application reads
while the client sends, as it does under gunicorn and uvicorn alone. A client that waits for \`100 Continue\` is never buffered: it gets its 100
when the application asks for the body.`,
});

export const bodyMemory: Setting<number> = single({
  key: "body-memory",
  flags: ["--body-memory"],
  metavar: "BYTES",
  type: bytes(1_073_741_824),
  fallback: 1_048_576,
  fallbackText: "1m",
  help: "Most of a buffered request body that is kept in memory; a larger one is written to a file",
  doc: "The application reads the file as it would read the socket. nginx calls it `client_body_buffer_size`.",
});

export const responseBuffer: Setting<number> = single({
  key: "response-buffer",
  flags: ["--response-buffer"],
  metavar: "BYTES",
  type: bytes(Number.MAX_SAFE_INTEGER),
  fallback: 1_073_741_824,
  fallbackText: "1g",
  help: "Most of a response that is kept in a file while its client is slow; 0 is none",
  doc: `For WSGI: the worker is free as soon as the application has finished, however slowly the client reads. What goes beyond waits in the
application, as all of it does for ASGI. nginx calls it \`proxy_max_temp_file_size\`.`,
});

export const spoolDir: Setting<string | null> = single<string | null>({
  key: "spool-dir",
  flags: ["--spool-dir"],
  metavar: "FOLDER",
  type: text,
  fallback: null,
  fallbackText: "$TMPDIR, or /tmp",
  help: "Folder for the bodies that do not fit in memory",
  doc: `The files have no name (they are removed as soon as they are open), so nothing is left behind. Where no file can be made there, bodies are
streamed, with one warning. Where /tmp is memory (tmpfs), spool files are too: name a folder on a disk, or lower \`--spool-max\`.`,
});

export const spoolMax: Setting<number> = single({
  key: "spool-max",
  flags: ["--spool-max"],
  metavar: "BYTES",
  type: bytes(Number.MAX_SAFE_INTEGER),
  fallback: 4_294_967_296,
  fallbackText: "4g",
  help: "Most that all files in --spool-dir may hold together; 0 makes none",
  doc: "An upload that does not fit gets 507, as when the disk is full; a response that does not fit waits in the application.",
});

export const bufferingSection: Section = {
  title: "Buffering",
  settings: [requestBuffering, bodyMemory, responseBuffer, spoolDir, spoolMax],
};
