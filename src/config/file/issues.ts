/**
 * What zod found wrong, as sentences for an operator: the key, its value as written, why not, and what would be right. Pure.
 */
import type { z } from "zod";
import { nearest } from "../suggest.ts";

/** A mistake at a place in the file. */
export interface Issue {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** `input` is what was validated. `topKeys`: what a key at the top may be called beside what the schema says. */
export function issuesOf(error: z.core.$ZodError, input: unknown, topKeys: readonly string[] = []): Issue[] {
  return error.issues.flatMap((issue) => explain(issue, { input, topKeys }, []));
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (typeof value === "string") {
    const short = value.length > 60 ? `${value.slice(0, 57)}...` : value;
    return JSON.stringify(short);
  }
  if (Array.isArray(value)) return "[...]";
  return typeof value === "object" && value !== null ? "{...}" : String(value);
}

/** For `safeParse(input, { error: tellingKeys })`: an unknown key is answered with those that there are. */
export function tellingKeys(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "unrecognized_keys") return undefined;
  const shape = (issue.inst as z.ZodObject | undefined)?.def.shape;
  return shape === undefined ? undefined : KEYS + Object.keys(shape).join(", ");
}

// Private

const KEYS = "keys: ";

type RawIssue = z.core.$ZodIssue;

interface Place {
  readonly input: unknown;
  readonly topKeys: readonly string[];
}

function explain(issue: RawIssue, place: Place, above: readonly PropertyKey[]): Issue[] {
  const at = [...above, ...issue.path];
  const value = valueAt(place.input, at);
  const told = (why: string): Issue[] => [
    { path: at, text: `${nameOf(at)}${value === undefined || isTable(value) ? "" : ` = ${shown(value)}`} ${why}` },
  ];
  switch (issue.code) {
    case "unrecognized_keys": {
      return issue.keys.map((key) => {
        const known = knownKeys(issue);
        const possible = at.length === 0 ? [...(known ?? []), ...place.topKeys] : (known ?? []);
        const near = nearest(key.replaceAll("_", "-"), possible);
        const hint =
          near !== null
            ? `, did you mean ${near}?`
            : known === null || at.length === 0
              ? ""
              : `: there are ${known.join(", ")}`;
        return { path: [...at, key], text: `${key} is no key ${placeOf(at)}${hint}` };
      });
    }
    case "invalid_type":
      if (value === undefined)
        return [{ path: at, text: `${nameOf(at)} is missing: it is ${kinds[issue.expected] ?? issue.expected}` }];
      return told(`is ${kindOf(value)}, but ${kinds[issue.expected] ?? issue.expected} is wanted`);
    case "invalid_value":
      return told(`is not one of ${issue.values.map(shown).join(", ")}`);
    case "invalid_union":
      if (value === undefined) return [{ path: at, text: `${nameOf(at)} is missing: it is ${wantedBy(issue)}` }];
      return ofUnion(issue, place, at) ?? told(`is ${kindOf(value)}, but ${wantedBy(issue)} is wanted`);
    case "too_small":
      return told(
        `is too ${issue.origin === "number" || issue.origin === "int" ? "small" : "short"}: the least is ${issue.minimum}`,
      );
    case "too_big":
      return told(
        `is too ${issue.origin === "number" || issue.origin === "int" ? "large" : "long"}: the most is ${issue.maximum}`,
      );
    case "invalid_key":
    case "invalid_element":
      return issue.issues.flatMap((inner) => explain(inner, place, at));
    case "custom":
      // What may be a password is not repeated in logs and terminals.
      if (issue.params?.["isSecret"] === true) return [{ path: at, text: `${nameOf(at)} ${issue.message}` }];
      return told(issue.message);
    default:
      return told(issue.message);
  }
}

/** The members' own complaints, of the member that the value was probably meant for: the only one of its type. */
function ofUnion(
  issue: Extract<RawIssue, { code: "invalid_union" }>,
  place: Place,
  at: readonly PropertyKey[],
): Issue[] | null {
  const meant = issue.errors.filter((errors) => !errors.some((one) => one.path.length === 0 && isOfAnotherType(one)));
  const first = meant[0];
  if (first === undefined || first.length === 0) return null;
  return first.flatMap((inner) => explain(inner, place, at));
}

function isOfAnotherType(issue: RawIssue): boolean {
  if (issue.code === "invalid_union")
    return issue.errors.every((errors) => errors.some((one) => one.path.length === 0 && isOfAnotherType(one)));
  return (
    issue.code === "invalid_type" ||
    (issue.code === "invalid_value" && issue.values.every((value) => typeof value === "boolean"))
  );
}

function wantedBy(issue: RawIssue): string {
  const wanted = new Set<string>();
  const collect = (one: RawIssue): void => {
    if (one.code === "invalid_union") for (const errors of one.errors) errors.forEach(collect);
    else if (one.path.length > 0) return;
    else if (one.code === "invalid_type") wanted.add(kinds[one.expected] ?? one.expected);
    else if (one.code === "invalid_value") for (const value of one.values) wanted.add(shown(value));
  };
  collect(issue);
  return wanted.size === 0 ? "something else" : [...wanted].join(" or ");
}

const kinds: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a table",
  record: "a table",
  tuple: "a list",
};

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return "a boolean";
  return typeof value === "object" ? "a table" : (kinds[typeof value] ?? typeof value);
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function isTable(value: unknown): boolean {
  return typeof value === "object" && !Array.isArray(value);
}

/** The last key of a path, with what follows it: `bind[1]`. */
function nameOf(path: readonly PropertyKey[]): string {
  let name = "";
  for (let at = path.length - 1; at >= 0; at--) {
    const part = path[at];
    if (typeof part === "number") name = `[${part + 1}]${name}`;
    else return `${String(part)}${name}`;
  }
  return name;
}

function placeOf(path: readonly PropertyKey[]): string {
  const name = path.filter((part) => typeof part === "string").join(".");
  return name === "" ? "of the configuration" : `of ${name}`;
}

/** zod names the unknown keys only; `tellingKeys` has put the known ones into the message. */
function knownKeys(issue: RawIssue): readonly string[] | null {
  return issue.message.startsWith(KEYS) ? issue.message.slice(KEYS.length).split(", ") : null;
}
