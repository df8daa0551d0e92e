// The order book: what may be traded, and what was ordered.

export interface Instrument {
  ticker: string;
  name: string;
}

export interface Order {
  id: number;
  ticker: string;
  side: "buy" | "sell";
  quantity: number;
}

export const instruments: readonly Instrument[] = [
  { ticker: "ACME", name: "Acme Anvils" },
  { ticker: "GLOB", name: "Globe Shipping" },
  { ticker: "HULL", name: "Hull & Keel Works" },
];

const orders: Order[] = [];

export function all(): readonly Order[] {
  return orders;
}

/** Takes an order, or says what is wrong with it. */
export function place(input: unknown): Order | string {
  if (typeof input !== "object" || input === null) return "an order is a JSON object";
  const { ticker, side, quantity } = input as Partial<Order>;
  if (!instruments.some((known) => known.ticker === ticker)) return `unknown ticker ${String(ticker)}`;
  if (side !== "buy" && side !== "sell") return "side is buy or sell";
  if (!Number.isInteger(quantity) || (quantity as number) <= 0) return "quantity is a positive whole number";
  const order: Order = { id: orders.length + 1, ticker: ticker as string, side, quantity: quantity as number };
  orders.push(order);
  return order;
}
