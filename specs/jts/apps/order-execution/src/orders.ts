// Orders over HTTP: none is taken that risk management has not approved.

import { type Checks, health } from "@jts/common";
import Fastify, { type FastifyInstance } from "fastify";

export interface Order {
  symbol: string;
  side: "buy" | "sell";
  quantity: number;
  price: number;
}

export interface Neighbours {
  approve(order: Order): Promise<{ approved: boolean; reason?: string }>;
  notify(text: string): void;
  checks: Checks;
}

const schema = {
  body: {
    type: "object",
    required: ["symbol", "side", "quantity", "price"],
    additionalProperties: false,
    properties: {
      symbol: { type: "string", pattern: "^[A-Z]{1,10}$" },
      side: { enum: ["buy", "sell"] },
      quantity: { type: "integer", minimum: 1 },
      price: { type: "number", exclusiveMinimum: 0 },
    },
  },
};

export function orders({ approve, notify, checks }: Neighbours): FastifyInstance {
  const app = Fastify();
  const taken: (Order & { id: number })[] = [];

  app.get("/health/orders", async (_request, reply) => {
    const { status, body } = await health(checks);
    return reply.code(status).send(body);
  });
  app.get("/orders", async () => taken);
  app.post<{ Body: Order }>("/orders", { schema }, async (request, reply) => {
    const verdict = await approve(request.body).catch(() => undefined);
    if (!verdict) return reply.code(503).send({ error: "risk management does not answer" });
    if (!verdict.approved) return reply.code(422).send({ error: verdict.reason });
    const order = { id: taken.length + 1, ...request.body };
    taken.push(order);
    notify(`order ${order.id}: ${order.side} ${order.quantity} ${order.symbol} at ${order.price}`);
    return reply.code(201).send(order);
  });
  return app;
}
