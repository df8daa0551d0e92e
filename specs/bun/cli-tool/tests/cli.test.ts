import { expect, test } from "bun:test";

const entry = new URL("../src/index.ts", import.meta.url).pathname;

/** What the tool answers; CLI names the compiled binary if that is to be tested. */
function run(args: string[], input = "") {
  const command = process.env.CLI ? [process.env.CLI] : [process.execPath, entry];
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command, ...args], { stdin: Buffer.from(input) });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("arguments, one slug each", () => {
  expect(run(["Fish & Chips", "Übergröße"])).toEqual({ exitCode: 0, stdout: "fish-and-chips\nuebergroesse\n", stderr: "" });
});

test("lines of stdin, if there are no arguments", () => {
  expect(run([], "First Line\nSecond Line\n").stdout).toBe("first-line\nsecond-line\n");
  expect(run([])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("another separator", () => {
  expect(run(["-s", "_", "A B"]).stdout).toBe("a_b\n");
});

test("a text without a slug is reported, the others are printed", () => {
  const { exitCode, stdout, stderr } = run(["!!!", "fine"]);
  expect(exitCode).toBe(1);
  expect(stdout).toBe("fine\n");
  expect(stderr).toContain('"!!!"');
});

test("help and version", () => {
  for (const flag of ["-h", "--help"]) {
    expect(run([flag])).toEqual({ exitCode: 0, stdout: expect.stringContaining("Usage: slugify-lines"), stderr: "" });
  }
  expect(run(["--version"]).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("an unknown option is wrong usage", () => {
  expect(run(["--loud"])).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringContaining("--loud") });
});
