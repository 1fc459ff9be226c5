/** `--static /static=build/static`, or `--static auto`: read, not yet resolved. */
import { parsePattern, type PathPattern } from "../http/path-pattern.ts";
import { value, wrong, type ValueType } from "./value-types.ts";

export type StaticSpec =
  | { readonly type: "auto" }
  | { readonly type: "folder"; readonly pattern: PathPattern; readonly folder: string };

export const staticSpec: ValueType<StaticSpec> = (text) => {
  if (text === "auto") return value({ type: "auto" });
  const at = text.indexOf("=");
  if (at < 0) return wrong("is neither /PATH=FOLDER nor auto: write --static /static=build/static");
  const pattern = parsePattern(text.slice(0, at));
  if ("why" in pattern) return wrong(pattern.why);
  const folder = text.slice(at + 1);
  return folder === "" ? wrong("names no folder behind the =") : value({ type: "folder", pattern, folder });
};
