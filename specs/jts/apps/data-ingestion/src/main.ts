import { health, serve, settings } from "@jts/common";
import { Prices } from "./prices.js";

const every = Number(process.env.TICK_MS || 1000);
const symbols = (process.env.SYMBOLS || "ACME,GLOB,HULL").split(",");
const prices = new Prices(symbols, Number(process.env.SEED || 42));
let ticked = 0;

function tick(): void {
  prices.tick();
  ticked = Date.now();
}

function fresh(): void {
  const age = Date.now() - ticked;
  if (age > 5 * every) throw new Error(`no price for ${age} ms`);
}

tick();
setInterval(tick, every);

serve(settings("data-ingestion", 3005), {
  "GET /health": () => health({ prices: fresh }),
  "GET /prices": () => ({ status: 200, body: prices.symbols() }),
  "GET /prices/:symbol": ({ params: { symbol = "" } }) => {
    const known = prices.of(symbol);
    if (!known) return { status: 404, body: { error: `unknown symbol ${symbol}` } };
    return { status: 200, body: { symbol, prices: known } };
  },
});
