/** What maitred adds to responses. */
import { toggle, type Section, type Setting } from "../setting.ts";

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

export const httpSection: Section = { title: "Responses", settings: [serverHeader, dateHeader] };
