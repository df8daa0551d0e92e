import { type FormEvent, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { type Quote, Quotes } from "./quotes";

async function ask<T>(init?: RequestInit): Promise<T> {
  const answer = await fetch("/api/v1/quotes", init);
  if (!answer.ok) throw new Error(`the API answers ${answer.status}`);
  return answer.json();
}

function App() {
  const [quotes, setQuotes] = useState<Quote[]>([]);
  const [problem, setProblem] = useState("");

  async function refresh(first?: () => Promise<unknown>): Promise<void> {
    try {
      await first?.();
      setQuotes(await ask());
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  function add(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const body = JSON.stringify({ symbol: data.get("symbol"), price: Number(data.get("price")) });
    void refresh(() => ask({ method: "POST", headers: { "content-type": "application/json" }, body }));
  }

  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), 2000);
    return () => clearInterval(timer);
  }, []);

  return (
    <>
      <h1>Market intelligence</h1>
      <Quotes quotes={quotes} />
      <form onSubmit={add}>
        <input name="symbol" defaultValue="ACME" pattern="[A-Z]{1,10}" required />
        <input name="price" type="number" min="0.01" step="0.01" defaultValue="100" required />
        <button>Quote</button>
      </form>
      <p role="status">{problem}</p>
    </>
  );
}

createRoot(document.querySelector("#root")!).render(<App />);
