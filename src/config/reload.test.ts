/** From command lines to what --reload watches, on an invented host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFacts } from "./host-facts.ts";
import type { Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 4711,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: () => ({ path: "/usr/bin/python3" }),
  isDirectory: (path) => ["/srv/site", "/srv/site/lib", "/srv/site/templates", "/srv/other"].includes(path),
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

function planned(line: string, env: Readonly<Record<string, string>> = {}): { plan: Plan; notices: readonly string[] } {
  const result = readPlan(line.split(" "), env, house);
  assert.equal(result.type, "plan", result.type === "mistakes" ? result.mistakes.join("\n") : "");
  if (result.type !== "plan") throw new Error("unreachable");
  return result;
}

test("--reload watches where the application is searched, with one worker", () => {
  const { plan } = planned("--reload app:app");
  assert.deepEqual(plan.reload, {
    engine: "auto",
    folders: ["/srv/site"],
    files: [],
    include: [],
    exclude: [],
    excludeFolders: [],
    quietMs: 50,
    pollMs: 250,
  });
  assert.equal(plan.workers, 1);
  assert.equal(plan.workersReason, "--reload");
  assert.equal(planned("--reload -w 3 app:app").plan.workers, 3);
  assert.equal(planned("app:app").plan.reload, null);
});

test("folders: those asked for, without what lies in another; patterns that are folders count as folders", () => {
  const { plan } = planned(
    "--reload --reload-dir lib:/srv/other --reload-include templates --reload-include *.html --reload-exclude lib --reload-exclude test_* app:app",
  );
  assert.deepEqual(plan.reload?.folders, ["/srv/site/lib", "/srv/other", "/srv/site/templates"]);
  assert.deepEqual(plan.reload?.include, ["*.html"]);
  assert.deepEqual(plan.reload?.exclude, ["test_*"]);
  assert.deepEqual(plan.reload?.excludeFolders, ["/srv/site/lib"]);
  assert.deepEqual(planned("--reload --reload-dir . --reload-dir lib app:app").plan.reload?.folders, ["/srv/site"]);
});

test("gunicorn's and uvicorn's other flags and variables", () => {
  const { plan } = planned("--reload --reload-engine poll --reload-delay 2 --reload-extra-file ../x/*.yml app:app", {
    UVICORN_RELOAD_INCLUDES: "*.html .env",
    UVICORN_RELOAD_DIRS: "/srv/other",
  });
  assert.deepEqual(plan.reload, {
    engine: "poll",
    folders: ["/srv/other"],
    files: ["/srv/x/*.yml"],
    include: ["*.html", ".env"],
    exclude: [],
    excludeFolders: [],
    quietMs: 50,
    pollMs: 2000,
  });
});

test("what has no effect is told", () => {
  assert.deepEqual(planned("--reload-dir lib app:app").notices, ["--reload-dir lib has no effect without --reload"]);
  const { plan, notices } = planned("--reload --preload app:app");
  assert.deepEqual([plan.preload, notices], [false, ["--preload has no effect with --reload"]]);
});

test("--ready-url is a path, or a URL for the sake of its host", () => {
  assert.deepEqual(planned("--ready-url /ready?deep=1 app:app").plan.readyUrl, {
    scheme: "http",
    host: "localhost",
    target: "/ready?deep=1",
  });
  assert.deepEqual(planned("--ready-url https://example.com:8443/ready app:app").plan.readyUrl, {
    scheme: "https",
    host: "example.com:8443",
    target: "/ready",
  });
});
