import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gateway } from "../src/gateway.js";

test("forwards a path with its body to the service behind it", async () => {
  const orders = createServer((request, response) => {
    response.writeHead(201, { "content-type": "text/plain" });
    response.write(`${request.method} ${request.url} `);
    request.pipe(response);
  }).listen(0);
  const { port } = orders.address() as AddressInfo;
  const app = gateway({ ORDER_EXECUTION_URL: `http://127.0.0.1:${port}/` });

  const answer = await app.inject({ method: "POST", url: "/orders?dry=1", payload: { quantity: 1 } });
  assert.equal(answer.statusCode, 201);
  assert.equal(answer.body, 'POST /orders?dry=1 {"quantity":1}');
  assert.equal((await app.inject("/health")).statusCode, 200);

  orders.closeAllConnections();
  await new Promise((resolve) => orders.close(resolve));
  assert.equal((await app.inject("/orders/1")).statusCode, 502);
  assert.equal((await app.inject("/health")).statusCode, 503);
});

test("knows no path to a service without an address", async () => {
  const app = gateway({});
  assert.equal((await app.inject("/orders")).statusCode, 404);
  assert.equal((await app.inject("/health")).statusCode, 200);
});
