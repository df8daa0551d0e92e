// Orders over HTTP; each one that is taken goes to the feed.

import express from "express";
import { io } from "socket.io-client";
import { all, instruments, place } from "./book.js";

const port = Number(process.env.ORDERS_PORT ?? 18081);
const feed = io(process.env.FEED_URL ?? "http://localhost:18082");

const app = express();
app.use(express.json());
app.get("/health", (_request, response) => {
  response.json({ status: "ok", checks: { feed: feed.connected ? "ok" : "disconnected" } });
});
app.get("/instruments", (_request, response) => {
  response.json(instruments);
});
app.get("/orders", (_request, response) => {
  response.json(all());
});
app.post("/orders", (request, response) => {
  const placed = place(request.body);
  if (typeof placed === "string") {
    response.status(400).json({ error: placed });
    return;
  }
  feed.emit("publish", placed);
  response.status(201).json(placed);
});

const server = app.listen(port, () => console.log(`orders on ${port}`));

// Finish what is being answered, then go.
process.on("SIGTERM", () => {
  feed.close();
  server.close(() => process.exit(0));
});
