import { expect, test } from "bun:test";
import { Decimal } from "decimal.js";
import { split } from "../src";

test("equal parts, as equal as cents allow", () => {
  expect(split("100.00", [1, 1, 1])).toEqual(["33.33", "33.33", "33.34"]);
  expect(split("0.05", [1, 1])).toEqual(["0.02", "0.03"]);
});

test("by weight; who weighs nothing gets nothing", () => {
  expect(split("10", [0, 50, 30, 0, 20])).toEqual(["0.00", "5.00", "3.00", "0.00", "2.00"]);
});

test("currencies with other units", () => {
  expect(split("1000", [1, 2], { decimals: 0 })).toEqual(["333", "667"]);
  expect(split("1.000", [1, 2], { decimals: 3 })).toEqual(["0.333", "0.667"]);
});

test("nothing is lost, nothing is invented, nobody is a cent off", () => {
  const weights = [0.1, 0.2, 0.7, 3, 1e-9, 12345.678, 1e20];
  const total = weights.reduce((sum, weight) => sum.plus(weight), new Decimal(0));
  for (const amount of ["0.00", "0.01", "1.00", "99.99", "123456789.01"]) {
    const parts = split(amount, weights);
    expect(parts.reduce((sum, part) => sum.plus(part), new Decimal(0)).toFixed(2)).toBe(amount);
    for (const [index, part] of parts.entries()) {
      const exact = new Decimal(amount).times(weights[index]!).div(total);
      expect(exact.minus(part).abs().lt("0.01")).toBe(true);
    }
  }
});

test("huge amounts and extreme weights are exact too", () => {
  const amount = `${"9".repeat(90)}.99`;
  const parts = split(amount, [Number.MAX_VALUE, Number.MIN_VALUE, 1]);
  const Exact = Decimal.clone({ precision: 200 });
  expect(parts.reduce((sum, part) => sum.plus(part), new Exact(0)).toFixed(2)).toBe(amount);
});

test.each(["", "-1", "1e3", "1.234", "ten", "9".repeat(101)])("%p is no amount in cents", (amount) => {
  expect(() => split(amount, [1])).toThrow(RangeError);
});

test.each([[[]], [[0, 0]], [[1, -1]], [[NaN]], [[Infinity]]])("%p are no weights", (weights) => {
  expect(() => split("1.00", weights)).toThrow(RangeError);
});
