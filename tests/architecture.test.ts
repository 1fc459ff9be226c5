/**
 * Holds ARCHITECTURE.md, .oxlintrc.json and the imports in src/ together: the table of ranks is the source, the linter's entries must say
 * the same, and the imports are read once more here, so that neither document nor linter can lie.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const architecture = read("ARCHITECTURE.md");

/** Room (a folder of src/, or a file directly in it) to rank. */
const ranks = new Map<string, number>();
for (const [, rank, rooms] of architecture.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)) {
  for (const [, room] of (rooms ?? "").matchAll(/`([^`]+)`/g)) ranks.set(room ?? "", Number(rank));
}

const exceptions = new Set<string>();
for (const [, from, to] of architecture.matchAll(/`([\w.]+)` may import `([\w.]+)`/g)) exceptions.add(`${from} ${to}`);

/** `errors.ts` and `clock.ts`: known to everyone, knowing nobody. */
const isShared = (room: string): boolean => ranks.get(room) === 0 && room.endsWith(".ts");

function mayImport(from: string, to: string): boolean {
  if (from === to || exceptions.has(`${from} ${to}`) || isShared(to)) return from === to || !isShared(from);
  return (ranks.get(to) ?? Infinity) < (ranks.get(from) ?? -1);
}

/** `src/http/http1/parser.ts` is in the room `http`, `src/clock.test.ts` in `clock.ts`. */
function roomOf(path: string): string {
  const [first = "", ...rest] = relative(join(ROOT, "src"), path).split("/");
  return rest.length > 0 ? first : first.replace(/\.test\.ts$/, ".ts");
}

function importsOf(path: string): string[] {
  const code = readFileSync(path, "utf8");
  const pattern =
    /^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\s*\(\s*"([^"]+)"/gm;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

interface LintEntry {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

/** The overrides of .oxlintrc.json, whose comments fill whole lines. */
function lintEntries(): readonly LintEntry[] {
  const text = read(".oxlintrc.json").replace(/^\s*\/\/.*$/gm, "");
  return (JSON.parse(text) as { overrides: LintEntry[] }).overrides;
}

const IMPORT_RULE = "typescript/no-restricted-imports";

// The rooms that an entry forbids, from patterns such as "**/edge/**" and "**/sites.ts".
function forbiddenRooms(entry: LintEntry): string[] {
  const rule = entry.rules[IMPORT_RULE];
  if (rule === "off") return [];
  const [, options] = rule as [string, { patterns: { group: string[] }[] }];
  const groups = options.patterns.flatMap((pattern) => pattern.group).filter((group) => !/^!?node:/.test(group));
  return groups.map((group) => group.replace(/^\*\*\//, "").replace(/\/\*\*$/, "")).toSorted();
}

const sources = globSync("src/**/*.ts", { cwd: ROOT }).map((path) => join(ROOT, path));

test("ARCHITECTURE.md has a table of ranks", () => {
  assert.equal(ranks.get("cli"), 6);
  assert.equal(ranks.get("http"), 0);
});

test("every room of src/ has a rank", () => {
  const rooms = new Set(sources.map(roomOf));
  assert.deepEqual(
    [...rooms].filter((room) => !ranks.has(room)),
    [],
  );
});

test("imports point to lower ranks", () => {
  const wrong: string[] = [];
  for (const source of sources) {
    for (const specifier of importsOf(source)) {
      if (!specifier.startsWith(".")) continue;
      const target = resolve(dirname(source), specifier);
      if (!target.startsWith(join(ROOT, "src"))) continue;
      if (!mayImport(roomOf(source), roomOf(target))) wrong.push(`${relative(ROOT, source)} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("the linter forbids each room what the table forbids, in pure files and in the shell", () => {
  for (const room of ranks.keys()) {
    const expected = [...ranks.keys()].filter((other) => !mayImport(room, other) && !isShared(other)).toSorted();
    const path = room.endsWith(".ts") ? `src/${room}` : `src/${room}/`;
    const entries = lintEntries().filter(
      (entry) => IMPORT_RULE in entry.rules && entry.files.some((file) => file.startsWith(path)),
    );
    assert.notEqual(entries.length, 0, `.oxlintrc.json has no entry for ${room}`);
    for (const entry of entries) {
      assert.deepEqual(forbiddenRooms(entry), expected, `.oxlintrc.json, ${entry.files.join(" ")}`);
    }
  }
});

test("an entry of the linter is about one room", () => {
  for (const entry of lintEntries().filter((candidate) => IMPORT_RULE in candidate.rules)) {
    const rooms = new Set(entry.files.map((file) => roomOf(join(ROOT, file))));
    assert.equal(rooms.size, 1, entry.files.join(" "));
  }
});

test("every file that the imperative shell names exists", () => {
  const shell = lintEntries().filter((entry) => entry.rules["no-restricted-globals"] === "off");
  const names = shell.flatMap((entry) => entry.files).filter((file) => !file.endsWith(".test.ts"));
  const missing = names.filter((name) => !existsSync(join(ROOT, name)));
  assert.deepEqual(missing, []);
});

test("links between the documents lead somewhere", () => {
  const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
  for (const name of readdirSync(join(ROOT, "docs/decisions"))) documents.push(`docs/decisions/${name}`);
  const broken: string[] = [];
  for (const document of documents) {
    for (const [, target = ""] of read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(resolve(ROOT, dirname(document), target))) broken.push(`${document}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});
