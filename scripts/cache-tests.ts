/** Counts the results of the public tests of HTTP caches (scripts/conformance-cache), and tells those for which docs/cache.md has no reason. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

interface Test {
  readonly id: string;
  readonly kind?: string;
  readonly browser_only?: boolean;
}
type Suites = readonly { readonly tests: readonly Test[] }[];
type Judge = (suites: Suites, id: string, results: unknown) => readonly string[];

const [folder = "", resultsFile = ""] = process.argv.slice(2);
const load = async (path: string): Promise<unknown> => await import(pathToFileURL(`${folder}/${path}`).href);
const { default: suites } = (await load("tests/index.mjs")) as { default: Suites };
const { determineTestResult } = (await load("test-engine/lib/results.mjs")) as { determineTestResult: Judge };
const results = JSON.parse(readFileSync(resultsFile, "utf8")) as Record<string, unknown>;
const reasons = readFileSync("docs/cache.md", "utf8");

const PASSED = new Set(["✅", "Y"]);
const counts = new Map<string, { passed: number; all: number }>();
let isUnexplained = false;
for (const { id, kind = "required", browser_only: isForBrowsers } of suites.flatMap(({ tests }) => tests)) {
  if (isForBrowsers === true) continue;
  const count = counts.get(kind) ?? { passed: 0, all: 0 };
  counts.set(kind, count);
  count.all++;
  if (PASSED.has(determineTestResult(suites, id, results)[2] ?? "")) count.passed++;
  else if (kind !== "check") {
    const isKnown = reasons.includes(`\`${id}\``);
    if (!isKnown) isUnexplained = true;
    process.stdout.write(
      `cache-tests: ${kind} ${id}: ${JSON.stringify(results[id])}${isKnown ? " (docs/cache.md says why)" : ""}\n`,
    );
  }
}
const told = [...counts].map(
  ([kind, { passed, all }]) => `${passed} of ${all} ${kind === "check" ? "questions yes" : kind}`,
);
process.stdout.write(`cache-tests: ${told.join(", ")}\n`);
process.exitCode = isUnexplained ? 1 : 0;
