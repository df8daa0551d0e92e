// What any HTTP server needs in production, whichever framework is in front of it.

import type { Server } from "node:http";
import type { Log } from "./log.js";

/** Logs every request but the health checks, and stops gracefully: `close` resolves when all is answered. */
export function operate(server: Server, log: Log, close: () => Promise<unknown>): void {
  server.on("request", (request, response) => {
    const { method, url = "" } = request;
    if (url.startsWith("/health")) return;
    const began = performance.now();
    response.on("finish", () => {
      const milliseconds = Math.round(performance.now() - began);
      log("info", "request", { method, url, status: response.statusCode, milliseconds });
    });
  });

  const stop = async (signal: string) => {
    log("info", "stopping", { signal });
    // A kept-alive connection falls idle only after its last answer: close each as it does.
    setInterval(() => server.closeIdleConnections(), 50);
    await close();
    log("info", "stopped");
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
