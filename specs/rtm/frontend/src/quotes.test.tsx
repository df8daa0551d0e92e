import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { deviation, type Quote, Quotes } from "./quotes";

const quote: Quote = { symbol: "ACME", price: 99, time: "2025-01-01T00:00:00Z", average: { window: 5, value: 100 } };

test("a deviation has a sign, and none is a dash", () => {
  expect(deviation(quote)).toBe("−1.00 %");
  expect(deviation({ ...quote, price: 101 })).toBe("+1.00 %");
  expect(deviation({ ...quote, average: null })).toBe("–");
});

test("each quote has a row", () => {
  expect(renderToString(<Quotes quotes={[quote]} />)).toContain("<td>ACME</td><td>99.00</td><td>100.00</td>");
  expect(renderToString(<Quotes quotes={[]} />)).toContain("No quotes yet");
});
