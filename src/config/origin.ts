/** Where a value came from, so that a mistake, the banner and a status page can say it in the operator's own words. */

export type Origin =
  | { readonly type: "command-line"; readonly flag: string; readonly text: string | null }
  | { readonly type: "cmd-args"; readonly flag: string; readonly text: string | null }
  | { readonly type: "environment"; readonly name: string; readonly text: string }
  | { readonly type: "default" };

/** The strongest wins. GUNICORN_CMD_ARGS beats the other variables because gunicorn reads those as defaults. */
export const originRank: Readonly<Record<Origin["type"], number>> = {
  "command-line": 3,
  "cmd-args": 2,
  environment: 1,
  default: 0,
};

/** "--workers 4", "WEB_CONCURRENCY=4", "-w 4 in GUNICORN_CMD_ARGS". */
export function originText(origin: Origin): string {
  switch (origin.type) {
    case "command-line":
      return given(origin.flag, origin.text);
    case "cmd-args":
      return `${given(origin.flag, origin.text)} in GUNICORN_CMD_ARGS`;
    case "environment":
      return `${origin.name}=${origin.text}`;
    case "default":
      return "default";
  }
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
    case "default":
      return "default";
  }
}

// Private

function given(flag: string, text: string | null): string {
  if (text === null) return flag;
  return `${flag} ${text === "" ? '""' : /\s/.test(text) ? JSON.stringify(text) : text}`;
}
