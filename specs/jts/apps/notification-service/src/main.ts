// Notifications come in over HTTP and go out over websockets.

import { health, serve, settings } from "@jts/common";
import { WebSocketServer } from "ws";
import { Inbox } from "./inbox.js";

const inbox = new Inbox();
const most = 1000;

function listeners(): void {
  if (stream.clients.size > most) throw new Error(`more than ${most} listen`);
}

// An open stream would hold the server for ever; one that does not answer the close is cut.
function hangUp(): void {
  for (const client of stream.clients) {
    client.close(1001);
    setTimeout(() => client.terminate(), 1000);
  }
}

const server = serve(
  settings("notification-service", 3006),
  {
    "GET /health": () => health({ listeners }),
    "GET /notifications": () => ({ status: 200, body: inbox.latest() }),
    "POST /notifications": ({ body }) => {
      const text = (body as { text?: unknown } | null | undefined)?.text;
      if (typeof text !== "string" || !text) return { status: 400, body: { error: "a notification has a text" } };
      const notification = inbox.add(text);
      for (const client of stream.clients) client.send(JSON.stringify(notification));
      return { status: 201, body: notification };
    },
  },
  hangUp,
);

const stream = new WebSocketServer({ server, path: "/stream" });
stream.on("connection", (client) => client.on("error", () => client.terminate()));
