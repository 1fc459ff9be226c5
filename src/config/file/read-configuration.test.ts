/** From the text of a configuration file to a Plan, and to every mistake in it, on an invented host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { house } from "../invented-host.test.ts";
import type { Plan } from "../plan.ts";
import { readPlan, type PlanResult } from "../read-plan.ts";
import { shellWords } from "../shell-words.ts";
import { readConfiguration } from "./read-configuration.ts";

function read(text: string, line = "", env: Readonly<Record<string, string>> = {}): PlanResult {
  const words = shellWords(line);
  assert.ok(words.type === "value");
  const file = readConfiguration(text, "maitred.toml", "/srv/site/maitred.toml");
  assert.ok(file !== null);
  return readPlan(words.value, env, house, file);
}

function planned(text: string, line = "", env: Readonly<Record<string, string>> = {}): Plan {
  const result = read(text, line, env);
  assert.equal(result.type, "plan", result.type === "mistakes" ? result.mistakes.join("\n") : "");
  return result.type === "plan" ? result.plan : assert.fail();
}

const settings: readonly (readonly [
  text: string,
  line: string,
  env: Readonly<Record<string, string>>,
  Partial<Plan>,
])[] = [
  ["workers = 3", "", {}, { workers: 3, workersReason: "workers = 3 (maitred.toml:2)" }],
  ['timeout = "2m"', "", {}, { timeoutMs: 120_000 }],
  ["timeout = 1.5", "", {}, { timeoutMs: 1500 }],
  ["max_requests = 10\nmax-requests-jitter = 5", "", {}, { maxRequests: 10, maxRequestsJitter: 5 }],
  ["limit_request_field_size = 100", "", {}, { limitRequestFieldSize: 100 }],
  ["preload = true", "", {}, { preload: true }],
  ["http2 = false", "", {}, { http2: null }],
  ['env = { A = "1", B = "x=y" }', "", {}, { environ: { A: "1", B: "x=y" } }],
  ['env = ["A=1"]', "", {}, { environ: { A: "1" } }],
  [
    'bind = [":80", "127.0.0.1:81"]',
    "",
    {},
    {
      binds: [
        { type: "tcp", host: "0.0.0.0", port: 80 },
        { type: "tcp", host: "127.0.0.1", port: 81 },
      ],
    },
  ],
  // Who wins.
  ["workers = 3", "-w 2", {}, { workers: 2 }],
  ["workers = 3", "", { WEB_CONCURRENCY: "5" }, { workers: 5 }],
  ["workers = 3", "", { GUNICORN_CMD_ARGS: "-w 6" }, { workers: 6 }],
  ['bind = ":80"', "-b :81", {}, { binds: [{ type: "tcp", host: "0.0.0.0", port: 81 }] }],
  ["workers = 3", "other:app", {}, { app: "other:app", workers: 3 }],
];

for (const [text, line, env, expected] of settings) {
  test(`${JSON.stringify(text)} and maitred ${line} ${JSON.stringify(env)}`, () => {
    const plan = planned(`app = "app:app"\n${text}`, line, env);
    for (const [field, value] of Object.entries(expected)) assert.deepEqual(plan[field as keyof Plan], value, field);
  });
}

test("settings of routes come from the route, else its site, else the top; false takes them back", () => {
  const plan = planned(`app = "app:app"
timeout = 20
limit-request-body = "1m"
request-buffering = "on"
[[route]]
path = ["/a", "/b$"]
timeout = 5
[[site]]
hosts = ["Example.COM", "*.example.org."]
limit-request-body = "2m"
timeout = 7
[[site.route]]
path = "/c"
limit_request_body = false
[[site.route]]
path = "/d"
timeout = false
`);
  const told = plan.sites.map(({ hosts, routes }) => [
    hosts.join(),
    ...routes.map(({ name, settings: { timeoutMs, limitRequestBody } }) => `${name} ${timeoutMs} ${limitRequestBody}`),
  ]);
  assert.deepEqual(told, [
    ["", "/a (maitred.toml:5) 5000 null", "/b$ (maitred.toml:5) 5000 null"],
    ["example.com,*.example.org", "/c (maitred.toml:12) 7000 0", "/d (maitred.toml:15) 0 2097152"],
  ]);
  assert.deepEqual([plan.timeoutMs, plan.limitRequestBody, plan.requestBuffering], [20_000, 1_048_576, "on"]);
});

test("routes with an app of their own share its pool; the main app's is main", () => {
  const plan = planned(`app = "shop:app"
[pools.reports]
workers = "2:4"
worker-class = "gthread"
[[route]]
path = "/api"
app = "api.main:app"
[[route]]
path = "/v2"
app = "api.main:app"
[[route]]
path = "/v3"
app = "api.main:app"
mount = true
[[route]]
path = "/shop"
app = "shop:app"
[[route]]
path = "/reports"
pool = "reports"
`);
  assert.deepEqual(
    plan.pools.map(({ name, app, mount, workers, threads, rootPath }) => [
      name,
      app,
      mount,
      workers,
      threads,
      rootPath,
    ]),
    [
      ["reports", "shop:app", "", 2, 4, ""],
      ["api.main", "api.main:app", "", 1, 1, ""],
      ["api.main-2", "api.main:app", "/v3", 1, 1, "/v3"],
    ],
  );
  assert.deepEqual(
    plan.sites[0]!.routes.map(({ destination }) => (destination.type === "app" ? destination.pool : "")),
    ["api.main", "api.main", "api.main-2", "main", "reports"],
  );
});

const mistaken: readonly (readonly [text: string, ...mistakes: string[]])[] = [
  ["workrs = 2", "2: workrs is no key of the configuration, did you mean workers?"],
  ["completely-else = 2", "2: completely-else is no key of the configuration"],
  ["version = true", "2: version is no key of the configuration"],
  ["workers = 0", "2: workers = 0 would serve nothing: give 1 or more, or leave it out for one worker per CPU"],
  ["workers = [1, 2]", "2: workers = 1,2 is not a whole number from 1 to 10000"],
  ["workers = { a = 1 }", "2: workers = {...} is a table, but one value is wanted"],
  ['preload = "on"', '2: preload = "on" is neither true nor false'],
  ['bind = ["1:2:3"]', '2: bind = 1:2:3 has port "2:3": a port is a number from 0 to 65535'],
  ["env = { A = [1] }", "2: env = {...} has A, which is no text"],
  ['[[rotue]]\npath = "/"', "2: rotue is no key of the configuration, did you mean route?"],
  ["route = 1", "2: route = 1 is a number, but a list is wanted"],
  ["[[route]]", "2: path is missing: it is a text or a list"],
  ["[[route]]\npath = 5", "3: path = 5 is a number, but a text or a list is wanted"],
  ['[[route]]\npath = ["/a", "b"]', '3: path[2] = "b" is no path pattern: "b" does not begin with a slash'],
  ['[[route]]\npath = "/"\nrspond = 200', "4: rspond is no key of route, did you mean respond?"],
  [
    '[[route]]\npath = "/"\nrespond = true',
    "4: respond = true is a boolean, but a number or a text or a table is wanted",
  ],
  [
    '[[route]]\npath = "/"\nrespond = { status = 204, body = "x" }',
    "4: respond has a body, and a response with status 204 has none",
  ],
  [
    '[[route]]\npath = "/"\nrespond = { headers = { "a b" = "c" } }',
    "4: respond has a field that cannot be sent (a b): the name is not a token",
  ],
  ['[[route]]\npath = "/"\nmount = true', "2: route[1] has mount without app"],
  [
    '[[route]]\npath = "/"\napp = "x.py"',
    '4: app = "x.py" names no application: x.py is a file, not a module, did you mean x:app?',
  ],
  [
    '[[route]]\npath = "/*"\napp = "a"\nmount = true',
    "2: route[1] has mount, which takes one plain path (/api) that is not /",
  ],
  ['[[route]]\npath = "/"\nmatch = { methods = ["G ET"] }', '4: methods[1] = "G ET" is no request method'],
  ['[[route]]\npath = "/"\nmatch = { method = "GET" }', "4: method is no key of route.match, did you mean methods?"],
  [
    '[[route]]\npath = "/a"\n[[route]]\npath = "/a/"',
    "4: /a/ has a route already (maitred.toml:2): one of them is never used",
  ],
  ['[[route]]\npath = "/"\npool = "reprots"\n[pools.reports]', "4: there is no pool reprots, did you mean reports?"],
  ["[pools.main]", "2: main is the name of the pool of app: its settings stand at the top of the file"],
  ["[pools.a]\nworkers = -1", "3: workers = -1 is too small: give a whole number from 1 to 10000"],
  [
    '[pools.a]\nmount = "/a"\n[[route]]\npath = "/b"\npool = "a"',
    "6: pool a is mounted at /a, and /b does not lie there",
  ],
  ["[[site]]", "2: hosts is missing: it is a text or a list"],
  ['[[site]]\nhosts = "http://a.example"', '3: hosts = "http://a.example" is a URL: write the host name alone'],
  [
    '[[site]]\nhosts = "a.*.example"',
    '3: hosts = "a.*.example" is no host name: write example.com, or *.example.com for all below it',
  ],
  [
    '[[site]]\nhosts = "a.example"\n[[site]]\nhosts = "A.example"',
    "4: a.example belongs to a site already (maitred.toml:2)",
  ],
  ['unknown-hosts = "drop"', '2: unknown-hosts = "drop" is not one of "default", "refuse"'],
  [
    "[pools.a]\n[[route]]\npath = '/'\nstatic = { root = '.', otherwise = 'b' }",
    "5: there is no pool b: there are main, a",
  ],
  ["a = 1\na = 2", "3: column 1: "],
  // Several at once.
  [
    "workers = 0\nwrokers = 0",
    "2: workers = 0 would serve nothing: give 1 or more, or leave it out for one worker per CPU",
    "3: wrokers is no key of the configuration, did you mean workers?",
  ],
];

for (const [text, ...expected] of mistaken) {
  test(`answers ${JSON.stringify(text)}`, () => {
    const result = read(`app = "app:app"\n${text}`);
    assert.equal(result.type, "mistakes");
    if (result.type !== "mistakes") return;
    assert.equal(result.mistakes.length, expected.length, result.mistakes.join("\n"));
    for (const [at, mistake] of expected.entries()) {
      const told: string = result.mistakes[at] ?? "";
      if (mistake.endsWith(": ")) assert.ok(told.startsWith(`maitred.toml:${mistake}`), told);
      else assert.equal(told, `maitred.toml:${mistake}`);
    }
  });
}

test("[tool.maitred] of a pyproject.toml", () => {
  const text = '[project]\nname = "x"\n[tool.maitred]\napp = "app:app"\nwrokers = 1\n';
  const file = readConfiguration(text, "pyproject.toml", "/pyproject.toml", ["tool", "maitred"]);
  assert.deepEqual(file?.mistakes, ["pyproject.toml:5: wrokers is no key of the configuration, did you mean workers?"]);
  assert.equal(readConfiguration("[tool.other]\n", "p", "/p", ["tool", "maitred"]), null);
  assert.deepEqual(readConfiguration("tool.maitred = 1\n", "p", "/p", ["tool", "maitred"])?.mistakes, [
    "p:1: tool.maitred is no table",
  ]);
});

test("an app is wanted where a route, a pool or everything goes to it", () => {
  const mistakes = (text: string, line = ""): readonly string[] => {
    const result = read(text, line);
    return result.type === "mistakes" ? result.mistakes : [];
  };
  assert.match(mistakes("workers = 2").join(), /^no application given/);
  assert.deepEqual(mistakes("[[route]]\npath = '/'\nrespond = 'x'"), []);
  assert.deepEqual(mistakes("[[route]]\npath = '/'\napp = 'a:b'"), []);
  assert.deepEqual(mistakes("[[route]]\npath = '/a'\n[[route]]\npath = '/b'\npool = 'main'\n[pools.p]"), [
    "maitred.toml:1: /a needs an application, and there is none: give app",
    "maitred.toml:5: pool main needs an application, and there is none: give app",
    "maitred.toml:6: pool p has no app, and there is no other",
  ]);
  assert.deepEqual(mistakes("", "--pool q=/q"), ["--pool q has no app, and there is no other"]);
});
