/** What maitred adds to responses. */
import { type CompressionPlan, compressionSwitch } from "../compression.ts";
import { single, toggle, type Section, type Setting } from "../setting.ts";

export const serverHeader: Setting<boolean> = toggle({
  key: "server-header",
  flags: ["--server-header"],
  offFlags: ["--no-server-header"],
  env: ["UVICORN_SERVER_HEADER"],
  fallback: true,
  help: "Send Server: maitred, unless the application sends its own",
  doc: "",
});

export const dateHeader: Setting<boolean> = toggle({
  key: "date-header",
  flags: ["--date-header"],
  offFlags: ["--no-date-header"],
  env: ["UVICORN_DATE_HEADER"],
  fallback: true,
  help: "Send Date, unless the application sends its own",
  doc: "",
});

export const compression: Setting<CompressionPlan | null> = single<CompressionPlan | null>({
  key: "compression",
  flags: ["--compress", "--compression"],
  metavar: "[CODINGS]",
  alone: "on",
  type: compressionSwitch,
  fallback: null,
  fallbackText: "off",
  help: "Compress responses for clients that accept it; CODINGS is zstd,br,gzip or some of them, best first",
  doc: `Text, JSON, XML, JavaScript, SVG and other types that shrink, from 1 KiB on; what the application has encoded itself stays as it is.
[compression.md](compression.md) tells what exactly is done, and what a configuration file can say of it for single routes. Without the flag
responses go out as the application made them, as with gunicorn and uvicorn. In nginx: \`gzip on\`, with the types and the \`Vary\` field that it
leaves to you.`,
});

export const httpSection: Section = { title: "Responses", settings: [serverHeader, dateHeader, compression] };
