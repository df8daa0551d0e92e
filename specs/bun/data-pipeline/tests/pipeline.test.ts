import { expect, test } from "bun:test";
import { transform } from "../src/transform";

const entry = new URL("../src/index.ts", import.meta.url).pathname;
const HEADER = "time,ticker,side,quantity,price\n";

function run(...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, entry, ...args]);
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("volume and average price by day and ticker", () => {
  const { volumes } = transform(`${HEADER}2026-10-02T00:30:00+01:00,ACME,buy,1,10\n2026-10-01T08:00:00Z,ACME,sell,3,11\n`);
  expect(volumes).toEqual([{ day: "2026-10-01", ticker: "ACME", trades: 2, volume: 4, averagePrice: 10.75 }]);
});

test.each([
  ["time", "yesterday,ACME,buy,1,1"],
  ["ticker", "2026-10-01T08:00:00Z,,buy,1,1"],
  ["side", "2026-10-01T08:00:00Z,ACME,hold,1,1"],
  ["quantity", "2026-10-01T08:00:00Z,ACME,buy,1.5,1"],
  ["price", "2026-10-01T08:00:00Z,ACME,buy,1,free"],
  ["quantity", "2026-10-01T08:00:00Z,ACME,buy"],
])("a record with a wrong %s is left out, the others are not", (field, record) => {
  const { volumes, rejected } = transform(`${HEADER}${record}\n2026-10-01T08:00:00Z,GLOB,buy,1,1\n`);
  expect(rejected).toEqual([`record 1: ${field}`]);
  expect(volumes).toMatchObject([{ ticker: "GLOB" }]);
});

test("the order of the records does not matter", async () => {
  const [header, ...records] = (await Bun.file(new URL("../src/trades.csv", import.meta.url)).text()).trim().split("\n");
  const [forwards, backwards] = [records, records.toReversed()].map((some) => transform([header, ...some].join("\n")).volumes);
  expect(backwards).toEqual(forwards!);
});

test("runs once, the same each time", () => {
  const first = run();
  expect(first.exitCode).toBe(0);
  expect(first.stdout.trim().split("\n")).toHaveLength(5);
  expect(first.stderr).toBe("left out: record 6: quantity\nleft out: record 8: side\n");
  expect(run()).toEqual(first);
});

test("what is no table of trades ends with 1 and no output", () => {
  for (const input of ["/none.csv", import.meta.path]) {
    const { exitCode, stdout, stderr } = run(input);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(input);
  }
});
