// What one order may be. Money is counted in decimals: floats would let some orders past the limit.

import { Big } from "big.js";

export interface Limits {
  quantity: number;
  notional: string;
}

export type Verdict = { approved: true } | { approved: false; reason: string };

/** A limit that is no number throws here, at the start, not at the first order. */
export function limits(env: NodeJS.ProcessEnv): Limits {
  return {
    quantity: Number(new Big(env.MAX_QUANTITY || "10000")),
    notional: new Big(env.MAX_NOTIONAL || "1000000").toFixed(),
  };
}

export function check({ quantity: most, notional: dearest }: Limits, order: unknown): Verdict | undefined {
  if (typeof order !== "object" || order === null) return undefined;
  const { quantity, price } = order as Record<string, unknown>;
  if (!Number.isFinite(quantity) || !Number.isFinite(price)) return undefined;
  if ((quantity as number) > most) return { approved: false, reason: `quantity is above ${most}` };
  const notional = new Big(quantity as number).times(price as number);
  if (notional.gt(dearest)) return { approved: false, reason: `${notional.toFixed()} is above ${dearest}` };
  return { approved: true };
}
