import { io } from "socket.io-client";

interface Order {
  id: number;
  ticker: string;
  side: string;
  quantity: number;
}

const list = document.querySelector<HTMLUListElement>("#orders")!;
const form = document.querySelector<HTMLFormElement>("#order")!;
const tickers = document.querySelector<HTMLSelectElement>("#tickers")!;

function show(order: Order): void {
  const item = document.createElement("li");
  item.textContent = `#${order.id} ${order.side} ${order.quantity} ${order.ticker}`;
  list.prepend(item);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const data = new FormData(form);
  await fetch("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...Object.fromEntries(data), quantity: Number(data.get("quantity")) }),
  });
});

for (const instrument of await (await fetch("/api/instruments")).json()) {
  tickers.add(new Option(`${instrument.ticker} ${instrument.name}`, instrument.ticker));
}
for (const order of await (await fetch("/api/orders")).json()) show(order);
io().on("order", show);
