import assert from "node:assert/strict";
import { test } from "node:test";
import { check, limits } from "../src/limits.js";

test("approves up to the limits, and to the cent", () => {
  const allowed = limits({ MAX_QUANTITY: "100", MAX_NOTIONAL: "0.3" });
  assert.deepEqual(check(allowed, { quantity: 3, price: 0.1 }), { approved: true });
  assert.deepEqual(check(allowed, { quantity: 4, price: 0.1 }), { approved: false, reason: "0.4 is above 0.3" });
  assert.deepEqual(check(allowed, { quantity: 101, price: 0 }), { approved: false, reason: "quantity is above 100" });
});

test("has no verdict on what is no order, and no limits that are no numbers", () => {
  assert.equal(check(limits({}), { quantity: "3" }), undefined);
  assert.throws(() => limits({ MAX_NOTIONAL: "lots" }));
});
