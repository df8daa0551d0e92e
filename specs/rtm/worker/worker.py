"""Keeps the moving averages up to date: asks the API for quotes, computes, and puts the result back."""

import json
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

log = logging.getLogger("worker")


def moving_average(prices: list[float], window: int) -> float | None:
    """Of the latest prices; nothing until there are enough."""
    return sum(prices[-window:]) / window if len(prices) >= window else None


def update(api: httpx.Client, window: int) -> int:
    """Brings every average up to date, and says how many there are."""
    updated = 0
    for summary in api.get("/api/v1/quotes").raise_for_status().json():
        path = f"/api/v1/quotes/{summary['symbol']}"
        quotes = api.get(path).raise_for_status().json()["quotes"]
        value = moving_average([quote["price"] for quote in quotes], window)
        if value is not None:
            api.put(f"{path}/average", json={"window": window, "value": value}).raise_for_status()
            updated += 1
    return updated


@dataclass
class Pulse:
    """Whether the loop still goes round. That the API is away is not the worker's illness: it tries again."""

    limit: float
    api: str = "not asked yet"
    last: float = field(default_factory=time.monotonic)

    def beat(self, api: str) -> None:
        self.api, self.last = api, time.monotonic()

    def report(self) -> tuple[int, dict[str, str | float]]:
        age = time.monotonic() - self.last
        alive = age < self.limit
        return (200 if alive else 503), {"status": "ok" if alive else "stuck", "age": round(age, 1), "api": self.api}


class Health(BaseHTTPRequestHandler):
    def __init__(self, pulse: Pulse, *args) -> None:
        self.pulse = pulse
        super().__init__(*args)

    def do_GET(self) -> None:
        status, report = self.pulse.report() if self.path == "/health" else (404, {"error": "not found"})
        body = json.dumps(report).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Health checks are not worth a line."""


def main() -> None:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL") or "INFO", format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    every = float(os.environ.get("POLL_SECONDS") or 5)
    window = int(os.environ.get("WINDOW") or 5)

    # Blocked, a signal waits for the end of the pass in which it comes; threads inherit this.
    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)

    pulse = Pulse(limit=3 * every + 10)
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT") or 8001)), partial(Health, pulse))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log.info("health on port %s", server.server_port)

    with httpx.Client(base_url=os.environ.get("API_URL") or "http://localhost:8000", timeout=2) as api:
        while True:
            try:
                log.info("%s averages up to date", update(api, window))
                pulse.beat("ok")
            except httpx.HTTPError as error:
                log.warning("%s", error)
                pulse.beat(str(error))
            if signal.sigtimedwait(stopping, every):
                break
    log.info("stopped")


if __name__ == "__main__":
    main()
