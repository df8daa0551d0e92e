// The latest prices of each symbol, made up: a random walk that the seed repeats.

import { randomLcg, randomNormal } from "d3-random";

export interface Price {
  time: string;
  price: number;
}

const kept = 256;

export class Prices {
  readonly #rings = new Map<string, Price[]>();
  readonly #step: () => number;

  constructor(symbols: string[], seed: number) {
    for (const symbol of symbols) this.#rings.set(symbol, []);
    this.#step = randomNormal.source(randomLcg(seed))(0, 0.001);
  }

  tick(now = new Date()): void {
    for (const ring of this.#rings.values()) {
      const price = (ring.at(-1)?.price ?? 100) * Math.exp(this.#step());
      ring.push({ time: now.toISOString(), price: Math.round(price * 1e4) / 1e4 });
      if (ring.length > kept) ring.shift();
    }
  }

  symbols(): string[] {
    return [...this.#rings.keys()];
  }

  of(symbol: string): readonly Price[] | undefined {
    return this.#rings.get(symbol);
  }
}
