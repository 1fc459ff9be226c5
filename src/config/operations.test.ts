/** What command lines and systemd ask of operations. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFacts } from "./host-facts.ts";
import type { Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";
import { shellWords } from "./shell-words.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 4711,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: () => ({ path: "/usr/bin/python3" }),
  isDirectory: () => true,
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

function read(
  line: string,
  env: Readonly<Record<string, string>> = {},
  host: HostFacts = house,
): ReturnType<typeof readPlan> {
  const words = shellWords(line);
  assert.ok(words.type === "value");
  return readPlan(words.value, env, host);
}

function planned(...args: Parameters<typeof read>): { plan: Plan } {
  const result = read(...args);
  if (result.type !== "plan") throw new Error(JSON.stringify(result));
  return result;
}

test("health checks, control socket and the delay of a stop", () => {
  const { plan } = planned(
    "--health-bind :9000 --health-path /- --drain-delay 5 --control-socket run/ctl --control-socket-mode 660 app:app",
    { MAITRED_NOTIFY_FD: "9", WATCHDOG_USEC: "3000000", WATCHDOG_PID: "4711" },
  );
  assert.deepEqual(plan.operations, {
    healthBind: { type: "tcp", host: "0.0.0.0", port: 9000 },
    healthPath: "/-",
    drainDelayMs: 5000,
    control: { type: "file", path: "/srv/site/run/ctl", mode: 0o660 },
    notifyFd: 9,
    initFd: null,
    command: null,
    handover: null,
    activation: {},
    watchdogMs: 3000,
  });
  assert.equal(planned("--health-path / app:app").plan.operations.healthPath, "");
  assert.deepEqual(planned("--control-socket none app:app").plan.operations.control, { type: "off" });
  assert.deepEqual(planned("--no-control-socket app:app").plan.operations.control, { type: "off" });
  assert.deepEqual(planned("app:app", {}, { ...house, platform: "darwin" }).plan.operations.control, { type: "off" });
});

test("systemd's sockets are taken, the one named health for the health checks", () => {
  const env = { LISTEN_FDS: "2", LISTEN_PID: "4711", LISTEN_FDNAMES: "web:health" };
  const { plan } = planned("app:app", env);
  assert.deepEqual(plan.binds, [{ type: "fd", fd: 3 }]);
  assert.deepEqual(plan.operations.healthBind, { type: "fd", fd: 4 });
});

for (const [line, mistake] of [
  ["--health-bind :80 -b :80 app:app", /^--health-bind :80 is where the application listens/],
  ["--health-path health app:app", /is not a path: it begins with/],
  ["--control-socket-mode 0800 app:app", /is not a file mode/],
  [`--control-socket /${"x".repeat(120)} app:app`, /is too long for a Unix socket/],
  ["--drain-delay -1 app:app", /is negative/],
] as const) {
  test(`refuses maitred ${line.slice(0, 60)}`, () => {
    const result = read(line);
    assert.ok(result.type === "mistakes");
    assert.match(result.mistakes.join("\n"), mistake);
  });
}
