// Whatever is published goes to everyone who listens.

import { createServer } from "node:http";
import { Server } from "socket.io";

const port = Number(process.env.FEED_PORT ?? 18082);
const origins = (process.env.CORS_ALLOWED_ORIGINS ?? "http://localhost:8080").split(",");

const http = createServer((request, response) => {
  const known = request.url === "/health";
  response.writeHead(known ? 200 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(known ? { status: "ok" } : { error: "not found" }));
});
const io = new Server(http, { cors: { origin: origins } });
io.on("connection", (socket) => {
  socket.on("publish", (order) => io.emit("order", order));
});
http.listen(port, () => console.log(`feed on ${port}`));

process.on("SIGTERM", () => {
  io.close(() => process.exit(0));
});
