/** Every mistake an operator can make, and the words it is answered with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFacts } from "./host-facts.ts";
import { readPlan } from "./read-plan.ts";
import { shellWords } from "./shell-words.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 4711,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: (name) =>
    name === "nopython" ? { error: "--python nopython is not on PATH" } : { path: "/usr/bin/python3" },
  isDirectory: (path) => path === "/srv/site",
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

type Env = Readonly<Record<string, string>>;

function mistakes(line: string, env: Env = {}): readonly string[] {
  const words = shellWords(line);
  assert.ok(words.type === "value");
  const result = readPlan(words.value, env, house);
  assert.equal(result.type, "mistakes");
  return result.type === "mistakes" ? result.mistakes : [];
}

const wrongLines: readonly (readonly [line: string, env: Env, mistake: string | RegExp])[] = [
  // The application.
  [
    "",
    {},
    "no application given: say which one: maitred MODULE:ATTR, for example maitred app:app or maitred project.wsgi:application",
  ],
  ["app.py", {}, "app.py is a file, not a module, did you mean app:app?"],
  ["app.py:server", {}, "app.py:server is a file, not a module, did you mean app:server?"],
  ["./proj/wsgi.py", {}, "./proj/wsgi.py is a file, not a module, did you mean proj.wsgi:application?"],
  ["proj/main:app", {}, "proj/main:app is a file, not a module, did you mean proj.main:app?"],
  ["my-app.py", {}, "my-app.py is a file, not a module: write MODULE:ATTR"],
  ["app:", {}, "app: has nothing after the colon, did you mean app:app?"],
  ["'create_app()'", {}, "create_app() has no module: write MODULE:create_app()"],
  ["my-app:app", {}, /"my-app" is not the name of a Python module/],
  ["app:a-b", {}, /"a-b" is neither a name nor a call/],
  ["app:app main:app", {}, "one application is wanted, but 2 words are no options: app:app, main:app"],

  // Values.
  ["-w zero app:app", {}, "-w zero is not a whole number from 1 to 10000"],
  ["-w 0 app:app", {}, "-w 0 would serve nothing: give 1 or more, or leave it out for one worker per CPU"],
  ["-w -1 app:app", {}, "-w -1 is too small: give a whole number from 1 to 10000"],
  ["app:app", { WEB_CONCURRENCY: "many" }, "WEB_CONCURRENCY=many is not a whole number from 1 to 10000"],
  ["app:app", { GUNICORN_CMD_ARGS: "-w many" }, "-w many in GUNICORN_CMD_ARGS is not a whole number from 1 to 10000"],
  ["--threads 0 app:app", {}, "--threads 0 is too small: give a whole number from 1 to 4096"],
  ["-b 99999 app:app", {}, '-b 99999 has port "99999": a port is a number from 0 to 65535'],
  ["--port 65536 app:app", {}, "--port 65536 is too large: give a whole number from 0 to 65535"],
  ["app:app", { PORT: "http" }, "PORT=http is not a whole number from 0 to 65535"],
  ["--timeout soon app:app", {}, /^--timeout soon is not a time span: write seconds/],
  ["--timeout -1 app:app", {}, "--timeout -1 is negative: a time span is 0 or more"],
  ["--timeout 99999h app:app", {}, /24 days/],
  ["--limit-request-line 4q app:app", {}, /^--limit-request-line 4q is not a size/],
  ["--limit-request-line 4t app:app", {}, /is not a size/],
  ["--limit-request-line 40m app:app", {}, "--limit-request-line 40m is too large: the most is 1048576 bytes"],
  ["--header-map dangerous app:app", {}, /forge another header/],
  ["--umask 999 app:app", {}, "--umask 999 is not a umask: the most is 0777"],
  ["--umask rwx app:app", {}, /in octal/],
  ["-e NAME app:app", {}, "-e NAME is not NAME=VALUE"],
  ["--log-level loud app:app", {}, "--log-level loud is not one of critical, error, warning, info, debug"],
  ["--loop gevent app:app", {}, "--loop gevent is not one of auto, asyncio, uvloop"],
  ["--interface rsgi app:app", {}, /belongs to granian/],
  ["--interface asgi2 app:app", {}, /guarantee_single_callable/],
  ["--root-path api app:app", {}, "--root-path api does not begin with a slash: write /api"],
  ["app:app", { UVICORN_FACTORY: "perhaps" }, "UVICORN_FACTORY=perhaps is neither true nor false"],
  ["--workers= app:app", {}, '--workers "" is not a whole number from 1 to 10000'],

  ["-b 99999 -b :80 app:app", {}, '-b 99999 has port "99999": a port is a number from 0 to 65535'],
  ["-b : app:app", {}, "-b : has no port after the colon (is a variable not set?)"],
  [
    "-b '0.0.0.0:$PORT' app:app",
    {},
    '-b 0.0.0.0:$PORT has port "$PORT": a port is a number from 0 to 65535 (no shell has filled in $PORT: in a Dockerfile write CMD without the brackets)',
  ],
  ["--queue-timeout 0 app:app", {}, "--queue-timeout 0 is too short: give more than 0"],

  // Worker classes.
  ["-k my.GeventWorker app:app", {}, /is a worker class of its own, and those cannot be loaded: use -k gevent$/],
  ["-k geventwebsocket.gunicorn.workers.GeventWebSocketWorker app:app", {}, /speaks WebSocket to a WSGI application/],
  ["-k eventlet app:app", {}, /^-k eventlet is not supported \(gunicorn dropped it too\)/],
  ["-k tornado app:app", {}, /^-k tornado is not supported: use/],
  ["-k proj.MyUvicornWorker app:app", {}, /worker class of its own, and those cannot be loaded: use -k asgi$/],
  ["-k proj.Worker app:app", {}, /worker class of its own/],
  ["-k fast app:app", {}, "-k fast is not one of sync, gthread, gevent, asgi"],
  ["-k asgi --interface wsgi app:app", {}, "-k asgi and --interface wsgi contradict each other: give only one of them"],

  // The host.
  ["--chdir /nowhere app:app", {}, "--chdir /nowhere is not a folder (/nowhere)"],
  ["--chdir lib app:app", {}, "--chdir lib is not a folder (/srv/site/lib)"],
  ["--python nopython app:app", {}, "--python nopython is not on PATH"],

  // Addresses that contradict each other.
  [
    "-b :80 --port 81 app:app",
    {},
    "-b and --port both say where to listen: give only one spelling (--bind may be repeated)",
  ],
  ["-b :80 -b 0.0.0.0:80 app:app", {}, "--bind 0.0.0.0:80 is given twice"],

  // TLS.
  ["app:app", { UVICORN_SSL_KEYFILE: "k.pem" }, /^UVICORN_SSL_KEYFILE=k.pem has no certificate: give --certfile/],
  ["-b https://:443 app:app", {}, /^--bind https:\/\/0.0.0.0:443 needs a certificate: give --certfile/],
  ["--redirect-http :80 app:app", {}, /^--redirect-http :80 leads nowhere: no address speaks https/],
  ["--cert-reqs 2 app:app", {}, /^--cert-reqs 2 asks for client certificates, which needs TLS/],
  ["--certfile c.pem --cert-reqs 2 app:app", {}, /^--cert-reqs 2 needs the authorities to believe: give --ca-certs/],
  ["--certfile c.pem --cert-reqs 3 app:app", {}, /^--cert-reqs 3 is not one of 0 \(none\), 1 \(optional\)/],
  ["--certfile c.pem --ssl-version TLSv1_1 app:app", {}, /^--ssl-version TLSv1_1 asks for a version that is broken/],
  ["--certfile c.pem --ssl-version SSLv3 app:app", {}, /broken/],
  [
    "--certfile a --certfile b --keyfile k app:app",
    {},
    /^--certfile is given 2 times and --keyfile once: each certificate needs its own key/,
  ],
  ["--certfile c.pem --redirect-http https://:80 app:app", {}, /speaks plain HTTP$/],
  ["--certfile c.pem -b :80 --redirect-http :80 app:app", {}, /^--redirect-http 0.0.0.0:80 is taken by --bind/],
  ["--certfile c.pem --hsts soon app:app", {}, /^--hsts soon is not a time span/],
  ["--certfile c.pem --hsts '1; forever' app:app", {}, /it may be includeSubDomains or preload/],

  // Known elsewhere, not here yet.
  [
    "-c gunicorn.conf.py app:app",
    {},
    "-c gunicorn.conf.py is not supported yet: give its settings as flags, as flags in GUNICORN_CMD_ARGS, or in maitred.toml",
  ],
  ["--reload --reload-dir /nowhere app:app", {}, "--reload-dir /nowhere is not a folder (/nowhere)"],
  ["--reload-engine watchdog app:app", {}, "--reload-engine watchdog is not one of auto, inotify, poll"],
  ["--ready-url ready app:app", {}, /^--ready-url ready is neither a path nor a URL/],
  ["-D app:app", {}, /^-D is not supported yet: .*systemd/],
  ["--user www app:app", {}, /^--user www is not supported yet: start maitred as that user/],
  ["--forwarded-allow-ips=nginx app:app", {}, /^--forwarded-allow-ips nginx has "nginx", and names are not looked up/],
  [
    "--forwarded-allow-ips=10.0.0.0/33 app:app",
    {},
    /^--forwarded-allow-ips .* has "10.0.0.0\/33", which is not an addr/,
  ],
  ["--proxy-allow-from none,::1 app:app", {}, '--proxy-allow-from none,::1 has "none" together with others'],
  [
    "app:app",
    { FORWARDED_ALLOW_IPS: "010.0.0.1" },
    /^FORWARDED_ALLOW_IPS=010.0.0.1 has "010.0.0.1", which is not an address/,
  ],
  [
    "--trusted-headers x-real-ip app:app",
    {},
    /^--trusted-headers x-real-ip has "x-real-ip", which is none of x-forwarded-for,/,
  ],
  ["app:app", { UVICORN_RELOAD: "maybe" }, "UVICORN_RELOAD=maybe is neither true nor false"],
  ["--proxy-protocol=v3 app:app", {}, "--proxy-protocol v3 is not one of off, v1, v2, auto"],

  // The line itself.
  ["--wrokers 3 app:app", {}, "unknown option --wrokers, did you mean --workers?"],
  [
    "app:app",
    { GUNICORN_CMD_ARGS: "--wrokers=3" },
    "unknown option --wrokers, did you mean --workers? (in GUNICORN_CMD_ARGS)",
  ],
  ["app:app", { GUNICORN_CMD_ARGS: "--bind '" }, "GUNICORN_CMD_ARGS has a single quote that is not closed"],
  ["app:app --workers", {}, "--workers needs a value"],
];

for (const [line, env, mistake] of wrongLines) {
  const variables = Object.entries(env)
    .map(([name, text]) => `${name}=${text} `)
    .join("");
  test(`answers: ${variables}maitred ${line}`, () => {
    const told = mistakes(line, env);
    assert.equal(told.length, 1, told.join("\n"));
    if (typeof mistake === "string") assert.equal(told[0], mistake);
    else assert.match(told[0] ?? "", mistake);
  });
}

test("all mistakes stand in one report, the application's first", () => {
  const told = mistakes(
    "--chdir /nowhere -w zero -b 99999 -k eventlet --threads 0 --python nopython --spew --foo app.py",
    { PORT: "no" },
  );
  assert.equal(told.length, 9, told.join("\n"));
  assert.match(told[0] ?? "", /^app\.py/);
});
