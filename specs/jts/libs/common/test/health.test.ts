import assert from "node:assert/strict";
import { test } from "node:test";
import { health } from "../src/index.js";

test("healthy when every check passes", async () => {
  const { status, body } = await health({ one: () => true, two: async () => {} });
  assert.equal(status, 200);
  assert.equal((body as { status: string }).status, "healthy");
});

test("unhealthy when one fails or does not answer", async () => {
  const { status, body } = await health({
    good: () => true,
    bad: () => {
      throw new Error("broken");
    },
    slow: () => new Promise(() => {}),
  });
  const { checks, ...rest } = body as { checks: Record<string, { status: string; error?: string }> };
  assert.equal(status, 503);
  assert.deepEqual(rest, { status: "unhealthy" });
  assert.equal(checks.good?.status, "healthy");
  assert.equal(checks.bad?.error, "broken");
  assert.equal(checks.slow?.error, "no answer in 800 ms");
});
