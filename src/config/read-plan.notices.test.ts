/** What is legal but probably not meant, and what flags of gunicorn and uvicorn are answered with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Env, house, planned } from "./invented-host.test.ts";

const noticed: readonly (readonly [line: string, env: Env, notice: RegExp | null])[] = [
  ["app:app", {}, null],
  ["--worker-tmp-dir /dev/shm app:app", {}, /^--worker-tmp-dir \/dev\/shm is not needed: there are no heartbeat files/],
  ["--http h11 app:app", {}, /^--http h11 is not needed/],
  ["--http auto app:app", {}, null],
  ["--proxy-protocol off --protocol http app:app", {}, null],
  ["--proxy-headers --forwarded-allow-ips private app:app", {}, null],
  [
    "--no-proxy-headers app:app",
    { FORWARDED_ALLOW_IPS: "*" },
    /^FORWARDED_ALLOW_IPS=\* has no effect with --no-proxy-headers/,
  ],
  ["--proxy-allow-from 10.0.0.1 app:app", {}, /^--proxy-allow-from 10.0.0.1 has no effect without --proxy-protocol/],
  ["app:app", { UVICORN_RELOAD: "false" }, null],
  ["-m 22 app:app", {}, /decimal number, as in gunicorn: the umask is 0026/],
  ["-m 0 app:app", {}, null],
  ["--max-requests-jitter 5 app:app", {}, /^--max-requests-jitter has no effect without --max-requests/],
  ["app:app", { LISTEN_FDS: "1" }, /^LISTEN_FDS=1 has no effect: LISTEN_PID is not set .* give --bind fd:\/\/3/],
  ["app:app", { LISTEN_FDS: "1", LISTEN_PID: "4711" }, null],
  ["-b :80 app:app", { LISTEN_FDS: "1", LISTEN_PID: "4711" }, /^-b :80 has no effect, because systemd/],
  ["-b fd://3 app:app", { LISTEN_FDS: "1", LISTEN_PID: "4711" }, null],
  ["app:app", { NOTIFY_SOCKET: "/run/systemd/notify" }, /^NOTIFY_SOCKET is set but systemd is not told/],
  ["--uds /x --port 80 app:app", {}, /^--port 80 has no effect, because --uds \/x says where to listen/],
  [
    "--host 0.0.0.0 app:app",
    { PORT: "3000" },
    /^PORT=3000 has no effect, because --host 0.0.0.0 says where to listen: the port is 8000/,
  ],
  ["--host 0.0.0.0 --port 80 app:app", { PORT: "3000" }, null],
];

for (const [line, env, notice] of noticed) {
  const variables = Object.entries(env)
    .map(([name, text]) => `${name}=${text} `)
    .join("");
  test(`${notice === null ? "says nothing about" : "notices"}: ${variables}maitred ${line}`, () => {
    const { notices } = planned(line, env);
    assert.equal(notices.length, notice === null ? 0 : 1, notices.join("\n"));
    if (notice !== null) assert.match(notices[0] ?? "", notice);
  });
}

test("a gunicorn.conf.py that gunicorn would have read is not passed over in silence", () => {
  const { notices } = planned("app:app", {}, { ...house, isFile: (path) => path === "/srv/site/gunicorn.conf.py" });
  assert.match(notices.join(), /gunicorn\.conf\.py is not read/);
});
