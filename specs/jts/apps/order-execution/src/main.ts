import { logger, operate, post, reachable, settings } from "@jts/common";
import { orders } from "./orders.js";

const { name, port } = settings("order-execution", 3003);
const log = logger(name);
const { RISK_URL: risk, NOTIFICATION_URL: notification } = process.env;
const telling = new Set<Promise<unknown>>();

const app = orders({
  approve: async (order) => {
    if (!risk) throw new Error("RISK_URL is not set");
    return post(`${risk}/check`, order);
  },
  // An order stands whether or not anyone hears of it.
  notify: (text) => {
    if (!notification) return;
    const told = post(`${notification}/notifications`, { text })
      .catch((error: Error) => log("warn", "not notified", { text, error: error.message }))
      .finally(() => telling.delete(told));
    telling.add(told);
  },
  checks: risk ? { risk: () => reachable(risk) } : {},
});

operate(app.server, log, async () => {
  await app.close();
  await Promise.all(telling);
});
await app.listen({ port, host: "0.0.0.0" });
log("info", "listening", { port });
