import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect, createServer, type AddressInfo } from "node:net";

const entry = new URL("../src/index.ts", import.meta.url).pathname;

/** The service as a process of its own, on a port that is free. */
async function start(environment: Record<string, string> = {}) {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const child = Bun.spawn([process.execPath, entry], {
    env: { ...inherited, PORT: "0", ...environment },
    stdout: "pipe",
    stderr: "ignore",
  });
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number(/links on (\d+)/.exec((await output.read()).value ?? "")?.[1]);
  return { child, port, url: `http://127.0.0.1:${port}` };
}

let service: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  service = await start();
});
afterAll(() => service.child.kill());

function send(method: string, path: string, content?: string): Promise<Response> {
  return fetch(service.url + path, { method, body: content ?? null });
}

test("a link is kept, read, replaced and removed", async () => {
  const created = await send("POST", "/links", JSON.stringify({ url: "https://example.org/" }));
  expect(created.status).toBe(201);
  const link: any = await created.json();
  expect(link).toEqual({ id: expect.any(String), url: "https://example.org/", title: "https://example.org/" });

  expect(await (await send("GET", "/links")).json()).toEqual([link]);
  const replaced = await send("PUT", `/links/${link.id}`, JSON.stringify({ url: "https://example.org/", title: "Example" }));
  expect(await replaced.json()).toEqual({ ...link, title: "Example" });
  expect(await (await send("GET", `/links/${link.id}`)).json()).toEqual({ ...link, title: "Example" });

  expect((await send("DELETE", `/links/${link.id}`)).status).toBe(204);
  expect((await send("GET", `/links/${link.id}`)).status).toBe(404);
});

test.each(["", "[", "null", "{}", '{"url": "example.org"}', '{"url": "javascript:alert(1)"}', '{"url": "http://a", "title": " "}'])(
  "the client is told that %p is no link",
  async (content) => {
    const response = await send("POST", "/links", content);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  },
);

test("what is not there is 404, in the same form", async () => {
  for (const [method, path] of [["GET", "/"], ["GET", "/links/none"], ["PUT", "/links/none"], ["DELETE", "/links/none"]] as const) {
    const response = await send(method, path);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "not found" });
  }
});

test("healthy without a database to check", async () => {
  const response = await send("GET", "/health");
  expect(response.status).toBe(200);
  const health: any = await response.json();
  expect(health).toEqual({ status: "ok", timestamp: expect.any(String), checks: {} });
  expect(new Date(health.timestamp).toISOString()).toBe(health.timestamp);
});

test("as healthy as its database", async () => {
  const database = createServer();
  await new Promise<void>((listening) => database.listen(0, "127.0.0.1", listening));
  const { port } = database.address() as AddressInfo;
  const { child, url } = await start({ DATABASE_URL: `postgres://app:secret@127.0.0.1:${port}/links` });

  const up = await fetch(`${url}/health`);
  expect(up.status).toBe(200);
  expect(await up.json()).toMatchObject({ status: "ok", checks: { database: { status: "ok" } } });

  await new Promise((closed) => database.close(closed));
  const down = await fetch(`${url}/health`);
  expect(down.status).toBe(503);
  const text = await down.text();
  expect(JSON.parse(text)).toMatchObject({ status: "unhealthy", checks: { database: { status: "fail" } } });
  expect(text).not.toContain("secret");
  child.kill();
});

test("on SIGTERM the request in flight is answered, then the process ends with 0", async () => {
  const { child, port, url } = await start();
  const content = '{"url": "https://example.org/"}';
  const client = connect(port, "127.0.0.1");
  let answer = "";
  client.on("data", (data) => (answer += data));
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.write(`POST /links HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${content.length}\r\n\r\n`);
  await Bun.sleep(200);

  child.kill("SIGTERM");
  await Bun.sleep(200);
  expect(child.exitCode).toBe(null);
  await expect(fetch(`${url}/health`)).rejects.toThrow();

  client.write(content);
  await closed;
  expect(answer).toStartWith("HTTP/1.1 201");
  expect(await child.exited).toBe(0);
});
