// How one service speaks to another.

/** Posts JSON and gives the JSON that is answered. */
export async function post<T>(url: string, body: object): Promise<T> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(2000),
  });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return (await answer.json()) as T;
}

/** Any answer will do, a 404 too: whether a neighbour is healthy is its own affair, or one failure would fail all. */
export async function reachable(base: string): Promise<void> {
  const answer = await fetch(`${base}/health`, { signal: AbortSignal.timeout(700) });
  await answer.body?.cancel();
}
