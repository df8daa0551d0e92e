// What an orchestrator wants to know: do we answer, and can we reach what we depend on?

import { connect } from "node:net";

export interface Check {
  status: "ok" | "fail";
  latency: number;
  message?: string;
}

export interface Health {
  status: "ok" | "unhealthy";
  timestamp: string;
  checks: Record<string, Check>;
}

// Below the health check's own timeout of 3 s: a slow "no" is better than none.
const PATIENCE = 2000;

export async function healthCheck(): Promise<Health> {
  const checks: Health["checks"] = {};
  const database = process.env.DATABASE_URL;
  if (database) checks.database = await reach(database, 5432);
  const down = Object.values(checks).some((check) => check.status === "fail");
  return { status: down ? "unhealthy" : "ok", timestamp: new Date().toISOString(), checks };
}

/** Opens a connection and drops it. The message never holds the address's user or password. */
async function reach(address: string, defaultPort: number): Promise<Check> {
  const url = URL.parse(address);
  if (!url?.hostname) return { status: "fail", latency: 0, message: "the address is not a URL with a host" };
  const start = performance.now();
  const socket = connect({ host: url.hostname, port: Number(url.port || defaultPort) });
  const timer = setTimeout(() => socket.destroy(new Error("timed out")), PATIENCE);
  const failure = await new Promise<string | undefined>((resolve) => {
    socket.once("connect", () => resolve(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  clearTimeout(timer);
  socket.destroy();
  const latency = Math.round(performance.now() - start);
  return failure ? { status: "fail", latency, message: `${url.host}: ${failure}` } : { status: "ok", latency };
}
