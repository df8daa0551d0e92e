// Each path goes to the service behind it; bodies pass as they are.

import { type Checks, health, reachable } from "@jts/common";
import Fastify, { type FastifyInstance } from "fastify";

const behind = {
  "/orders": "ORDER_EXECUTION_URL",
  "/strategies": "STRATEGY_ENGINE_URL",
  "/limits": "RISK_URL",
  "/prices": "DATA_INGESTION_URL",
  "/notifications": "NOTIFICATION_URL",
};

/** The gateway to those services whose address the environment gives. */
export function gateway(env: NodeJS.ProcessEnv): FastifyInstance {
  const app = Fastify();
  const checks: Checks = {};
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  for (const [path, variable] of Object.entries(behind)) {
    const base = env[variable]?.replace(/\/$/, "");
    if (!base) continue;
    checks[path.slice(1)] = () => reachable(base);
    for (const url of [path, `${path}/*`]) {
      app.route({
        url,
        method: ["GET", "POST"],
        handler: async (request, reply) => {
          const type = request.headers["content-type"];
          const answer = await fetch(base + request.url, {
            method: request.method,
            headers: type ? { "content-type": type } : {},
            body: request.body as Buffer | undefined,
            signal: AbortSignal.timeout(10_000),
          }).catch(() => undefined);
          if (!answer) return reply.code(502).send({ error: `no answer from what is behind ${path}` });
          return reply
            .code(answer.status)
            .type(answer.headers.get("content-type") ?? "application/octet-stream")
            .send(answer.body);
        },
      });
    }
  }

  app.get("/health", async (_request, reply) => {
    const { status, body } = await health(checks);
    return reply.code(status).send(body);
  });
  return app;
}
