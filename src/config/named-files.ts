/** Where files lie that the app may name in its responses (X-Accel-Redirect, X-Sendfile): what flags and the configuration file say. */
import { value, wrong, type ValueType } from "./value-types.ts";

/** A path of X-Accel-Redirect that stands for a folder. */
export interface AccelFolder {
  /** Begins with a slash and does not end in one. */
  readonly prefix: string;
  readonly root: string;
}

/** As it stands in the header: not decoded. */
export const accelPrefix: ValueType<string> = (text) =>
  /^(?:\/[^\s/?#%\\*$]+)+\/?$/.test(text)
    ? value(text.replace(/\/$/, ""))
    : wrong('is no path that can stand for a folder: write "/protected"');

/** `/protected=/srv/files` */
export const accelFolder: ValueType<AccelFolder> = (text) => {
  const at = text.indexOf("=");
  if (at < 0 || at === text.length - 1) return wrong("is not /PATH=FOLDER: write --accel /protected=/srv/files");
  const prefix = accelPrefix(text.slice(0, at));
  return prefix.type === "wrong" ? prefix : value({ prefix: prefix.value, root: text.slice(at + 1) });
};
