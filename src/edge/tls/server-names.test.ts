import assert from "node:assert/strict";
import { test } from "node:test";
import { serverNames } from "./server-names.ts";

const choose = serverNames([
  ["first.test"],
  ["*.shop.test", "shop.test"],
  ["api.shop.test"],
  ["shop.test", "Late.Test"],
]);

const cases: readonly (readonly [string, number])[] = [
  ["first.test", 0],
  ["shop.test", 1],
  ["SHOP.test.", 1],
  ["www.shop.test", 1],
  // An exact name goes before a wildcard, whatever the order.
  ["api.shop.test", 2],
  ["late.test", 3],
  // A wildcard stands for one label.
  ["a.b.shop.test", 0],
  [".shop.test", 1],
  ["elsewhere", 0],
  ["", 0],
];

for (const [name, index] of cases) {
  test(`${JSON.stringify(name)} gets certificate ${index}`, () => assert.equal(choose(name), index));
}
