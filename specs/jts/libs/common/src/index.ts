export { post, reachable } from "./client.js";
export { health, type Checks } from "./health.js";
export { type Log, logger } from "./log.js";
export { operate } from "./operate.js";
export { type Answer, type Request, type Routes, serve } from "./serve.js";
export { type Settings, settings } from "./settings.js";
