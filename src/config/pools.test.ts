/** Numbers of workers and `--pool`, from command lines to Plans and mistakes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { HostFacts } from "./host-facts.ts";
import type { Plan, PoolPlan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";
import { shellWords } from "./shell-words.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 1,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: () => ({ path: "/usr/bin/python3" }),
  isDirectory: () => true,
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

function read(line: string, env: Record<string, string> = {}): ReturnType<typeof readPlan> {
  const words = shellWords(line);
  assert.ok(words.type === "value");
  return readPlan(words.value, env, house);
}

function plan(line: string, env: Record<string, string> = {}): Plan {
  const result = read(line, env);
  return result.type === "plan" ? result.plan : assert.fail(JSON.stringify(result));
}

function pool(line: string): Record<string, unknown> {
  const { patterns, ...rest }: PoolPlan = plan(line).pools[0] ?? assert.fail("no pool");
  return { ...rest, patterns: patterns.map(({ text }) => text) };
}

suite("--workers", () => {
  const elastic = { type: "elastic", least: 2, most: 8, growWaitMs: 100, shrinkAfterMs: 60_000 };
  for (const [line, env, workers, sizing] of [
    ["app:app", {}, 4, { type: "auto" }],
    ["-w auto app:app", {}, 4, { type: "auto" }],
    ["app:app", { WEB_CONCURRENCY: "auto" }, 4, { type: "auto" }],
    ["-w 3 app:app", {}, 3, { type: "fixed" }],
    ["-w 3:3 app:app", {}, 3, { type: "fixed" }],
    ["-w 2:8 app:app", {}, 2, elastic],
    ["app:app", { WEB_CONCURRENCY: "2:8" }, 2, elastic],
    [
      "-w 2:8 --scale-up-wait 500ms --scale-down-after 2m app:app",
      {},
      2,
      { ...elastic, growWaitMs: 500, shrinkAfterMs: 120_000 },
    ],
  ] as const) {
    test(`${JSON.stringify(env)} ${line}`, () => {
      const read = plan(line, env);
      assert.deepEqual([read.workers, read.sizing], [workers, sizing]);
    });
  }
});

test("when to scale says nothing to a fixed number", () => {
  const notices = (line: string): readonly string[] => {
    const result = read(line);
    return result.type === "plan" ? result.notices : assert.fail(JSON.stringify(result));
  };
  assert.deepEqual(notices("-w 2 --scale-up-wait 1 app:app"), [
    "--scale-up-wait 1 has no effect without --workers MIN:MAX",
  ]);
  assert.deepEqual(notices("-w 2 --scale-up-wait 1 --pool p=/p,workers=1:2 app:app"), []);
});

suite("--pool", () => {
  test("takes from the main pool what it does not say itself", () => {
    assert.deepEqual(
      pool("-k gthread --threads 8 -t 7 --queue-size 5 --root-path /site --pool slow=/reports,/export app:app"),
      {
        name: "slow",
        patterns: ["/reports", "/export"],
        mount: "",
        app: "app:app",
        factory: false,
        interface: "wsgi",
        interfaceFrom: "-k gthread",
        gevent: false,
        withoutGil: { workers: 1, threads: 8 },
        workers: 1,
        sizing: { type: "fixed" },
        workersReason: "default of a pool",
        threads: 8,
        workerConnections: 1000,
        rootPath: "/site",
        timeoutMs: 7000,
        queueSize: 5,
        queueTimeoutMs: 30_000,
      },
    );
  });

  test("gevent is a pool's own, or the main pool's for the same application", () => {
    const told = (line: string): unknown => {
      const { interface: spoken, interfaceFrom, gevent, threads } = pool(line);
      return [spoken, interfaceFrom, gevent, threads];
    };
    assert.deepEqual(told("--pool p=/x,worker-class=gevent,threads=3 a:b"), ["wsgi", "--pool p", true, 1]);
    assert.deepEqual(told("-k gevent --pool p=/x a:b"), ["wsgi", "-k gevent", true, 1]);
    assert.deepEqual(told("-k gevent --pool p=/x,worker-class=gthread a:b"), ["wsgi", "--pool p", false, 4]);
    assert.deepEqual(told("-k gevent --pool p=/x,app=c:d a:b"), ["auto", "", false, 1]);
  });

  test("another application is another world", () => {
    assert.deepEqual(
      pool(
        `-k gthread --factory --pool 'api=/api,app=api.main:make("a,b"),mount,workers=1:4,timeout=5m,queue-size=9,queue-timeout=2s,worker-connections=50' app:app`,
      ),
      {
        name: "api",
        patterns: ["/api"],
        mount: "/api",
        app: 'api.main:make("a,b")',
        factory: false,
        interface: "auto",
        interfaceFrom: "",
        gevent: false,
        withoutGil: { workers: 1, threads: 1 },
        workers: 1,
        sizing: { type: "elastic", least: 1, most: 4, growWaitMs: 100, shrinkAfterMs: 60_000 },
        workersReason: "--pool",
        threads: 1,
        workerConnections: 50,
        rootPath: "/api",
        timeoutMs: 300_000,
        queueSize: 9,
        queueTimeoutMs: 2000,
      },
    );
  });

  test("a worker class of its own brings its own threads", () => {
    assert.equal(pool("-k gthread --threads 8 --pool p=/x,worker-class=sync a:b")["threads"], 1);
    assert.equal(pool("-k sync --pool p=/x,worker-class=gevent a:b")["gevent"], true);
  });

  test("the same application may run another way", () => {
    const {
      threads,
      interface: kind,
      workers,
      workersReason,
    } = pool("--pool p=/x,worker-class=gthread,workers=auto a:b");
    assert.deepEqual([threads, kind, workers, workersReason], [4, "wsgi", 4, "4 CPUs (affinity)"]);
  });
});

for (const [line, mistake] of [
  ["-w 8:2 app:app", "-w 8:2 has its least above its most: write 2:8"],
  ["-w 0:2 app:app", "-w 0:2 is not MIN:MAX: give two whole numbers from 1 to 10000, as 2:8"],
  ["-w 2: app:app", /is not MIN:MAX/],
  ["-w 1:2:3 app:app", /is not a whole number/],
  ["--pool /x app:app", /--pool \/x does not begin with a name and =/],
  ["--pool main=/x app:app", /take another one/],
  ["--pool p=workers=2 app:app", /--pool p=workers=2 has no path/],
  ["--pool p=x app:app", /has "x", which is neither a path nor one of app, factory/],
  ["--pool p=/x,workers=0 app:app", /has "workers=0", which would serve nothing/],
  ["--pool p=/x,workers app:app", /has "workers", which lacks its value/],
  ["--pool p=/x,threads=1,threads=2 app:app", /says threads twice/],
  ["--pool p=/x,app=x.py app:app", /names no application: x.py is a file, not a module, did you mean x:app\?/],
  ["--pool p=/x,/y,mount app:app", /has mount, which takes one plain path/],
  ["--pool p=/x,mount=/x app:app", /has "mount=\/x", which takes no value/],
  [
    "--pool p=/x,interface=wsgi,worker-class=asgi app:app",
    "--pool p has an interface and a worker-class that contradict each other",
  ],
  ["--pool p=/a?b app:app", /has a character that no decoded path has/],
  ["--pool p=/x --pool p=/y app:app", "--pool p is given twice: name all its paths in one, separated by commas"],
  ["--pool p=/x --pool q=/x/ app:app", "--pool q and --pool p both have /x/"],
] as const) {
  test(`mistake: ${line}`, () => {
    const result = read(line);
    const [first] = result.type === "mistakes" ? result.mistakes : assert.fail(JSON.stringify(result));
    if (typeof mistake === "string") assert.equal(first, mistake);
    else assert.match(first ?? "", mistake);
  });
}
