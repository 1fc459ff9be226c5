import assert from "node:assert/strict";
import { test } from "node:test";
import { PromisedLength } from "./promised-length.ts";

const give = (length: number, carriesBody: boolean, ...pieces: readonly string[]): readonly unknown[] => {
  const promised = new PromisedLength(length, carriesBody);
  const sent = pieces.map((piece) => promised.admit(Buffer.from(piece)).toString());
  return [sent.join("|"), promised.kept, promised.difference];
};

test("what was promised goes on as it comes", () => {
  assert.deepEqual(give(6, true, "abc", "def"), ["abc|def", "promise", 0]);
  assert.deepEqual(give(-1, true, "abc", "def"), ["abc|def", "promise", 0], "nothing was promised");
  assert.deepEqual(give(0, true), ["", "promise", 0]);
});

test("what is too much is not sent, and counted", () => {
  assert.deepEqual(give(4, true, "abc", "def", "gh"), ["abc|d|", "too much", 4]);
});

test("what is missing is counted", () => {
  assert.deepEqual(give(9, true, "abc", "def"), ["abc|def", "too little", 3]);
});

test("a response without a body keeps any promise", () => {
  assert.deepEqual(give(9, false, "abc")[0], "");
  assert.equal(give(9, false, "abc")[1], "promise");
});
