/** What is answered while nothing can serve. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerError } from "../http/error-response.ts";
import { House } from "./house.test.ts";

test("an outage answers those who wait, those who come, and those who come back; without it they wait again", () => {
  const house = new House();
  house.submit("/waits");
  assert.equal(house.dispatcher.waiting, 1);
  house.dispatcher.setOutage((exchange) => answerError(exchange, 500));
  assert.equal(house.dispatcher.waiting, 0);
  house.submit("/comes");
  assert.deepEqual(
    house.sink.events.map((event) => event.split(" ").slice(0, 3).join(" ")),
    ["complete /waits 500", "complete /comes 500"],
  );

  const seat = house.seat();
  const given = house.submit("/given");
  assert.equal(given.state, "given", "a seat that is there serves");
  house.dispatcher.removeSeat(seat);
  house.dispatcher.returned([given]);
  assert.equal(given.status, 500);

  house.dispatcher.setOutage(null);
  house.submit("/again");
  assert.equal(house.dispatcher.waiting, 1);
});
