import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { suite, test } from "node:test";
import { hash } from "bcryptjs";
import { FakeClock } from "../../clock.test.ts";
import { hashProblem } from "../../config/password-text.ts";
import { KeptLog } from "../house.test.ts";
import { PasswordChecker } from "./password-checker.ts";
import { makeHash, matchesHash } from "./password-hash.ts";

const PASSWORDS = ["a", "secret", "p:w with spaces", "pässwörd €", "0123456789abcdef", "x".repeat(70), "y".repeat(200)];

/** What openssl makes of a password; null where there is none on this machine. */
function openssl(kind: string, password: string, ...more: string[]): string | null {
  try {
    return execFileSync("openssl", ["passwd", kind, ...more, "-stdin"], {
      input: `${password}\n`,
      encoding: "utf8",
    }).trim();
  } catch {
    return null;
  }
}

suite("hashes that others make", () => {
  for (const kind of ["-1", "-apr1", "-5", "-6"]) {
    test(`openssl passwd ${kind}`, (context) => {
      if (openssl(kind, "a") === null) return context.skip("there is no openssl");
      for (const password of PASSWORDS) {
        const made = openssl(kind, password)!;
        // MD5 of openssl cuts passwords at 256 bytes; ours are shorter.
        assert.equal(hashProblem(made), null, made);
        assert.equal(matchesHash(password, made), true, `${password} ${made}`);
        assert.equal(matchesHash(`${password}x`, made), false);
        assert.equal(matchesHash("", made), false);
      }
    });
  }

  test("SHA crypt with rounds and salts of their own", (context) => {
    if (openssl("-5", "a") === null) return context.skip("there is no openssl");
    for (const salt of ["saltstring", "rounds=10000$saltstringsaltst", "rounds=1400$ab", "rounds=10$short", "a"]) {
      for (const kind of ["-5", "-6"]) {
        const made = openssl(kind, "Hello world!", "-salt", salt)!;
        assert.equal(hashProblem(made), null, made);
        assert.equal(matchesHash("Hello world!", made), true, made);
      }
    }
  });

  test("bcrypt, under each of its names", async () => {
    const made = await hash("secret", 4);
    for (const name of ["$2a$", "$2b$", "$2y$"]) {
      const renamed = made.replace(/^\$2.\$/, name);
      assert.equal(hashProblem(renamed), null);
      assert.equal(matchesHash("secret", renamed), true);
      assert.equal(matchesHash("Secret", renamed), false);
    }
  });

  test("scrypt, as maitred password writes it and others do", () => {
    const made = makeHash("pässwörd");
    assert.equal(hashProblem(made), null);
    assert.equal(matchesHash("pässwörd", made), true);
    assert.equal(matchesHash("passwörd", made), false);
    assert.notEqual(makeHash("pässwörd"), made, "a salt of its own");
    // Passlib's default shape: salt and checksum without padding.
    const other = made.replace(/ln=\d+/, "ln=4");
    assert.equal(hashProblem(other), null);
    assert.equal(matchesHash("pässwörd", other), false, "another cost is another hash");
  });
});

suite("what is no hash", () => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ["secret", /is no hash of a password: make one with/],
    ["", /is no hash/],
    ["{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", /SHA-1 without a salt/],
    ["$y$j9T$abc$def", /is yescrypt/],
    ["$argon2id$v=19$m=65536,t=3,p=4$abc$def", /is Argon2/],
    ["$2y$10$short", /is damaged/],
    ["$2y$31$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu".slice(0, 60), /costs too much|is damaged/],
    [`$6$rounds=999999999$salt$${"a".repeat(86)}`, /costs too much to check: 999999999 rounds/],
    [`$scrypt$ln=30,r=8,p=1$${"a".repeat(22)}$${"b".repeat(43)}`, /costs too much/],
    [`$5$salt$${"a".repeat(86)}`, /is damaged/],
  ];
  for (const [text, why] of bad)
    test(JSON.stringify(text.slice(0, 30)), () => assert.match(hashProblem(text) ?? "", why));
});

suite("checking off the event loop", () => {
  test("what was right is known for a while; what was wrong is asked again", async () => {
    const clock = new FakeClock();
    const checker = new PasswordChecker(clock, new KeptLog());
    const made = await hash("secret", 4);
    assert.equal(checker.isKnown("secret", made), false);
    assert.deepEqual(
      await Promise.all(["secret", "secret", "wrong"].map((password) => checker.check(password, made, 1000))),
      ["right", "right", "wrong"],
    );
    assert.equal(checker.isKnown("secret", made), true);
    assert.equal(checker.isKnown("wrong", made), false);
    assert.equal(checker.isKnown("secret", await hash("secret", 4)), false, "not with another hash of it");
    clock.advance(1001);
    assert.equal(checker.isKnown("secret", made), false);
  });

  test("a flood of wrong passwords is told that it is too much, and nothing grows", async () => {
    const checker = new PasswordChecker(new FakeClock(), new KeptLog());
    const made = await hash("secret", 4);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => checker.check(`wrong ${at}`, made, 1000)));
    assert.equal(answers.filter((answer) => answer === "wrong").length, 64);
    assert.equal(answers.filter((answer) => answer === "busy").length, 36);
    assert.equal(await checker.check("secret", made, 1000), "right", "and afterwards it goes on");
  });
});
