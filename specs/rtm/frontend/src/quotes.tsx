export interface Quote {
  symbol: string;
  price: number;
  time: string;
  average: { window: number; value: number } | null;
}

/** How far a price is from its average, in percent. */
export function deviation({ price, average }: Quote): string {
  if (!average) return "–";
  const percent = (price / average.value - 1) * 100;
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(2)} %`;
}

export function Quotes({ quotes }: { quotes: Quote[] }) {
  if (quotes.length === 0) return <p>No quotes yet.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th>Symbol</th>
          <th>Price</th>
          <th>Average</th>
          <th>Deviation</th>
        </tr>
      </thead>
      <tbody>
        {quotes.map((quote) => (
          <tr key={quote.symbol} title={quote.time}>
            <td>{quote.symbol}</td>
            <td>{quote.price.toFixed(2)}</td>
            <td>{quote.average?.value.toFixed(2) ?? "–"}</td>
            <td>{deviation(quote)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
