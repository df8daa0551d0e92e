// Splits an amount by weight. Rounding each part on its own would lose cents or invent some;
// here what is rounded is how much has been given out so far, so the parts add up to the whole.

import { Decimal } from "decimal.js";

// An amount may have 100 digits and the sum of any doubles has fewer than 700: nothing below is
// ever rounded but where it says so.
const MAX_DIGITS = 100;
const Exact = Decimal.clone({ precision: 1000, toExpPos: 1000, toExpNeg: -1000 });

export interface Options {
  /** How many digits the currency has after the point: 2 unless told. */
  decimals?: number;
}

/**
 * Splits `amount` in the proportion of `weights`.
 *
 * The parts, in the order of the weights, add up to exactly `amount`, and each is less than one
 * cent (or whatever the currency's smallest unit) away from its exact share.
 *
 * @throws RangeError if `amount` is no such amount, or if no weight is above or any is below zero.
 */
export function split(amount: string, weights: readonly number[], { decimals = 2 }: Options = {}): string[] {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 18) throw new RangeError("decimals is 0 to 18");
  if (!/^\d+(\.\d+)?$/.test(amount) || amount.length > MAX_DIGITS) throw new RangeError(`${amount} is no amount`);
  if (!weights.every((weight) => Number.isFinite(weight) && weight >= 0)) throw new RangeError("weights are not negative");
  const unit = new Exact(10).pow(-decimals);
  const units = new Exact(amount).div(unit);
  if (!units.isInteger()) throw new RangeError(`${amount} has more than ${decimals} decimals`);
  const total = weights.reduce((sum, weight) => sum.plus(weight), new Exact(0));
  if (total.isZero()) throw new RangeError("no weight is above zero");

  let weighed = new Exact(0);
  let given = new Exact(0);
  return weights.map((weight) => {
    weighed = weighed.plus(weight);
    const soFar = units.times(weighed).divToInt(total);
    const part = soFar.minus(given);
    given = soFar;
    return part.times(unit).toFixed(decimals);
  });
}
