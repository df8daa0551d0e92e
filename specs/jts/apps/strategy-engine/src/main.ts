// Strategies over HTTP; the numbers are worked out in Python.

import { fileURLToPath } from "node:url";
import { health, logger, serve, settings } from "@jts/common";
import { Refused, Worker } from "./worker.js";

const service = settings("strategy-engine", 3002);
const log = logger(service.name);
const script = fileURLToPath(new URL("../python/signal_worker.py", import.meta.url));
const worker = new Worker([process.env.PYTHON || "python3", script], (why) => log("error", "worker died", { why }));

serve(service, {
  "GET /health/strategy": () => health({ worker: () => worker.ask({ op: "ping" }) }),
  "POST /strategies/sma": async ({ body }) => {
    try {
      const { prices, window } = Object(body) as { prices?: unknown; window?: unknown };
      return { status: 200, body: { sma: await worker.ask({ op: "sma", prices, window }) } };
    } catch (error) {
      const { message } = error as Error;
      return { status: error instanceof Refused ? 400 : 503, body: { error: message } };
    }
  },
});
