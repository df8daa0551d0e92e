import { health, serve, settings } from "@jts/common";
import { check, limits } from "./limits.js";

const allowed = limits(process.env);

function selfTest(): void {
  if (!check(allowed, { quantity: 0, price: 1 })?.approved) throw new Error("refuses an empty order");
}

serve(settings("risk-management", 3004), {
  "GET /health": () => health({ limits: selfTest }),
  "GET /limits": () => ({ status: 200, body: allowed }),
  "POST /check": ({ body }) => {
    const verdict = check(allowed, body);
    if (!verdict) return { status: 400, body: { error: "an order has a quantity and a price" } };
    return { status: 200, body: verdict };
  },
});
