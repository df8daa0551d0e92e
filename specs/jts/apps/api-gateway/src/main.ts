import { logger, operate, settings } from "@jts/common";
import { gateway } from "./gateway.js";

const { name, port } = settings("api-gateway", 3001);
const log = logger(name);
const app = gateway(process.env);

operate(app.server, log, () => app.close());
await app.listen({ port, host: "0.0.0.0" });
log("info", "listening", { port });
