// Trades to volumes: nothing but what is given decides what comes out.

import { parse } from "csv-parse/sync";

export interface Volume {
  day: string;
  ticker: string;
  trades: number;
  volume: number;
  averagePrice: number;
}

export interface Result {
  volumes: Volume[];
  /** What is wrong with each record that was left out. */
  rejected: string[];
}

const COLUMNS = ["time", "ticker", "side", "quantity", "price"];

/** Throws if this is no table of trades at all; a wrong record is only left out. */
export function transform(csv: string): Result {
  const [header, ...records] = parse(csv, { relax_column_count: true, skip_empty_lines: true, trim: true }) as string[][];
  if (header?.join() !== COLUMNS.join()) throw new Error(`the columns are ${COLUMNS.join()}`);

  const totals = new Map<string, { trades: number; volume: number; cents: number }>();
  const rejected: string[] = [];
  for (const [index, [time = "", ticker = "", side = "", quantityText = "", priceText = ""]] of records.entries()) {
    const quantity = Number(quantityText);
    // In cents, as sums of floats would depend on the order of the records.
    const cents = Math.round(Number(priceText) * 100);
    const wrong =
      (Number.isNaN(Date.parse(time)) && "time") ||
      (!/^[A-Z]+$/.test(ticker) && "ticker") ||
      (!["buy", "sell"].includes(side) && "side") ||
      (!(Number.isInteger(quantity) && quantity > 0) && "quantity") ||
      (!(cents > 0) && "price");
    if (wrong) {
      rejected.push(`record ${index + 1}: ${wrong}`);
      continue;
    }
    // UTC, whatever the machine's time zone.
    const key = `${new Date(time).toISOString().slice(0, 10)} ${ticker}`;
    const total = totals.get(key) ?? { trades: 0, volume: 0, cents: 0 };
    totals.set(key, { trades: total.trades + 1, volume: total.volume + quantity, cents: total.cents + quantity * cents });
  }

  const volumes = [...totals.keys()].sort().map((key) => {
    const [day, ticker] = key.split(" ") as [string, string];
    const { trades, volume, cents } = totals.get(key)!;
    return { day, ticker, trades, volume, averagePrice: Math.round(cents / volume) / 100 };
  });
  return { volumes, rejected };
}
