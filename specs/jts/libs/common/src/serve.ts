// A JSON server on node:http, for the services that need no framework.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { logger } from "./log.js";
import { operate } from "./operate.js";
import type { Settings } from "./settings.js";

export interface Request {
  params: Record<string, string | undefined>;
  body: unknown;
}

export interface Answer {
  status: number;
  body: unknown;
}

/** From "METHOD /path/:parameter" to what answers it. */
export type Routes = Record<string, (request: Request) => Answer | Promise<Answer>>;

const largest = 1024 * 1024;

/** The body, or the answer that refuses it. */
async function read(request: IncomingMessage): Promise<{ body: unknown } | Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= largest) chunks.push(chunk);
  }
  if (size > largest) return { status: 413, body: { error: `a body has at most ${largest} bytes` } };
  if (size === 0) return { body: undefined };
  try {
    return { body: JSON.parse(Buffer.concat(chunks).toString()) };
  } catch {
    return { status: 400, body: { error: "the body is not JSON" } };
  }
}

/** Serves until SIGTERM; `stopping` lets go of what would keep connections open. */
export function serve({ name, port }: Settings, routes: Routes, stopping?: () => void): Server {
  const log = logger(name);
  const table = Object.entries(routes).map(([route, handler]) => ({
    pattern: new RegExp(`^${route.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`),
    handler,
  }));

  async function answer(request: IncomingMessage): Promise<Answer> {
    const asked = `${request.method} ${request.url?.split("?")[0]}`;
    for (const { pattern, handler } of table) {
      const found = pattern.exec(asked);
      if (!found) continue;
      const content = await read(request);
      return "status" in content ? content : handler({ params: found.groups ?? {}, body: content.body });
    }
    return { status: 404, body: { error: `no ${asked}` } };
  }

  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request).catch((error: Error): Answer => {
      log("error", "failed", { url: request.url, error: error.message });
      return { status: 500, body: { error: "internal error" } };
    });
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  operate(server, log, () => {
    const closed = new Promise((resolve) => server.close(resolve));
    stopping?.();
    return closed;
  });
  return server.listen(port, "0.0.0.0", () => log("info", "listening", { port }));
}
