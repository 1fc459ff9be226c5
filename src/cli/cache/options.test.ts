/** The words after `maitred cache`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheWords } from "./options.ts";

test("what is to be purged, and from whom", () => {
  const words = cacheWords(
    "purge /a /b/* --tag one,two -t three --host example.com --soft --pid /run/web.pid".split(" "),
  );
  assert.deepEqual(words, {
    type: "purge",
    target: { bind: null, pid: "/run/web.pid", controlSocket: null },
    wish: {
      paths: ["/a", "/b/*"],
      tags: ["one", "two", "three"],
      isEverything: false,
      host: "example.com",
      isSoft: true,
    },
  });
  const all = cacheWords(["purge", "--all", "--bind=127.0.0.1:8000"]);
  assert.ok(all.type === "purge" && all.wish.isEverything && all.target.bind?.type === "tcp");
});

const mistakes: readonly [words: string, message: RegExp][] = [
  ["purge", /say what is to be purged/],
  ["flush", /has no flush/],
  ["purge blog", /"blog" is not a path/],
  ["purge /a*b", /has a "\*" that is not at its end/],
  ["purge --all /a", /--all is everything/],
  ["purge /a --tag", /--tag needs a value/],
  ["purge /a --hard", /unknown option --hard/],
  ["purge /a --pid 1 --control-socket x", /each name a server/],
  ["purge /a --bind nowhere:x", /--bind nowhere:x/],
];
for (const [words, message] of mistakes)
  test(`maitred cache ${words} is a mistake`, () => {
    const outcome = cacheWords(words.split(" "));
    assert.ok(outcome.type === "mistake" && message.test(outcome.message), JSON.stringify(outcome));
  });

test("help is given for the asking", () => {
  for (const words of [[], ["--help"], ["purge", "-h"]]) assert.equal(cacheWords(words).type, "help");
});
