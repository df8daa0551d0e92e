import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { Worker } from "../src/worker.js";

const python = process.env.PYTHON || "python3";
const script = fileURLToPath(new URL("../python/signal_worker.py", import.meta.url));

function hasPandas(): boolean {
  try {
    execFileSync(python, ["-c", "import pandas"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// What still runs would keep the test process alive.
after(() => setImmediate(() => process.exit()));

test("a question is answered by the worker's line with its id", async () => {
  const echo = 'require("readline").createInterface(process.stdin).on("line", (line) => '
    + "console.log(JSON.stringify({ id: JSON.parse(line).id, result: JSON.parse(line).op })))";
  const worker = new Worker([process.execPath, "-e", echo], () => {});
  assert.deepEqual(await Promise.all([worker.ask({ op: "a" }), worker.ask({ op: "b" })]), ["a", "b"]);
});

test("what was asked of a worker that died is rejected", async () => {
  const worker = new Worker([process.execPath, "-e", "process.exit(3)"], () => {});
  await assert.rejects(worker.ask({ op: "ping" }), /ended by 3/);
});

test("the moving average comes from pandas", { skip: !hasPandas() }, async () => {
  const worker = new Worker([python, script], () => {});
  assert.deepEqual(await worker.ask({ op: "sma", prices: [1, 2, 3, 5], window: 2 }), [null, 1.5, 2.5, 4]);
  await assert.rejects(worker.ask({ op: "sma", prices: [1], window: 0 }), /positive whole number/);
});
