/** Where a value came from, so that a mistake, the banner and a status page can say it in the operator's own words. */

export type Origin =
  | { readonly type: "command-line"; readonly flag: string; readonly text: string | null }
  | { readonly type: "cmd-args"; readonly flag: string; readonly text: string | null }
  | { readonly type: "environment"; readonly name: string; readonly text: string }
  | {
      readonly type: "file";
      /** "maitred.toml:12". */
      readonly place: string;
      readonly key: string;
      readonly text: string;
    }
  | { readonly type: "default" };

/** From a command line or the environment. */
export type GivenOrigin = Exclude<Origin, { type: "default" | "file" }>;

/** The strongest wins. GUNICORN_CMD_ARGS beats the other variables because gunicorn reads those as defaults. */
export const originRank: Readonly<Record<Origin["type"], number>> = {
  "command-line": 4,
  "cmd-args": 3,
  environment: 2,
  file: 1,
  default: 0,
};

/** "--workers 4", "WEB_CONCURRENCY=4", "-w 4 in GUNICORN_CMD_ARGS", "workers = 4 (maitred.toml:2)". */
export function originText(origin: Origin): string {
  switch (origin.type) {
    case "command-line":
      return given(origin.flag, origin.text);
    case "cmd-args":
      return `${given(origin.flag, origin.text)} in GUNICORN_CMD_ARGS`;
    case "environment":
      return `${origin.name}=${origin.text}`;
    case "file":
      return `${origin.key} = ${shownText(origin.text)} (${origin.place})`;
    case "default":
      return "default";
  }
}

/** The beginning of a sentence about a value that is wrong: a mistake in a file begins with its place, as a compiler's does. */
export function mistakenText(origin: Origin): string {
  return origin.type === "file" ? `${origin.place}: ${origin.key} = ${shownText(origin.text)}` : originText(origin);
}

/** The flag or variable without its value. */
export function originName(origin: Origin): string {
  switch (origin.type) {
    case "command-line":
      return origin.flag;
    case "cmd-args":
      return `${origin.flag} in GUNICORN_CMD_ARGS`;
    case "environment":
      return origin.name;
    case "file":
      return `${origin.key} (${origin.place})`;
    case "default":
      return "default";
  }
}

// Private

function given(flag: string, text: string | null): string {
  if (text === null) return flag;
  return `${flag} ${shownText(text)}`;
}

function shownText(text: string): string {
  return text === "" || /\s/.test(text) ? JSON.stringify(text) : text;
}
