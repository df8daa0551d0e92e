import assert from "node:assert/strict";
import { test } from "node:test";
import { Prices } from "../src/prices.js";

test("keeps the latest prices of each symbol", () => {
  const prices = new Prices(["ACME"], 42);
  for (let second = 0; second < 300; second++) prices.tick(new Date(second * 1000));
  const ring = prices.of("ACME") ?? [];
  assert.equal(ring.length, 256);
  assert.equal(ring.at(-1)?.time, "1970-01-01T00:04:59.000Z");
  assert.ok(ring.every(({ price }) => price > 0));
  assert.equal(prices.of("NONE"), undefined);
});

test("walks the same way from the same seed", () => {
  const [one, two] = [new Prices(["ACME"], 42), new Prices(["ACME"], 42)];
  const now = new Date();
  for (const prices of [one, two]) prices.tick(now);
  assert.deepEqual(one.of("ACME"), two.of("ACME"));
});
