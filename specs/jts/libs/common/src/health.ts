// Health is the sum of named checks: one that fails makes the service unhealthy.

import type { Answer } from "./serve.js";

export type Checks = Record<string, () => unknown>;

// Whoever asks waits for no more than a second.
const limit = 800;

type Result = { status: "healthy"; milliseconds: number } | { status: "unhealthy"; error: string };

async function run(check: () => unknown): Promise<Result> {
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${limit} ms`)), limit);
    });
    await Promise.race([check(), late]);
    return { status: "healthy", milliseconds: Math.round(performance.now() - began) };
  } catch (error) {
    return { status: "unhealthy", error: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

export async function health(checks: Checks): Promise<Answer> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await run(check)] as const),
  );
  const healthy = results.every(([, result]) => result.status === "healthy");
  return {
    status: healthy ? 200 : 503,
    body: { status: healthy ? "healthy" : "unhealthy", checks: Object.fromEntries(results) },
  };
}
