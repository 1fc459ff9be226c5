import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { suite, test } from "node:test";
import { hashSync } from "bcryptjs";
import { FakeClock } from "../clock.test.ts";
import { authRequestSettings } from "../config/sites/auth-request.ts";
import { basicAuthSettings } from "../config/sites/basic-auth.ts";
import { NO_PROTECTION, type ProtectionSettings } from "../config/sites/protection.ts";
import { protectionRows } from "../config/sites/protection-rows.ts";
import type { Exchange } from "../http/exchange.ts";
import { fold, type Handler } from "../http/handler.ts";
import { ownFields } from "../http/response-changes.ts";
import { answerWith, asked, type Asking, Destination, KeptLog } from "./house.test.ts";
import { LimitZones } from "./limit-zones.ts";
import { claimsOf, type GuardContext, guardingStages } from "./protecting.ts";
import { PasswordChecker } from "./passwords/password-checker.ts";
import { credentialsOf } from "./basic-auth.ts";
import { readUsers } from "../config/user-file.ts";

const HASH = hashSync("open sesame", 4);
const basic = (text: string): string => `Authorization: Basic ${Buffer.from(text).toString("base64")}`;
const ALICE = basic("alice:open sesame");

class House {
  readonly clock: FakeClock = new FakeClock();
  readonly log: KeptLog = new KeptLog();
  readonly app: Destination = new Destination();
  /** What the site's own requests meet. */
  verdict: Handler = answerWith(204);
  readonly asked: Exchange[] = [];

  handler(written: Partial<Record<keyof ProtectionSettings, unknown>>): Handler {
    const settings = { ...NO_PROTECTION } as Record<string, unknown>;
    for (const [name, value] of Object.entries(written))
      settings[name] = protectionRows[name as keyof ProtectionSettings].schema.parse(value);
    const all = settings as unknown as ProtectionSettings;
    const context: GuardContext = {
      clock: this.clock,
      log: this.log,
      zones: new LimitZones(),
      trusts: () => false,
      passwords: new PasswordChecker(this.clock, this.log),
      pathOf: (path) => path,
      claims: claimsOf([all]),
      subrequest: (exchange) => {
        this.asked.push(exchange);
        exchange.state = "given";
        this.verdict(exchange);
      },
    };
    return fold(guardingStages(all, { name: "/a", where: "/a" }, context), this.app.handler);
  }
}

/** The status that a client gets, however long a password takes. */
async function status(handler: Handler, asking: Asking = {}): Promise<ReturnType<typeof asked>> {
  const one = asked(asking);
  handler(one.exchange);
  while (one.exchange.state !== "done") await setImmediate();
  return one;
}

suite("name and password", () => {
  test("only who has both gets in, and whoever answers is told who it is", async () => {
    const house = new House();
    const handler = house.handler({ basicAuth: { realm: "Staff", users: { alice: HASH } } });
    const none = await status(handler);
    assert.equal(none.client.status, 401);
    assert.equal(none.client.answer?.fields["www-authenticate"], 'Basic realm="Staff", charset="UTF-8"');
    for (const wrong of ["alice:wrong", "bob:open sesame", "alice", "alice:", ":open sesame", "alice:open sesame\n"])
      assert.equal((await status(handler, { fields: [basic(wrong)] })).client.status, 401, wrong);
    assert.equal(house.app.got.length, 0);
    assert.equal(
      (await status(handler, { fields: [ALICE, "Remote-User: root", "remote_user: root"] })).client.status,
      200,
    );
    const [exchange] = house.app.got;
    assert.deepEqual(exchange?.user, { name: "alice", scheme: "Basic" });
    const { names, values } = exchange!.head.headers;
    assert.deepEqual(
      names.flatMap(({ lower }, at) => (lower.startsWith("remote") ? [`${lower}: ${values[at]}`] : [])),
      ["remote-user: alice"],
    );
  });

  test("a name that nobody has takes a check as well, and failures are told in the log, not the passwords", async () => {
    const house = new House();
    const handler = house.handler({ basicAuth: { users: { alice: HASH } } });
    for (const wrong of ["nobody\u2028:wrong one", "alice:wrong two"]) {
      const { exchange, client } = asked({ fields: [basic(wrong)] });
      handler(exchange);
      assert.equal(client.status, 0, "no answer before the check");
      while (exchange.state !== "done") await setImmediate();
      assert.equal(client.status, 401);
      house.clock.advance(1000);
    }
    assert.deepEqual(house.log.lines, [
      'warning basic-auth of /a: 1 failed login, the last as "nobody\\u2028" from 192.0.2.7',
      'warning basic-auth of /a: 1 failed login, the last as "alice" from 192.0.2.7',
    ]);
  });

  test("a password that was right is not checked again for a while", async () => {
    const house = new House();
    const handler = house.handler({ basicAuth: { users: { alice: HASH }, remember: "10s" } });
    await status(handler, { fields: [ALICE] });
    const { exchange, client } = asked({ fields: [ALICE] });
    handler(exchange);
    assert.equal(client.status, 200, "at once");
    house.clock.advance(11_000);
    const again = asked({ fields: [ALICE] });
    handler(again.exchange);
    assert.equal(again.client.status, 0, "it is being checked");
    while (again.client.status === 0) await setImmediate();
    assert.equal(again.client.status, 200);
  });

  test("a client that leaves while its password is checked never reaches the app", async () => {
    const house = new House();
    const handler = house.handler({ basicAuth: { users: { alice: HASH } } });
    const { exchange } = asked({ fields: [ALICE] });
    handler(exchange);
    exchange.leave();
    await status(handler, { fields: [ALICE] });
    assert.equal(house.app.got.length, 1);
  });

  test("users of a file come and go with it; a file that cannot be read, or has a bad line, leaves them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "maitred-users-"));
    try {
      const file = join(folder, "htpasswd");
      writeFileSync(file, `# staff\n\nalice:${HASH}\n`);
      const house = new House();
      const handler = house.handler({ basicAuth: { file } });
      assert.equal((await status(handler, { fields: [ALICE] })).client.status, 200);

      writeFileSync(file, `bob:${HASH}\nbroken:secret\n`);
      const isTold = (): boolean => house.log.lines.some((line) => line.includes("the old ones stay"));
      for (let asking = 0; asking < 3 || !isTold(); asking++) {
        house.clock.advance(2000);
        assert.equal((await status(handler, { fields: [ALICE] })).client.status, 200);
        await setImmediate();
      }
      const told = house.log.lines.filter((line) => line.includes("the old ones stay"));
      assert.equal(told.length, 1, "once for each edition");
      assert.match(told[0]!, /error .*htpasswd:2: what stands for user "broken" is no hash of a password/);
      assert.doesNotMatch(told[0]!, /secret/);

      writeFileSync(file, `bob:${HASH}\n`);
      utimesSync(file, 1, 1);
      const bob = { fields: [basic("bob:open sesame")] };
      house.clock.advance(2000);
      // The first request after the change starts the reading and does not wait for it.
      while ((await status(handler, bob)).client.status !== 200) house.clock.advance(2000);
      assert.equal((await status(handler, { fields: [ALICE] })).client.status, 401);

      rmSync(file);
      house.clock.advance(2000);
      await status(handler, bob);
      while (!house.log.lines.some((line) => /Users not read again, the old ones stay: ENOENT/.test(line)))
        await setImmediate();
      assert.equal((await status(handler, bob)).client.status, 200);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("credentials are read as they are written", () => {
    assert.deepEqual(credentialsOf(`basic ${Buffer.from("a:b:c").toString("base64")}`), { name: "a", password: "b:c" });
    assert.deepEqual(credentialsOf(`Basic ${Buffer.from("ä:ö").toString("base64")}`), { name: "ä", password: "ö" });
    for (const bad of [
      undefined,
      "",
      "Basic",
      "Basic ",
      "Bearer YTpi",
      "Basic !!!",
      "Basic YTpi YTpi",
      `Basic ${"A".repeat(2000)}`,
    ])
      assert.equal(credentialsOf(bad), null, bad);
  });

  test("a hash that cannot be checked is a mistake of the configuration", () => {
    for (const hash of ["secret", "{SHA}abc", "$y$j9T$x$y"])
      assert.equal(basicAuthSettings.safeParse({ users: { alice: hash } }).success, false, hash);
    assert.match(JSON.stringify(basicAuthSettings.safeParse({}).error?.issues), /lets nobody in/);
  });

  test("a file of users says what is wrong with its lines", () => {
    const { hashes, problems, remarks } = readUsers(
      `a:${HASH}\r\nno colon\na:${HASH}\nb:{SHA}x\nc:${HASH}:more`,
      "users",
    );
    assert.deepEqual([...hashes.keys()], ["a", "c"]);
    assert.deepEqual(
      problems.map((line) => line.slice(0, 30)),
      ["users:2: this is not name:hash", "users:4: what stands for user "],
    );
    assert.deepEqual(remarks, ['users:3: user "a" stands there already; the first counts']);
  });
});

suite("either by address or by password", () => {
  test("satisfy = any", async () => {
    const house = new House();
    const handler = house.handler({
      satisfy: "any",
      access: ["allow 10.0.0.0/8", "deny all"],
      basicAuth: { users: { alice: HASH } },
    });
    assert.equal((await status(handler, { from: "10.1.1.1", fields: ["Remote-User: root"] })).client.status, 200);
    assert.equal(house.app.got[0]?.user, null);
    assert.equal(
      house.app.got[0]?.head.headers.get("remote-user"),
      undefined,
      "nobody says who it is but the authentication",
    );
    assert.equal((await status(handler)).client.status, 401);
    assert.equal((await status(handler, { fields: [ALICE] })).client.status, 200);
  });

  test("both otherwise", async () => {
    const house = new House();
    const handler = house.handler({ access: ["allow 10.0.0.0/8", "deny all"], basicAuth: { users: { alice: HASH } } });
    assert.equal((await status(handler, { fields: [ALICE] })).client.status, 403);
    assert.equal((await status(handler, { from: "10.1.1.1" })).client.status, 401);
  });
});

suite("another route decides", () => {
  test("is asked with the client's fields and without its body; 2xx lets pass, and tells who it is", async () => {
    const house = new House();
    house.verdict = answerWith(200, "X-User", "alice", "X-Groups", "staff", "Set-Cookie", "s=2");
    const handler = house.handler({
      authRequest: { path: "/auth?for=a", copy: ["X-Groups", "X-Absent"], user: "X-User", "copy-back": ["Set-Cookie"] },
    });
    const fields = [
      "Cookie: s=1",
      "X-Groups: root",
      "x_groups: root",
      "X-Absent: forged",
      "If-None-Match: *",
      "X-Original-URI: /forged",
    ];
    const { client } = await status(handler, { method: "DELETE", path: "/a?b", fields });
    assert.equal(client.status, 200);
    assert.equal(client.answer?.fields["set-cookie"], "s=2");
    const { head } = house.asked[0]!;
    assert.deepEqual([head.method, head.path, head.query, head.target], ["GET", "/auth", "for=a", "/auth?for=a"]);
    assert.deepEqual(
      ["x-original-method", "x-original-uri", "cookie", "if-none-match"].map((name) => head.headers.get(name)),
      ["DELETE", "/a?b", "s=1", undefined],
    );
    const [exchange] = house.app.got;
    assert.deepEqual(exchange?.user, { name: "alice", scheme: "auth-request" });
    const got = exchange!.head.headers;
    assert.deepEqual([got.get("x-groups"), got.get("x_groups"), got.get("x-absent")], ["staff", undefined, undefined]);
    assert.equal(exchange?.head.method, "DELETE");
  });

  test("401 and 403 refuse, with the challenge; anything else is our error, and is logged", async () => {
    const house = new House();
    const handler = house.handler({ authRequest: "/auth" });
    house.verdict = answerWith(401, "WWW-Authenticate", "Bearer", "X-Internal", "1");
    const { client } = await status(handler);
    assert.deepEqual(
      [client.status, client.answer?.fields["www-authenticate"], client.answer?.fields["x-internal"]],
      [401, "Bearer", undefined],
    );
    house.verdict = answerWith(403);
    assert.equal((await status(handler)).client.status, 403);
    for (const other of [302, 404, 500, 503]) {
      house.verdict = answerWith(other);
      assert.equal((await status(handler)).client.status, 500, String(other));
    }
    assert.match(house.log.lines[0]!, /^error auth-request of \/a: \/auth answered 302, which is neither yes/);
    assert.equal(house.app.got.length, 0);
  });

  test("a streamed answer counts when it is whole; one that is cut is no answer", async () => {
    const house = new House();
    const handler = house.handler({ authRequest: { path: "/auth", refusal: "whole" } });
    const taken: number[] = [];
    house.verdict = (exchange) => {
      exchange.onSent = (bytes) => taken.push(bytes);
      answerStreamed(exchange, 403, ["no ", "entry"]);
    };
    const { client } = await status(handler);
    assert.deepEqual([client.status, client.answer?.body], [403, "no entry"]);
    assert.deepEqual(taken, [3, 5], "the worker has its credit back");
    house.verdict = (exchange) => {
      answerStreamed(exchange, 200, ["x"], false);
      exchange.cut();
    };
    assert.equal((await status(handler)).client.status, 500);
    assert.equal(house.app.got.length, 0);
  });

  test("refusals go to the client as they are where that was asked for", async () => {
    const house = new House();
    house.verdict = answerWith(302, "Location", "/login", "Set-Cookie", "next=/a");
    const { client } = await status(house.handler({ authRequest: { path: "/auth", refusal: "whole" } }));
    assert.deepEqual(
      [client.status, client.answer?.fields["location"], client.answer?.fields["set-cookie"], client.answer?.body],
      [302, "/login", "next=/a", "hello"],
    );
  });

  test("a client that leaves ends the question, and the app never hears of it", () => {
    const house = new House();
    house.verdict = () => {};
    const { exchange } = asked();
    house.handler({ authRequest: "/auth" })(exchange);
    exchange.leave();
    assert.equal(house.asked[0]?.state, "done");
    assert.equal(house.app.got.length, 0);
  });

  test("a yes is remembered for the same credentials, and for nobody without any", async () => {
    const house = new House();
    const handler = house.handler({ authRequest: { path: "/auth", remember: "10s" } });
    const ask = async (...fields: string[]): Promise<number> => {
      await status(handler, { fields });
      return house.asked.length;
    };
    assert.equal(await ask("Cookie: s=1"), 1);
    assert.equal(await ask("Cookie: s=1"), 1);
    assert.equal(await ask("Cookie: s=2"), 2);
    assert.equal(await ask("Cookie: s=1", "Host: other.example"), 3);
    assert.equal(await ask(), 4);
    assert.equal(await ask(), 5);
    house.clock.advance(10_001);
    assert.equal(await ask("Cookie: s=1"), 6);
    house.verdict = answerWith(403);
    assert.equal(await ask("Cookie: s=3"), 7);
    assert.equal(await ask("Cookie: s=3"), 8, "a no is not remembered");
  });

  test("what decides may lie below what it protects", async () => {
    const house = new House();
    let handler: Handler = () => {};
    house.verdict = (exchange) => {
      exchange.state = "waiting";
      handler(exchange);
    };
    handler = house.handler({ authRequest: "/auth" });
    assert.equal((await status(handler)).client.status, 200);
    assert.equal(house.asked.length, 1);
    assert.equal(house.app.got.length, 2);
    handler = house.handler({ access: "deny all" });
    const { exchange } = asked();
    exchange.head = { ...exchange.head, isSubrequest: true };
    handler(exchange);
    assert.equal(house.app.got.length, 3, "a route for such questions alone");
  });

  test("what is no path is refused", () => {
    for (const path of ["auth", "https://example.com/auth", "/a b", "/a#b", ""])
      assert.equal(authRequestSettings.safeParse(path).success, false, path);
  });
});

function answerStreamed(exchange: Exchange, status: number, pieces: readonly string[], ends = true): void {
  exchange.start(status, "", ownFields([]));
  for (const piece of pieces) exchange.write(Buffer.from(piece));
  if (ends) exchange.end();
}
