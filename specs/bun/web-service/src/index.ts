// Links over HTTP.

import { healthCheck } from "./health";
import { all, get, keep, remove } from "./links";

const server = Bun.serve({
  port: Number(process.env.PORT || 3000),
  routes: {
    "/health": {
      GET: async (request) => {
        const health = await healthCheck();
        return answer(request, health.status === "ok" ? 200 : 503, health);
      },
    },
    "/links": {
      GET: (request) => answer(request, 200, all()),
      POST: async (request) => {
        const kept = keep(await body(request));
        return typeof kept === "string" ? answer(request, 400, { error: kept }) : answer(request, 201, kept);
      },
    },
    "/links/:id": {
      GET: (request) => {
        const link = get(request.params.id);
        return link ? answer(request, 200, link) : unknown(request);
      },
      PUT: async (request) => {
        if (!get(request.params.id)) return unknown(request);
        const kept = keep(await body(request), request.params.id);
        return typeof kept === "string" ? answer(request, 400, { error: kept }) : answer(request, 200, kept);
      },
      DELETE: (request) => (remove(request.params.id) ? answer(request, 204) : unknown(request)),
    },
  },
  fetch: unknown,
  error: (failure) => {
    console.error(failure);
    return Response.json({ error: "internal error" }, { status: 500 });
  },
});
console.log(`links on ${server.port}`);

// Finish what is being answered, then go.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    console.log(`${signal}: stopping`);
    await server.stop();
    process.exit(0);
  });
}

/** Each answer is logged: what the client or we did wrong to stderr, the rest to stdout. */
function answer(request: Request, status: number, content?: unknown): Response {
  const line = `${request.method} ${new URL(request.url).pathname} ${status}`;
  if (status < 400) console.log(line);
  else console.error(line);
  return content === undefined ? new Response(null, { status }) : Response.json(content, { status });
}

function unknown(request: Request): Response {
  return answer(request, 404, { error: "not found" });
}

/** The request's JSON; what is none is as wrong as any other input. */
async function body(request: Request): Promise<unknown> {
  return request.json().catch(() => undefined);
}
