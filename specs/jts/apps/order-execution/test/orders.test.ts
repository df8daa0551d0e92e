import assert from "node:assert/strict";
import { test } from "node:test";
import { orders } from "../src/orders.js";

const payload = { symbol: "ACME", side: "buy", quantity: 5, price: 10.5 };

test("takes what risk management approves and says so", async () => {
  const told: string[] = [];
  const app = orders({
    approve: async () => ({ approved: true }),
    notify: (text) => told.push(text),
    checks: {},
  });
  const answer = await app.inject({ method: "POST", url: "/orders", payload });
  assert.equal(answer.statusCode, 201);
  assert.deepEqual(answer.json(), { id: 1, ...payload });
  assert.deepEqual(told, ["order 1: buy 5 ACME at 10.5"]);
  assert.deepEqual((await app.inject("/orders")).json(), [{ id: 1, ...payload }]);
});

test("takes nothing that is malformed, refused or unchecked", async () => {
  const refusing = orders({ approve: async () => ({ approved: false, reason: "too much" }), notify() {}, checks: {} });
  const alone = orders({ approve: () => Promise.reject(new Error("down")), notify() {}, checks: {} });
  const send = (app: typeof alone, body: object) => app.inject({ method: "POST", url: "/orders", payload: body });
  assert.equal((await send(refusing, { ...payload, quantity: 0 })).statusCode, 400);
  assert.equal((await send(refusing, payload)).statusCode, 422);
  assert.equal((await send(alone, payload)).statusCode, 503);
  assert.deepEqual((await refusing.inject("/orders")).json(), []);
});
